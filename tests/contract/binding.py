"""Which of our values stands for which recorded one: ids, times, tokens, aliases, addresses.

A recorded value that was met before must come back as what stood for it then; a new one is learned.
"""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

from attrs import define, evolve, field

# In the place of what a difference can't know beforehand.
ANY_ID = "<any id>"
ANY_TIME = "<any time>"
ANY_TEXT = "<any text>"
ANY_TOKEN = "<token:any>"

NOBODY = "00000000-0000-4000-8000-000000000000"

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"
_ANY = {ANY_ID: _ID, ANY_TIME: _TIME, ANY_TEXT: r".*"}
# What stands in a text for a recorded value of this kind.
_OURS = {"id": _ID, "time": _TIME, "word": r"[a-z]{6}"}
_TOKEN = re.compile(r"<JWT (\{.*?\}) (\{.*\})>|<token:[^>]*>|<jwt>")
_END_OF_ALIAS = re.compile(r"_([a-z]{6})$")


@define
class Binding:
    """What has been learned so far.

    `literals` are recorded addresses and names of tokens, with ours; `words` the random ends of
    the recorded aliases; `names` the names of agents' tokens by recorded agent.
    """

    literals: dict[str, str] = field(factory=dict)
    words: frozenset[str] = frozenset()
    names: dict[str, str] = field(factory=dict)
    known: dict[str, str] = field(factory=dict)

    def copy(self) -> "Binding":
        """One that learns by itself."""
        return evolve(self, literals=dict(self.literals), known=dict(self.known))

    def fill(self, recorded: Any) -> Any:
        """What is sent in the place of what was sent; an unknown id gets one of ours."""
        if isinstance(recorded, str):
            return self._volatile().sub(self._value, recorded)
        if isinstance(recorded, list):
            return [self.fill(item) for item in recorded]
        if isinstance(recorded, dict):
            return {key: self.fill(value) for key, value in recorded.items()}
        return recorded

    def compare(self, recorded: Any, ours: Any, place: str = "body") -> Iterator[str]:
        """Say what differs, and learn what stands for what."""
        if isinstance(recorded, dict) and isinstance(ours, dict):
            yield from self._compare_objects(recorded, ours, place)
        elif isinstance(recorded, list) and isinstance(ours, list):
            if len(recorded) != len(ours):
                yield f"{place}: {len(ours)} items in place of {len(recorded)}: {ours}"
            for index, (then, now) in enumerate(zip(recorded, ours, strict=False)):
                yield from self.compare(then, now, f"{place}[{index}]")
        elif not self._stands_for(recorded, ours):
            yield f"{place}: {ours!r} in place of {recorded!r}"

    def _compare_objects(
        self, recorded: Mapping[str, Any], ours: Mapping[str, Any], place: str
    ) -> Iterator[str]:
        if missing := recorded.keys() - ours.keys():
            yield f"{place}: without {sorted(missing)}"
        if more := ours.keys() - recorded.keys():
            yield f"{place}: with {sorted(more)}"
        for key in recorded:
            if key in ours:
                # When something was last touched is compared by its form only.
                then = ANY_TIME if key == "updated_at" else recorded[key]
                yield from self.compare(then, ours[key], f"{place}.{key}")

    def _stands_for(self, recorded: Any, ours: Any) -> bool:
        if isinstance(recorded, float) and isinstance(ours, float):
            return True  # an execution time, or a temperature, which no answer changes
        if isinstance(recorded, str) and isinstance(ours, str):
            if token := _TOKEN.fullmatch(recorded):
                return self._learn_token(token, ours)
            return self._is_same_json(recorded, ours) or self._learn_text(recorded, ours)
        return type(recorded) is type(ours) and bool(recorded == ours)

    def _is_same_json(self, recorded: str, ours: str) -> bool:
        """Whether both are objects as a text, however it is spaced."""
        if not (recorded.startswith("{") and ours.startswith("{")):
            return False
        try:
            then, now = json.loads(recorded), json.loads(ours)
        except ValueError:
            return False
        return not [*self.compare(then, now)]

    def _learn_text(self, recorded: str, ours: str) -> bool:
        pattern, new, end = "", list[tuple[str, str]](), 0
        for found in self._volatile().finditer(recorded):
            pattern += re.escape(recorded[end : found.start()])
            end, text, kind = found.end(), found.group(), str(found.lastgroup)
            if kind == "any":
                pattern += _ANY[text]
            elif kind == "literal" or _plain(text) in self.known:
                pattern += re.escape(self._value(found))
            else:
                pattern += f"({_OURS[kind]})"
                new.append((text, kind))
        match = re.fullmatch(pattern + re.escape(recorded[end:]), ours, re.DOTALL)
        return match is not None and all(
            self._learn(text, kind, value)
            for (text, kind), value in zip(new, match.groups(), strict=True)
        )

    def _learn(self, recorded: str, kind: str, ours: str) -> bool:
        """Whether this may stand for it: two recorded ids are never one of ours."""
        recorded = _plain(recorded)
        if kind == "id" and recorded not in self.known and ours in self.known.values():
            return False
        return self.known.setdefault(recorded, ours) == ours

    def _learn_token(self, recorded: re.Match[str], ours: str) -> bool:
        """A token is as recorded when its claims are; which bytes they are is nobody's business."""
        try:
            header, claims = (_decode(part) for part in ours.split(".")[:2])
        except ValueError:
            return False
        if recorded.group(1) is None:
            known = self.literals.setdefault(recorded.group(), ours)
            same = _decode(known.split(".")[1])["sub"] == claims["sub"]
            return same or recorded.group() == ANY_TOKEN
        then = json.loads(recorded.group(2))
        if name := self.names.get(then["sub"]):
            self.literals[name] = ours
        if "user_id" not in then:
            claims["exp"] = then["exp"]
        claims.pop("sid", None)  # sign-ins are ours
        claims.pop("jti", None)  # new: an agent's token may be one of several
        return header == json.loads(recorded.group(1)) and not [*self.compare(then, claims)]

    def _value(self, found: re.Match[str]) -> str:
        text = found.group()
        if found.lastgroup == "literal":
            return self.literals[text]
        if found.lastgroup != "id":
            return self.known.get(text, text)
        plain = _plain(text)
        ours = self.known.setdefault(plain, NOBODY if plain == NOBODY else str(uuid4()))
        if "-" not in text:
            ours = ours.replace("-", "")
        return ours if text == text.lower() else ours.upper()

    def _volatile(self) -> re.Pattern[str]:
        """What may be something else now in a recorded text."""
        literals = sorted(self.literals, key=len, reverse=True)
        kinds = {
            "any": "|".join(_ANY),
            "literal": "|".join(map(re.escape, literals)) or "(?!)",
            "id": rf"(?i:{_ID})|\b[0-9A-F]{{32}}\b",
            "time": _TIME,
            "word": rf"(?<=_)(?:{'|'.join(self.words) or '(?!)'})\b",
        }
        return re.compile("|".join(f"(?P<{kind}>{text})" for kind, text in kinds.items()))


def ends_of_aliases(recorded: Any) -> Iterator[str]:
    """The random ends of the aliases in a recording."""
    if isinstance(recorded, dict):
        for key, value in recorded.items():
            if key in {"alias", "agent_alias", "name", "title"} and isinstance(value, str):
                yield from _END_OF_ALIAS.findall(value)
            yield from ends_of_aliases(value)
    elif isinstance(recorded, list):
        for item in recorded:
            yield from ends_of_aliases(item)


def _plain(text: str) -> str:
    """An id as we write it; other texts as they are."""
    try:
        return str(UUID(text))
    except ValueError:
        return text


def _decode(part: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return decoded
