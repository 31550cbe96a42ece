"""README and docs say what is so: their tables, links and drawings are compared with the code."""
