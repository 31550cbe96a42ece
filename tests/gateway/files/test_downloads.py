"""Files on their way out."""

import re
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import httpx2
import pytest

from gateway.files.disposition import attachment
from tests.gateway.files.uploading import (
    CONTENT,
    metadata,
    part,
    upload,
    upload_raw,
)
from tests.system import System
from tests.users import User


async def test_what_a_download_says_of_itself(user: User, file: str) -> None:
    headers = (await user.http.get(f"/files/{file}")).headers
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["content-length"] == "10"
    assert headers["accept-ranges"] == "bytes"
    expected = "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"
    assert headers["content-disposition"] == expected
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"].split("; ")
    assert re.fullmatch(r'"[^"]+"', headers["etag"])
    assert parsedate_to_datetime(headers["last-modified"]).tzinfo is not None


@pytest.mark.parametrize(
    ("name", "plain", "quoted"),
    [
        ("plain.txt", "plain.txt", "plain.txt"),
        ("отчёт 2026.pdf", "_____ 2026.pdf", f"{quote('отчёт')}%202026.pdf"),
        ("résumé.doc", "resume.doc", "r%C3%A9sum%C3%A9.doc"),
        ("报告.tar.gz", "__.tar.gz", "%E6%8A%A5%E5%91%8A.tar.gz"),
        ("👩‍🚀.png", "___.png", f"{quote('👩‍🚀')}.png"),
        ("a;b=c, d'e(f)*.txt", "a;b=c, d'e(f)*.txt", "a%3Bb%3Dc%2C%20d%27e%28f%29%2A.txt"),
        ("../../x.sh", "x.sh", "x.sh"),
        ("C:\\\\dir\\\\a.txt", "a.txt", "a.txt"),
        ("100%25.txt", "100_25.txt", "100%2525.txt"),
        ("a\tb.txt", "a_b.txt", "a_b.txt"),
        ("txt.\u202eexe", "txt._exe", "txt._exe"),
        ("README", "README", "README"),
    ],
)
async def test_a_download_has_the_name_of_the_file(
    user: User, name: str, plain: str, quoted: str
) -> None:
    stored = await upload_raw(user.http, part(f'name="file"; filename="{name}"'))
    answer = await user.http.get(f"/files/{stored.json()['id']}")
    expected = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quoted}"
    assert answer.headers["content-disposition"] == expected
    assert answer.content == CONTENT


@pytest.mark.parametrize("name", ["", "..", "a/", "   ", "\\"])
def test_what_has_no_name_has_the_internal_one(name: str) -> None:
    assert attachment(name, "id.txt") == "attachment; filename=\"id.txt\"; filename*=UTF-8''id.txt"


def test_no_name_leaves_its_place() -> None:
    everything = "".join(map(chr, [*range(0x10000), 0x1F600]))
    parts = {char: attachment(f"a{char}b", "id") for char in everything}
    form = re.compile(
        r"""attachment; filename="[ !#$&-.0-\[\]-~]+"; filename\*=UTF-8''[\w!#$&+.^`|~%-]+""",
        re.ASCII,
    )
    assert [char for char, header in parts.items() if not form.fullmatch(header)] == []


async def test_head_is_the_download_without_its_bytes(user: User, file: str) -> None:
    full, head = await user.http.get(f"/files/{file}"), await user.http.head(f"/files/{file}")
    assert (head.status_code, head.content) == (200, b"")
    same = full.headers.keys() - {"date"}
    assert {name: head.headers.get(name) for name in same} == {
        name: full.headers[name] for name in same
    }


@pytest.mark.parametrize(
    ("asked", "content", "place"),
    [
        ("bytes=0-3", b"hell", "0-3"),
        ("bytes=6-", b"file", "6-9"),
        ("bytes=-4", b"file", "6-9"),
        ("bytes=0-0", b"h", "0-0"),
        ("bytes=9-9", b"e", "9-9"),
        ("bytes=5-100", b" file", "5-9"),
        ("bytes=-100", CONTENT, "0-9"),
        ("Bytes=0-3", b"hell", "0-3"),
    ],
)
async def test_a_range_is_206(
    user: User, file: str, asked: str, content: bytes, place: str
) -> None:
    answer = await user.http.get(f"/files/{file}", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, content)
    assert answer.headers["content-range"] == f"bytes {place}/10"
    assert answer.headers["content-length"] == str(len(content))


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=100-200", "bytes=-0"])
async def test_a_range_with_nothing_in_it_is_416(user: User, file: str, asked: str) -> None:
    answer = await user.http.get(f"/files/{file}", headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */10"
    assert answer.json().keys() == {"detail"}


@pytest.mark.parametrize(
    "asked",
    ["bytes=5-2", "bytes=-", "bytes=0-1,3-4", "bytes=x-y", "lines=0-3", "", "bytes=" + "9" * 30],
)
async def test_another_range_is_ignored(user: User, file: str, asked: str) -> None:
    answer = await user.http.get(f"/files/{file}", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, CONTENT)


async def test_a_range_over_several_reads_is_whole(user: User) -> None:
    content = bytes(range(256)) * 20_000
    id_ = await upload(user.http, content=content)
    span = slice(1_000_001, 5_000_001)
    asked = {"Range": f"bytes={span.start}-{span.stop - 1}"}
    assert (await user.http.get(f"/files/{id_}", headers=asked)).content == content[span]


async def test_whoever_has_the_file_is_told_304(user: User, file: str) -> None:
    tag = (await user.http.head(f"/files/{file}")).headers["etag"]
    for known in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = await user.http.get(f"/files/{file}", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
    answer = await user.http.get(f"/files/{file}", headers={"If-None-Match": '"other"'})
    assert answer.status_code == 200


async def test_a_range_of_another_version_is_the_whole_file(user: User, file: str) -> None:
    headers = (await user.http.head(f"/files/{file}")).headers
    statuses = [
        (
            await user.http.get(
                f"/files/{file}", headers={"Range": "bytes=0-3", "If-Range": condition}
            )
        ).status_code
        for condition in (headers["etag"], headers["last-modified"], '"other"', "W/" + "x")
    ]
    assert statuses == [206, 206, 200, 200]


async def test_a_file_whose_bytes_are_gone_is_named(user: User, system: System, file: str) -> None:
    (system.files / f"{file}.txt").unlink()
    detail = f"Metadata of file {file} exists, but file was not found"
    answer = await user.http.get(f"/files/{file}")
    assert (answer.status_code, answer.json()) == (500, {"detail": detail})
    assert (await metadata(user.http, file))["id"] == file


async def test_a_download_that_breaks_is_cut_and_not_taken_for_whole(
    user: User, system: System
) -> None:
    id_ = await upload(user.http, "large.bin", bytes(64 * 1024 * 1024))
    async with user.http.stream("GET", f"/files/{id_}") as answer:
        (system.files / f"{id_}.bin").unlink()
        with pytest.raises(httpx2.RemoteProtocolError):
            await answer.aread()
