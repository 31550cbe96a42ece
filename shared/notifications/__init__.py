"""What one process tells the others over Redis: the bus that carries it, and its formats. Nothing
that must not be lost."""
