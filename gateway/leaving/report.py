"""What clients send to take an account along, and what they are told came of it."""

from typing import Annotated

from attrs import field, frozen
from msgspec import Meta


@frozen
class BroughtAlong:
    """An archive that an export has made; also as the whole body, of the type `application/zip`."""

    file: Annotated[
        str,
        Meta(
            description="The ZIP.",
            extra_json_schema={"format": "binary", "contentMediaType": "application/zip"},
        ),
    ]


@frozen(slots=False)
class TakenKind:
    """What came of the things of a kind."""

    kind: str
    found: int
    taken: int
    left_out: Annotated[dict[str, int], Meta(description="How many were not taken, by the reason.")]
    refused: Annotated[str | None, Meta(description="Why none of the kind was taken.")] = None


@frozen(slots=False)
class Report:
    """What has been made again, with new ids, and what was not."""

    kinds: list[TakenKind]
    stays: Annotated[
        dict[str, str], Meta(description="Kinds of which nothing is taken, and why.")
    ] = field(factory=dict)
