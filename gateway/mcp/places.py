"""Where a JSON schema's references lead. Not what is made of what is there."""

from typing import Any
from urllib.parse import unquote

from attrs import evolve, frozen

type Schema = dict[str, Any]

SAME_LIMIT = 2  # times that a schema is put into itself
INDEX_DIGITS = 9  # of a place in a list: none is longer


@frozen
class Place:
    """A place in a schema: what its references are relative to, and which led there."""

    base: Schema
    level: int = 0
    passed: tuple[int, ...] = ()
    """The identities of the schemas that references have led to, on the way from the root."""

    def below(self, schema: Schema) -> "Place":
        """The place of what is in a schema, which may be a resource of its own."""
        base = schema if _is_resource(schema) else self.base
        return evolve(self, base=base, level=self.level + 1)

    def follow(self, reference: object, most: int) -> tuple[object, "Place"] | None:
        """What a reference leads to, and the place there; None: to nothing, or too often.

        At most so many references are followed on the way from the root.
        """
        found = _find(reference, self.base)
        if found is None:
            return None
        target, base = found
        if len(self.passed) >= most or self.passed.count(id(target)) >= SAME_LIMIT:
            return None
        passed = (*self.passed, id(target))
        return target, Place(base, self.level + 1, passed)


def _find(reference: object, base: Schema) -> tuple[object, Schema] | None:
    if not isinstance(reference, str):
        return None
    document, _, fragment = reference.partition("#")
    if document and document != base.get("$id"):
        return None
    if fragment and not fragment.startswith("/"):
        return _find_anchor(fragment, base)
    target: object = base
    for step in unquote(fragment).split("/")[1:]:
        if isinstance(target, dict) and _is_resource(target):
            base = target
        target = _step(target, step.replace("~1", "/").replace("~0", "~"))
    return (target, base) if isinstance(target, dict | bool) else None


def _step(target: object, step: str) -> object:
    match target:
        case dict():
            return target.get(step)
        case list() if step.isascii() and step.isdigit() and len(step) <= INDEX_DIGITS:
            return target[int(step)] if int(step) < len(target) else None
    return None


def _find_anchor(name: str, base: Schema) -> tuple[object, Schema] | None:
    """Anchors of definitions, as all generators of schemas have them there."""
    for key in ("$defs", "definitions"):
        definitions = base.get(key)
        for one in definitions.values() if isinstance(definitions, dict) else ():
            if isinstance(one, dict) and (
                one.get("$anchor") == name or one.get("$id") == f"#{name}"
            ):
                return one, base
    return None


def _is_resource(schema: Schema) -> bool:
    """Whether references in it are relative to itself."""
    id_ = schema.get("$id")
    return isinstance(id_, str) and not id_.startswith("#")
