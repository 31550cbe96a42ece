"""How sizes are said to people."""


def in_units(size: int) -> str:
    """A number of bytes in MB or KB of 1,024: never more than it is."""
    for unit, one in (("MB", 1024 * 1024), ("KB", 1024)):
        if size >= one:
            return f"{size * 10 // one / 10:,g} {unit}"
    return f"{size:,} bytes"
