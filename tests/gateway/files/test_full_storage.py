"""A disk without room is told as what it is, and keeps nothing of what did not fit."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from attrs import evolve

from gateway.files import storage as storing
from gateway.files.storage import FREE_BYTES, Storage, create_storage
from gateway.web.errors import StorageFullError
from shared.settings.installation import Settings
from tests.faults.altered import raise_no_space
from tests.gateway.files.full import SIZE, Tiny, run_tiny
from tests.gateway.files.test_storage import chunks, names_in, new_name
from tests.sql import run_sql
from tests.system import System
from tests.users import Json, User, connect_to, register_user

FULL = "The server has no room left for files: nothing was stored"


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    with run_tiny(tmp_path / "tiny") as tiny:
        yield tiny


async def ready(gateway: str) -> Json:
    async with connect_to(gateway) as http:
        answer = await http.get("/ready")
    assert answer.status_code == 200  # all but files goes on
    files: Json = answer.json()["files"]
    return {name: value for name, value in files.items() if name != "ms"}


async def post(user: User, size: int) -> tuple[int, Json]:
    answer = await user.http.post("/files", files={"file": ("a.bin", bytes(size))})
    return answer.status_code, answer.json()


async def test_a_full_disk_is_507_and_not_ready(bare_system: System, tiny: Tiny) -> None:
    folder = {"DEFAULT_FILES_FOLDER_NAME": str(tiny.path)}
    bare_system.start_gateway(*tiny.alterations, **folder)
    gateway = bare_system.gateway
    async with register_user(gateway) as user:
        assert await ready(gateway) == {"is_up": True}
        assert await post(user, SIZE + 1) == (507, {"detail": FULL})
        assert names_in(tiny.path) == []
        assert await ready(gateway) == {"is_up": True}  # it was only too large
        assert (await post(user, SIZE - FREE_BYTES // 2))[0] == 201
        assert await ready(gateway) == {"is_up": False, "why": "full"}
        assert await post(user, FREE_BYTES) == (507, {"detail": FULL})
        [stored] = (await user.http.get("/user/files/metadata")).json()
        assert names_in(tiny.path) == [stored["internal_name"]]
        with run_sql(bare_system.settings) as sql:
            assert sql("SELECT internal_name FROM stray_objects") == []
        assert (await user.http.delete(f"/files/{stored['id']}")).status_code == 204
        assert await ready(gateway) == {"is_up": True}
        assert (await post(user, FREE_BYTES))[0] == 201


async def test_it_is_what_obstore_says_that_tells_a_full_disk(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage: Storage = create_storage(evolve(settings, default_files_folder_name=str(tmp_path)))
    monkeypatch.setattr(storing, "put_async", raise_no_space)
    with pytest.raises(StorageFullError, match="no room left"):
        await storage.put(new_name(), chunks(b"x"))


async def test_an_upload_is_described_with_507(visitor: httpx2.AsyncClient) -> None:
    document = (await visitor.get("/openapi.json")).json()
    told = {
        (path, method)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "507" in operation.get("responses", {})
    }
    assert told == {("/files", "post"), ("/api/me/import", "post")}
