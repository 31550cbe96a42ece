"""How sizes are said to people."""


def in_units(size: int) -> str:
    """A number of bytes in GB, MB or KB of 1,024: never more than it is."""
    for unit, one in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
        if size >= one:
            return f"{size * 10 // one / 10:,g} {unit}"
    return f"{size:,} bytes"
