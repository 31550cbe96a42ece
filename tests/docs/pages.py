"""The pages of the project, and the rows of their tables."""

from pathlib import Path

PROJECT = Path(__file__).parents[2]
README = PROJECT / "README.md"
DOCS = PROJECT / "docs"

PAGES = {
    path: path.read_text()
    for path in (*PROJECT.glob("*.md"), *DOCS.glob("**/*.md"), PROJECT / "findings" / "README.md")
}


def read_rows(page: Path) -> list[list[str]]:
    """The cells of all rows of all tables of a page, heads left out."""
    lines = [line for line in PAGES[page].splitlines() if line.startswith("|")]
    rules = [number for number, line in enumerate(lines) if set(line) <= set("|-: ")]
    heads = {number - 1 for number in rules}
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for number, line in enumerate(lines)
        if number not in heads.union(rules)
    ]
