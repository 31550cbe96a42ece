"""Opening the place where the bytes of files are."""

from datetime import timedelta

from obstore.store import LocalStore, S3Store


def open_store(folder: str, url: str | None, *, mkdir: bool = True) -> LocalStore | S3Store:
    """The bucket of the URL, with what AWS_* says of it, or the folder where there is none."""
    if url is None:
        return LocalStore(folder, mkdir=mkdir)
    return S3Store.from_url(
        url,
        client_options={"connect_timeout": "5s", "timeout": "60s", "allow_http": True},
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=15)},
    )
