"""An S3-compatible server on loopback, with a bucket."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from attrs import frozen

from devstack.processes import HOST, Child, free_port, start_child, stopping, wait_until_ready
from tests.system import PROJECT

NAME = "bucket"
PREFIX = "prefix"


@frozen
class Bucket:
    """A bucket; `variables` are those of a gateway that keeps files in it."""

    endpoint: str
    child: Child

    @property
    def variables(self) -> dict[str, str]:
        """FILES_URL and the usual variables of AWS."""
        return {
            "FILES_URL": f"s3://{NAME}/{PREFIX}",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }

    def unfinished(self) -> int:
        """How many uploads were begun and neither completed nor aborted."""
        return self._get("?uploads").count("<UploadId>")

    def has(self, name: str) -> bool:
        """Whether there is an object with this name under the prefix."""
        return f"<Key>{PREFIX}/{name}</Key>" in self._get("?list-type=2")

    def names(self) -> list[str]:
        """The objects under the prefix, in order."""
        return re.findall(f"<Key>{PREFIX}/([^<]*)</Key>", self._get("?list-type=2"))

    def _get(self, query: str) -> str:
        answer = httpx2.get(f"{self.endpoint}/{NAME}{query}")
        assert answer.status_code == 200, answer.text
        return answer.text


@contextmanager
def run_bucket(folder: Path) -> Iterator[Bucket]:
    """A server with an empty bucket."""
    port = free_port()
    # Not with warnings as errors: the server's own are not ours to mend.
    command = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(port)]
    log = folder / "s3.log"
    child = start_child("S3", command, log, environment=os.environ, folder=PROJECT)
    endpoint = f"http://{HOST}:{port}"

    def ready() -> bool:
        try:
            return httpx2.put(f"{endpoint}/{NAME}").status_code == 200
        except httpx2.ConnectError:
            return False

    with stopping(child):
        wait_until_ready(child, ready)
        yield Bucket(endpoint, child)
