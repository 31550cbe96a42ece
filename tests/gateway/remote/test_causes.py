"""Why a look-up led to nothing: users are told in the sentence, operators in the log."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.app import KINDS
from gateway.remote.errors import UnreachableError
from gateway.remote.kinds import Kind
from gateway.remote.outbound import Outbound
from tests.gateway.outsiders import answering, serving
from tests.gateway.remote.test_outbound import Serve, hang, listening

SECRET = "s3cret-of-the-url"
both_kinds = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])


async def failure(
    kind: Kind[object],
    url: str,
    caplog: pytest.LogCaptureFixture,
    *,
    allow_private: bool = True,
    seconds: float = 10,
) -> UnreachableError:
    """Why a look-up fails; the log tells the same, without secrets."""
    caplog.set_level("INFO", "gateway")
    with pytest.raises(UnreachableError) as caught:
        await kind.look_up(Outbound(seconds, allow_private=allow_private), f"{url}/?key={SECRET}")
    [line] = [r.getMessage() for r in caplog.records if r.name.startswith("gateway.")]
    assert line.endswith(str(caught.value))
    assert line.startswith(f"{kind.name} {url}")
    assert SECRET not in line
    return caught.value


def raw(head: str, body: bytes = b"") -> Serve:
    """A server that says this to everybody."""
    return saying(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


def saying(answer: bytes) -> Serve:
    """A server that says this once it was asked something, in whatever protocol."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if length := re.search(rb"(?i)content-length: (\d+)", head):
            await reader.readexactly(int(length[1]))
        writer.write(answer)
        await writer.drain()

    return serve


@both_kinds
@pytest.mark.parametrize(
    ("head", "cause"),
    [
        ("404 X", "it answers 404 Not Found"),
        ("405 X", "it answers 405 Method Not Allowed"),
        ("429 X", "it answers 429 Too Many Requests"),
        ("503 X", "it answers 503 Service Unavailable"),
        ("599 X", "it answers 599"),
        (
            f"302 X\r\nLocation: http://user:{SECRET}@other.example/x?key={SECRET}",
            "it answers 302 Found, to http://other.example/x",
        ),
        ("200 X\r\nContent-Encoding: br", "its answer is compressed by 'br'"),
    ],
)
async def test_the_status_of_an_answer_is_told(
    kind: Kind[object], head: str, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(raw(head)) as port:
        assert str(await failure(kind, f"http://127.0.0.1:{port}", caplog)) == cause


@both_kinds
async def test_a_server_that_hangs_is_told(
    kind: Kind[object], caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(hang) as port:
        told = await failure(kind, f"http://127.0.0.1:{port}", caplog, seconds=0.3)
    assert str(told) == "it gives no answer within 0.3 seconds"


@both_kinds
@pytest.mark.parametrize("media_type", ["application/json", "text/event-stream"])
async def test_a_server_that_says_too_much_is_told(
    kind: Kind[object], media_type: str, caplog: pytest.LogCaptureFixture
) -> None:
    body = b"data: " + b"x" * 9_000_000
    async with listening(raw(f"200 X\r\nContent-Type: {media_type}", body)) as port:
        told = await failure(kind, f"http://127.0.0.1:{port}", caplog)
    most = {"A2A agent": 1, "MCP server": 8}[kind.name]
    assert str(told) == f"it answers more than {most * 1024 * 1024} bytes"


@both_kinds
async def test_a_server_that_nobody_runs_is_told(
    kind: Kind[object], caplog: pytest.LogCaptureFixture
) -> None:
    told = await failure(kind, "http://127.0.0.1:9", caplog)
    assert str(told) == "the connection to it fails (Connection refused)"


@both_kinds
async def test_a_name_that_nobody_has_is_told(
    kind: Kind[object], caplog: pytest.LogCaptureFixture
) -> None:
    told = await failure(kind, "http://nowhere.invalid", caplog)
    assert str(told).startswith("its host nowhere.invalid can't be found (")


@both_kinds
async def test_a_host_that_is_not_visited_is_told(
    kind: Kind[object], caplog: pytest.LogCaptureFixture
) -> None:
    told = await failure(kind, "http://127.0.0.1:9", caplog, allow_private=False)
    assert str(told) == "its host 127.0.0.1 is not on the public internet"


@both_kinds
async def test_a_server_of_another_protocol_is_told(
    kind: Kind[object], caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(saying(b"SSH-2.0-OpenSSH_9.9\r\n")) as port:
        told = await failure(kind, f"http://127.0.0.1:{port}", caplog)
    assert str(told) == "it breaks the connection off, or does not speak HTTP"


@both_kinds
async def test_a_server_without_tls_is_told(
    kind: Kind[object], caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(answering({})) as outsider:
        told = await failure(kind, outsider.url.replace("http:", "https:"), caplog)
    assert str(told).startswith("no TLS connection to it can be made (")


@asynccontextmanager
async def listening_with_tls(folder: Path) -> AsyncIterator[int]:
    """A server whose certificate nobody has signed but itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "both.pem"
    path.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    async with await asyncio.start_server(hang, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@both_kinds
async def test_a_certificate_that_is_not_trusted_is_told(
    kind: Kind[object], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    async with listening_with_tls(tmp_path) as port:
        told = await failure(kind, f"https://127.0.0.1:{port}", caplog)
    assert str(told) == "its certificate is not trusted (self-signed certificate)"


@both_kinds
@pytest.mark.parametrize("url", ["no url", "ftp://host", "http://host:0", "http://[::1"])
async def test_a_stored_url_that_is_none_is_told(kind: Kind[object], url: str) -> None:
    with pytest.raises(UnreachableError, match="URL"):
        await kind.look_up(Outbound(10.0, allow_private=True), url)
