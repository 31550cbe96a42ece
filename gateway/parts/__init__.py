"""How all parts of the installation are, for administrators: processes, stores, what waits."""
