"""What people see of a text."""


def is_blank(text: str) -> bool:
    """Whether there is nothing in it to be seen."""
    return not any(character.isprintable() and not character.isspace() for character in text)
