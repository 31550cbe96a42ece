"""Files of certificates and keys, looked at before a driver trips over them."""

import os
import ssl
import stat
from pathlib import Path

SYSTEM = "system"

# What libpq lets others do with a key: nothing; of root's, the group may read it.
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_OF_ROOT = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO


def system_roots() -> str | None:
    """The file of the CAs that this machine trusts, if it has one."""
    return ssl.get_default_verify_paths().cafile


def read_roots(text: str, must_be: str) -> str:
    """The path of a file of CAs' certificates; `system` is this machine's.

    Each driver comes with its own idea of where that is. Raises ValueError, which begins with the
    words given.
    """
    path = system_roots() if text == SYSTEM else text
    if path is None:
        raise ValueError(f"{must_be} a file: the system has none")
    _require_certificates(path, f"{must_be} a file of PEM certificates, or system")
    return path


def check_key_pair(certificate: str, key: str, password: str) -> None:
    """Raises ValueError where one can't be read, others can read the key, or it does not fit."""
    _require_certificates(certificate, "must have an sslcert that is a file of PEM certificates")
    try:
        with Path(key).open("rb") as opened:
            status = os.fstat(opened.fileno())
    except OSError as error:
        raise ValueError(f"must have an sslkey that can be read: {error.strerror}") from None
    if status.st_mode & (_OTHERS if status.st_uid else _OTHERS_OF_ROOT):
        raise ValueError("must have an sslkey that nobody else can read: chmod 600")
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(certificate, key, password=lambda: password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ValueError("must have an sslkey that fits its sslcert") from None
        raise ValueError(
            "must have an sslkey that is a PEM file, and its sslpassword if it is encrypted"
        ) from None


def _require_certificates(path: str, must_be: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise ValueError(f"{must_be}: it holds something else") from None
    except OSError as error:
        raise ValueError(f"{must_be}: {error.strerror}") from None
