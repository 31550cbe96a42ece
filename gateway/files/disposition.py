"""The name of a download: RFC 6266, in the characters of RFC 8187."""

import re
import unicodedata
from urllib.parse import quote

ATTR_CHARS = "!#$&+-.^_`|~"  # besides letters and digits
# Line ends and other controls, and what turns the direction of writing: `exe.txt` may not end so.
_unseen = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_not_plain = re.compile(r'[^ -~]|["\\%/]')  # of what some characters are decomposed into, too


def attachment(name: str, otherwise: str) -> str:
    """The header for a file of this name; `otherwise` names it where that is none.

    Of a path only the last part counts, as for who receives it. `filename` is for the old: it has
    what ASCII has of the name.
    """
    last = _unseen.sub("_", re.split(r"[/\\]", name)[-1]).strip()
    name = last if last.strip(".") else otherwise
    decomposed = unicodedata.normalize("NFKD", name)
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    plain = _not_plain.sub("_", plain)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=ATTR_CHARS)}"
