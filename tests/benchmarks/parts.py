"""The parts of answers, by which each is known: whose they are, and which one after the other.

Nothing else is imported here: other products' agents say the same parts.
"""

WORD = "parts"
END = " "


def question_of(count: int, key: str) -> str:
    """What is answered in so many parts; no other question has this key."""
    return f"{count} {WORD} {key}"


def parts_of(question: str) -> list[str]:
    """All parts of the answer; none where it is not asked for in parts."""
    count, _, rest = question.partition(" ")
    word, _, key = rest.partition(" ")
    if word != WORD:
        return []
    return [f"{place}.{key}{END}" for place in range(int(count))]


def count_parts(text: str) -> int:
    """How many parts a text has."""
    return text.count(END)
