"""The stack's data folder, and the secrets in it that nobody gave: made once, then kept."""

import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path

from dotenv import dotenv_values

PROJECT = Path(__file__).resolve().parent.parent
DATA_FOLDER = PROJECT / ".devstack"
SECRETS_FILE = DATA_FOLDER / "secrets.env"
GATEWAY_FILE = DATA_FOLDER / "gateway.url"  # of the stack that runs
DEMO_USER = "demo"


def _password() -> str:
    return f"{secrets.token_urlsafe(9)}-Aa1"  # has each kind of character that is asked for


def _back_end_key() -> str:
    # In the form of the router's own default: identities are looked for within such keys.
    return f"{secrets.token_urlsafe(24)}::master_server_be"


MAKERS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "ENCRYPTION_KEYS": lambda: b64encode(secrets.token_bytes(32)).decode(),
    "MASTER_BE_API_KEY": _back_end_key,
    "MASTER_AGENT_API_KEY": lambda: f"{secrets.token_urlsafe(24)}::master_server_ml",
    "SERVICE_API_KEY": lambda: secrets.token_urlsafe(24),
    "POSTGRES_PASSWORD": lambda: secrets.token_urlsafe(24),
    "DEMO_PASSWORD": _password,
}


def read_secrets(path: Path = SECRETS_FILE) -> dict[str, str]:
    """What is kept; empty before the first start."""
    return {name: value for name, value in dotenv_values(path).items() if value}


def keep_secrets(values: Mapping[str, str], path: Path = SECRETS_FILE) -> None:
    """Write all secrets, readable by nobody else, in place of what was kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    unfinished.replace(path)


def find_gateway() -> str:
    """Where the gateway of the stack that runs is, or would be if nobody chose a port."""
    return GATEWAY_FILE.read_text() if GATEWAY_FILE.exists() else "http://localhost:8000"


def complete_secrets(given: Mapping[str, str], path: Path = SECRETS_FILE) -> dict[str, str]:
    """All secrets: the given ones, else the kept ones, else new ones, which are kept."""
    kept = read_secrets(path)
    missing = [name for name in MAKERS if name not in given and name not in kept]
    if missing:
        kept |= {name: MAKERS[name]() for name in missing}
        keep_secrets(kept, path)
    return kept | {name: given[name] for name in MAKERS if name in given}
