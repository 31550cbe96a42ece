"""A small client of the gateway's REST API."""

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from attrs import field, frozen

from devstack.processes import StackError

ANSWER_SECONDS = 15.0


@frozen
class Reply:
    """A status and its JSON body, None where there is none."""

    status: int
    body: Any


@frozen
class Gateway:
    """The gateway at a URL, spoken to as the user of a token."""

    url: str
    token: str | None = field(default=None, repr=False)

    def request(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a request with a JSON body, or none, and return whatever it is answered.

        Raises StackError when nobody answers.
        """
        content = None if body is None else json.dumps(body).encode()
        return self._send(method, path, content, "application/json")

    def log_in(self, username: str, password: str) -> "Gateway":
        """The gateway as this user. Raises StackError when it refuses."""
        form = urlencode({"username": username, "password": password}).encode()
        form_type = "application/x-www-form-urlencoded"
        reply = self._send("POST", "/api/login/access-token", form, form_type)
        if reply.status != 200:  # noqa: PLR2004
            raise StackError(f"{username} cannot log in at {self.url}: {detail_of(reply)}")
        return Gateway(self.url, reply.body["access_token"])

    def _send(self, method: str, path: str, content: bytes | None, content_type: str) -> Reply:
        headers = {"Content-Type": content_type}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = Request(self.url + path, content, headers, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310
                return Reply(response.status, _json(response.read()))
        except HTTPError as refusal:
            return Reply(refusal.code, _json(refusal.read()))
        except (URLError, HTTPException, OSError, ValueError) as fault:
            reason = getattr(fault, "reason", fault)
            raise StackError(f"The gateway does not answer at {self.url}: {reason}") from None


def detail_of(reply: Reply) -> str:
    """What the gateway says is wrong."""
    detail = reply.body.get("detail") if isinstance(reply.body, dict) else None
    return detail if isinstance(detail, str) else f"status {reply.status}"


def expect(what: str, reply: Reply, *statuses: int) -> Any:
    """The body of a reply with one of these. Raises StackError for any other."""
    if reply.status not in statuses:
        raise StackError(f"{what} cannot be made: {detail_of(reply)}")
    return reply.body


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None  # not the gateway's own answer; the status says enough
