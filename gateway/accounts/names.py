"""Users' names: how a new one is stored, and what those that look the same have in common."""

from unicodedata import normalize

NAME_LIMIT = 255  # characters
FOLDED_LIMIT = 1024  # characters; to normalise more of them may take long (quadratic in marks)

# Letters and marks that show nothing; all others that don't are unprintable for Python.
# Default_Ignorable_Code_Point of unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt
INVISIBLE = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x2800),
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)


def clean(name: str) -> str:
    """A new name as it is stored."""
    return normalize("NFKC", name).strip()


def objection_to(name: str) -> str | None:
    """What is wrong with a new name, or None."""
    cleaned = clean(name) if len(name) <= FOLDED_LIMIT else name
    if len(cleaned) > NAME_LIMIT:
        return f"'username' must have at most {NAME_LIMIT} characters"
    if not cleaned:
        return "'username' must not be empty"
    if not all(map(_is_visible, cleaned)):
        return "'username' must have no invisible characters or line breaks"
    return None


def fold(name: str) -> str:
    """What names that look the same have in common; of a very long one, itself.

    Whatever `fold_name` of the database takes for one name is one here; the reverse need not be.
    """
    if len(name) > FOLDED_LIMIT:
        return name
    seen = filter(_is_visible, normalize("NFKC", normalize("NFKC", name).casefold()))
    return "".join(seen).strip()


def _is_visible(character: str) -> bool:
    return character.isprintable() and character not in INVISIBLE
