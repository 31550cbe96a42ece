"""JSON that readers would refuse as a whole, for one place in it: it is mended where it can be."""

import re
from collections.abc import AsyncIterator, Callable

import httpx2
from anyio import to_thread

MOST_LEVELS = 128  # of lists and objects in one another; the reader takes 200
DIGITS_LIMIT = 4000  # of a number; the reader takes 4,300
HELD_BYTES = 64 * 1024  # that hold the loop; more is mended in a thread

LINE = b"\n"
REPLACED = rb"\ufffd"
# An escaped character, or a pair of them; half a pair is none.
ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\."
)
# Nothing is looked at twice: not a string that does not end, nor the digits of a short number.
TOKENS = re.compile(
    rb'"(?:[^"\\]++|\\.)*+"?|(?P<open>[\[{])|(?P<close>[\]}])|(?P<digits>\d{%d,}+)|\d++'
    % DIGITS_LIMIT,
    re.DOTALL,
)


async def mend_answer(answer: httpx2.Response) -> None:
    """Have an answer's body mended while it is read."""
    kind = answer.headers.get("Content-Type", "").lower()
    if kind.startswith(("application/json", "text/event-stream")):
        assert isinstance(answer.stream, httpx2.AsyncByteStream)
        answer.stream = MendedBody(answer.stream, is_stream=kind.startswith("text/"))


class MendedBody(httpx2.AsyncByteStream):
    """A body whose JSON is put right where it can be."""

    def __init__(self, inner: httpx2.AsyncByteStream, *, is_stream: bool) -> None:
        """`is_stream`: whether it is one of server-sent events, each line of which is JSON."""
        self._inner = inner
        self._is_stream = is_stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The parts: lines of a stream as they come, anything else as one."""
        rest: list[bytes] = []
        async for part in self._inner:
            head, end, tail = part.rpartition(LINE) if self._is_stream else (b"", b"", part)
            if end:
                yield await beside(mend_lines, b"".join([*rest, head, end]))
                rest.clear()
            rest.append(tail)
        if whole := b"".join(rest):
            yield await beside(mend_lines if self._is_stream else mend, whole)

    async def aclose(self) -> None:
        """Close what is beneath."""
        await self._inner.aclose()


async def beside[Done](work: Callable[[bytes], Done], text: bytes) -> Done:
    """What work makes of a text; of a large one in a thread."""
    return work(text) if len(text) <= HELD_BYTES else await to_thread.run_sync(work, text)


def mend_lines(lines: bytes) -> bytes:
    """Lines of a stream of events, each mended."""
    return LINE.join(map(mend_line, lines.split(LINE)))


def mend_line(line: bytes) -> bytes:
    """A line of a stream of events, with its data mended."""
    field, colon, value = line.partition(b":")
    return field + colon + mend(value) if field == b"data" else line


def mend(text: bytes) -> bytes:
    """JSON text as it is, or so that it can be read: half pairs of characters replaced, what is
    nested too deep left out, and numbers without end."""
    from pydantic_core import from_json  # noqa: PLC0415 (3 MiB, for who visits servers)

    try:
        from_json(text)
    except ValueError:
        whole = text.decode(errors="replace").encode()
        return _cut(ESCAPES.sub(_replace_half, whole))
    return text


def _replace_half(found: re.Match[bytes]) -> bytes:
    return REPLACED if found["half"] else found[0]


def _cut(text: bytes) -> bytes:
    """Lists and objects that are in too many others are empty."""
    kept, start, level = [], 0, 0
    for token in TOKENS.finditer(text):
        if token["digits"]:
            if level <= MOST_LEVELS:
                kept.append(text[start : token.start()] + b"0")
            start = token.end()
        elif token["open"]:
            level += 1
            if level == MOST_LEVELS + 1:
                kept.append(text[start : token.end()])
        elif token["close"]:
            if level == MOST_LEVELS + 1:
                start = token.start()
            level -= 1
    return b"".join([*kept, text[start:] if level <= MOST_LEVELS else b""])
