"""Sends a recorded call, and reads the answer in the form that recordings have."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

import httpx2

from tests.contract.cases import Answer, Call

BOUNDARY = "B"


async def send(http: httpx2.AsyncClient, call: Call) -> Answer:
    """Send a call whose values are ours already."""
    headers = dict(call.headers)
    if headers.get("Content-Type", "").startswith("multipart/"):
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
    answer = await http.request(
        call.method, call.path, params=call.query, headers=headers, content=_encode(call.body)
    )
    return Answer(answer.status_code, dict(answer.headers), _read(answer))


def _encode(body: Any) -> bytes:
    match body:
        case None:
            return b""
        case {"raw": str(text)}:
            return text.encode()
        case {"form": dict(fields)}:
            return urlencode(fields).encode()
        case {"multipart": dict(parts)}:
            return b"".join(_encode_part(*part) for part in parts.items()) + b"--B--\r\n"
        case _:
            return json.dumps(body).encode()


def _encode_part(name: str, part: Any) -> bytes:
    if isinstance(part, str):
        part = {"filename": None, "content": part, "content_type": None}
    disposition = f'Content-Disposition: form-data; name="{name}"'
    if part["filename"] is not None:
        disposition += f'; filename="{part["filename"]}"'
    kind = f"\r\nContent-Type: {part['content_type']}" if part["content_type"] else ""
    head = f"--{BOUNDARY}\r\n{disposition}{kind}\r\n\r\n".encode()
    content: str = part["content"]
    return head + content.encode("latin-1") + b"\r\n"


def _read(answer: httpx2.Response) -> Any:
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if not answer.content:
        return None
    if kind == "application/json":
        return answer.json()
    if kind == "text/html":
        return "<html page>"
    if kind.startswith("text/"):
        return answer.text
    if kind == "application/octet-stream" or kind.startswith("image/"):
        return {"base64": b64encode(answer.content).decode(), "length": len(answer.content)}
    return answer.text
