"""Chats, their files and their logs."""

from typing import Any

from tests.contract.binding import ANY_ID, ANY_TEXT, ANY_TIME, NOBODY
from tests.contract.cases import Answer
from tests.contract.differences import (
    Change,
    Difference,
    differ,
    edits,
    finds,
    refuses,
    says,
    wherever,
    with_headers,
)
from tests.contract.intended.everywhere import DEAD_TOKEN, SLASHES

PAGES = "Section 5, 500 where it should be 4xx: huge `page`, `per_page=0`"
OF_A = "0cfeb259-bb11-4ac5-80ef-77787c92662f"
OWN_METADATA = "Section 5, 500 where it should be 4xx: `GET /user/files/metadata` always"
FOREIGN_FILES = "Section 5, 500 where it should be 4xx: unknown or foreign file ids"
CREATOR = "97a01264-1f69-4de6-afdd-305530699489"


NAMES = (
    "Section 2: `GET /files/{id}` with its `Content-Disposition`: the name it came with (RFC 6266)"
)


def named_as(plain: str, encoded: str) -> str:
    """The header of a download with a name."""
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def downloads(id_: str, disposition: str) -> Difference:
    """All downloads of a file."""
    return wherever(
        NAMES,
        lambda case: (
            f"/files/{id_}" in case.call.path and "content-disposition" in case.answer.headers
        ),
        with_headers({"content-disposition": disposition}),
    )


def too_small(given: str) -> Change:
    """The fault of a page that holds nothing."""
    message = "Input should be greater than or equal to 1"
    return finds("greater_than_equal", ["query", "per_page"], message, given)


CHATS = [
    differ(PAGES, too_small("0"), "history: page=1 per_page=0"),
    differ(PAGES, too_small("-1"), "history: page=1 per_page=-1"),
    differ(
        PAGES,
        finds(
            "less_than_equal",
            ["query", "page"],
            f"Input should be less than or equal to {2**63 // 1000}",
            "4611686018427387904",
        ),
        "history: page=4611686018427387904 per_page=4611686018427387904",
    ),
    differ(
        SLASHES,
        says(
            200,
            {
                "session_id": "f8f9e497-a0fb-4d79-b7f0-a07bd1035f52",
                "title": "x",
                "created_at": ANY_TIME,
                "updated_at": ANY_TIME,
                "creator_id": "b90e1743-770d-4b59-9135-af9e61e92133",
            },
        ),
        "create: trailing slash",
    ),
    differ(
        SLASHES,
        refuses("Chat with session_id add4f9c7-615f-43ee-9d98-57b57726c8bb does not exist"),
        "update: trailing slash",
    ),
    differ(SLASHES, says(204, None), "delete: trailing slash"),
]


def stored_file(**values: Any) -> dict[str, Any]:
    """A file of A as its user sees it in the list of all."""
    file = {
        "id": ANY_ID,
        "session_id": None,
        "request_id": None,
        "original_name": ANY_TEXT,
        "mimetype": ANY_TEXT,
        "internal_id": ANY_ID,
        "internal_name": ANY_TEXT,
        "from_agent": False,
        "creator_id": "11d5f560-0e21-40d6-8e03-e36d37ca6646",
        "size": 3,
        "created_at": ANY_TIME,
    }
    return {**file, **values}


SESSION = {"session_id": "f12ea969-2033-4526-bf22-a7942206596c"}
IN_CHAT = {
    "session_id": "ae6ea02c-2bea-491f-aadc-aa6e7266cc9c",
    "request_id": "4c835596-46dd-40b8-aae5-87ef72098de9",
    "from_agent": True,
}
NEWEST = stored_file(**SESSION, original_name="f.txt", size=1)
ALL_FILES = [
    NEWEST,
    stored_file(original_name="a b.txt", size=10),
    stored_file(original_name="n.bin", mimetype="application/octet-stream"),
    stored_file(original_name="žluť 用户.txt"),
    stored_file(original_name="a.tar.gz"),
    stored_file(original_name="../../etc/x.sh"),
    stored_file(original_name="README"),
    stored_file(original_name="empty.bin", size=0),
    stored_file(**IN_CHAT, original_name="x.png", size=6),
    stored_file(request_id="ea837f0d-82d1-467c-bbeb-29129823d306", size=10),
    stored_file(session_id="9a9b0b75-98a3-4312-a982-7cafb9ed5e0f", size=10),
    stored_file(**IN_CHAT, size=10),
    stored_file(id=OF_A, original_name="a b.txt", size=10),
]

FILES = [
    downloads(OF_A, named_as("a b.txt", "a%20b.txt")),
    differ(
        NAMES,
        with_headers({"content-disposition": named_as("a b.txt", "a%20b.txt")}),
        "download: trailing slash",
    ),
    downloads("02e7bace-6212-48a5-8e27-b0c075312032", named_as("a b.txt", "a%20b.txt")),
    downloads("47501c68-b689-4667-aac1-638f006ab33c", named_as("x.png", "x.png")),
    downloads("28deddf4-8fcb-4d53-8ebd-51a246ad683b", named_as("empty.bin", "empty.bin")),
    downloads("a92eec93-0db1-4788-9475-8e7e2c905fef", named_as("README", "README")),
    downloads("1647684c-a4ab-44ae-840e-a8bc828fb92b", named_as("a.tar.gz", "a.tar.gz")),
    downloads("3d6d70ff-642f-4c2c-bd4d-c5db97118de7", named_as("x.sh", "x.sh")),
    differ(
        "Section 2: `POST /files` multipart: another form holds no file",
        finds("missing", ["body", "file"], "Field required", None),
        "upload: file as text field",
    ),
    differ(
        "Section 2: a type that the sender leaves out is guessed from the name",
        says(201, {"id": ANY_ID}),
        "upload: no content type",
    ),
    differ(SLASHES, says(201, {"id": ANY_ID}), "upload: trailing slash"),
    differ(
        "Section 2: ranges work as in any file server (RFC 9110: the unit is named)",
        with_headers({"content-range": "bytes */10"}),
        "download: Range not satisfiable",
    ),
    differ(
        'Section 1: error body: `{"detail": "<one sentence>"}`',
        lambda answer: Answer(
            416,
            {**answer.headers, "content-type": "application/json"},
            {"detail": "The file has 10 bytes, and none of them is in this range"},
        ),
        "download: Range not satisfiable",
    ),
    differ(
        "Section 2: `HEAD` works as in any file server",
        lambda _: Answer(
            200,
            {
                "content-length": "",
                "content-type": "text/plain; charset=utf-8",
                "content-disposition": named_as("a b.txt", "a%20b.txt"),
                "accept-ranges": "bytes",
                "etag": "",
                "last-modified": "",
            },
            None,
        ),
        "download: HEAD",
    ),
    differ(FOREIGN_FILES, refuses(f"File with id {OF_A} does not exist"), "download: other user's"),
    differ(FOREIGN_FILES, refuses(f"File with id {NOBODY} does not exist"), "download: unknown"),
    differ(
        "Section 1: a bad UUID gives type `uuid_parsing`",
        finds(
            "uuid_parsing",
            ["path", "file_id"],
            "Input should be a valid UUID, invalid length: expected length 32 for simple format, "
            "found 3",
            "abc",
        ),
        "download: id no UUID",
    ),
    differ(
        "Common sense: a file needs no request to be listed",
        says(200, [{"file_id": ANY_ID, **SESSION, "request_id": None}]),
        "by session: a file of it has no request_id",
    ),
    differ(
        "Section 2: `GET /files?session_id=` (user, or service with `user_id`)",
        DEAD_TOKEN,
        "by session: agent token",
    ),
    differ(OWN_METADATA, says(200, ALL_FILES), "own metadata: all", "own metadata: trailing slash"),
    differ(OWN_METADATA, says(200, []), "own metadata: other user"),
    differ(OWN_METADATA, says(200, [NEWEST]), "own metadata: limit=1"),
    differ("Section 2: `DELETE /files/{id}` 204 (new)", says(204, None), "delete not allowed"),
]


def _redacted(body: Any) -> Any:
    return [{**body[0], "message": '{"api_key": "********"}'}, *body[1:-1], _echoed(body[-1])]


def _echoed(entry: Any) -> Any:
    return {**entry, "message": '{"response": "echo: log please"}'}


LOGS = [
    differ(
        "Section 5: redact known secrets of the request in log messages (input and answer are as "
        "our master agent logs them)",
        edits(_redacted),
        "by session",
        "by request",
        "trailing slash",
        "limit is no parameter here",
    ),
    wherever(
        "Section 5: `creator_id` of logs is never filled",
        lambda case: (
            (
                bool(case.answer.body)
                and isinstance(case.answer.body, list)
                and "defect" not in case.name
            )
            or case.name == "trailing slash"
        ),
        edits(lambda body: [{**entry, "creator_id": CREATOR} for entry in body]),
    ),
    differ(
        "Section 1: lists take `limit` and `offset`",
        edits(lambda body: body[:1]),
        "limit is no parameter here",
    ),
    differ(
        "Section 5: any user reads any session's logs",
        says(200, []),
        "another user's logs are readable (defect)",
    ),
]
