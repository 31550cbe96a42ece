"""How fast the pair is beside its own floors: `make bench`."""
