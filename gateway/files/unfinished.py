"""Uploads that nobody goes on with: staged files of a folder, multipart uploads of a bucket.

Blocking; obstore begins both, and shows neither.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from attrs import frozen
from obstore.store import LocalStore, S3Store

from gateway.files.storage import StorageAwayError

CONNECT_SECONDS = 5
READ_SECONDS = 60

# Made by `make_internal_name`; nothing else is touched, whoever shares the folder or the bucket.
_ours = re.compile(r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.[a-z0-9.]*)?")
_staged = re.compile(rf"{_ours.pattern}#[0-9]+")


@frozen
class Staged:
    """A file of the folder that an upload was written to."""

    path: Path
    id: UUID


def find_staged(store: LocalStore, before: datetime) -> list[Staged]:
    """Those that nothing was written to since then. Raises StorageAwayError."""
    with _telling(OSError), os.scandir(str(store.prefix)) as entries:
        return [
            Staged(Path(entry.path), UUID(match["id"]))
            for entry in entries
            if (match := _staged.fullmatch(entry.name)) and _is_older(entry, before)
        ]


def remove_staged(files: list[Staged]) -> None:
    """Remove them, if they are there. Raises StorageAwayError."""
    with _telling(OSError):
        for file in files:
            file.path.unlink(missing_ok=True)


def _is_older(entry: os.DirEntry[str], before: datetime) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_mtime < before.timestamp()
    except FileNotFoundError:  # it has ended, or another gateway removed it
        return False


def abort_unfinished(store: S3Store, before: datetime) -> int:
    """Abort multipart uploads that began before then; how many. Raises StorageAwayError."""
    # ruff: noqa: PLC0415 (30 MB, which only a gateway with a bucket needs)
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, prefix = store.config["bucket"], f"{store.prefix}/" if store.prefix else ""
    aborted = 0
    with _telling(BotoCoreError, ClientError):
        client = _create_client()
        pages = client.get_paginator("list_multipart_uploads").paginate(
            Bucket=bucket, Prefix=prefix
        )
        for upload in (each for page in pages for each in page.get("Uploads", [])):
            key = upload["Key"]
            if upload["Initiated"] < before and _ours.fullmatch(key.removeprefix(prefix)):
                _abort(client, Bucket=bucket, Key=key, UploadId=upload["UploadId"])
                aborted += 1
    return aborted


def _abort(client: Any, **upload: str) -> None:
    try:
        client.abort_multipart_upload(**upload)
    except client.exceptions.NoSuchUpload:  # it has ended, or another gateway aborted it
        return


def _create_client() -> Any:
    """A client of what AWS_* says, as obstore reads it."""
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS)
    region = os.environ.get("AWS_REGION")
    return get_session().create_client("s3", region_name=region, config=config)


@contextmanager
def _telling(*errors: type[Exception]) -> Iterator[None]:
    try:
        yield
    except errors as error:
        raise StorageAwayError(f"{type(error).__name__}: {error}") from error
