"""What is served of the console: small, kept by browsers, from nowhere else, and as npm has it."""

import gzip
import json
import re
from pathlib import Path

import httpx2
import pytest

from devstack.vendor import VENDOR, vendor
from gateway.console.pages import NAMES, load_assets
from tests.system import System
from tests.users import connect_to

MOST_BYTES = 250 * 1024  # compressed, all that is served


def test_all_of_it_is_small() -> None:
    assets = load_assets()
    size = sum(len(each.packed) for each in assets.values() if each.media_type != "text/plain")
    assert size < MOST_BYTES


def test_whatever_modules_load_is_there() -> None:
    assets = load_assets()
    for path, asset in assets.items():
        if not path.endswith(".js") or path.startswith("vendor/"):
            continue
        named = re.findall(r"(?:from|import)\s*\(?\s*\"([^\"\s]+)\"", asset.body.decode())
        for name in named:
            if name not in NAMES:
                assert name.startswith("."), f"{path} loads {name}"
                assert str((Path("/") / path).parent.joinpath(name).resolve())[1:] in assets, (
                    f"{path} loads {name}"
                )


def test_what_is_vendored_is_what_is_locked(tmp_path: Path) -> None:
    """npm compares what it has got with the hashes of the lock file."""
    vendor(tmp_path)
    made = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert made == {name: (VENDOR / name).read_bytes() for name in made}
    assert made.keys() >= json.loads((VENDOR / "package.json").read_text())["copied"].keys()


async def test_the_page_may_load_what_is_served_here_and_nothing_else(system: System) -> None:
    async with connect_to(system.gateway) as http:
        page = await http.get("/console")
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"https?:", policy)
    assert re.findall(r"(?:src|href)=\"(?!/console/)([^\"]+)", page.text) == []


async def test_files_are_compressed_and_asked_for_once(system: System) -> None:
    async with connect_to(system.gateway) as http:
        first = await http.get("/console/main.js")
        assert first.headers["content-encoding"] == "gzip"
        again = await http.get("/console/main.js", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        plain = await http.get("/console/main.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == first.content == load_assets()["main.js"].body
    assert gzip.decompress(load_assets()["main.js"].packed) == first.content


@pytest.mark.parametrize("path", ["nothing.js", "vendor/package.json", "../pages.py", "vendor"])
async def test_nothing_else_is_served(system: System, path: str) -> None:
    async with connect_to(system.gateway) as http:
        answer = await http.get(httpx2.URL(f"{system.gateway}/console/{path}"))
    assert answer.status_code == 404
