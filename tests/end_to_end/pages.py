"""What a reader of the pages does: types their lines into a shell, and saves their files."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from shutil import copytree
from typing import Literal

import psutil
from attrs import define, frozen

from tests.system import PROJECT
from tests.users import FRAME_SECONDS

END_OF_BLOCK = "end of block"
LINE_BYTES = 1 << 20  # a list of the REST API is one line
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLED = re.compile(r"python3 -m venv (\S+) && \1/bin/pip install \"(.*)\"\n")
FILE = re.compile(r"# (\S+\.py)\n")

type Language = Literal["sh", "python", "console", "yaml", "js", "jsx", ""]


@frozen
class Block:
    """A fenced block of a page."""

    language: str
    text: str


def read_blocks(page: str) -> list[Block]:
    """The blocks of a page of the project, in order."""
    return [Block(*found) for found in FENCED.findall((PROJECT / page).read_text())]


@define
class Reader:
    """Somebody in the project's folder, in a shell, while `make run` runs elsewhere."""

    folder: Path
    environments: dict[str, Path]
    """The Python environment in place of the one that would be installed, by requirement."""
    addresses: dict[str, str]
    """What is there, in place of the addresses that `make run` has by default."""
    shell: asyncio.subprocess.Process

    @property
    def programs(self) -> int:
        """How many programs run in the background of the shell."""
        return sum(map(_runs, psutil.Process(self.shell.pid).children()))

    async def do(self, block: Block) -> str:
        """Do what a block says, and return what the shell printed; `make run` runs already."""
        if block.language == "python":
            self._save(block.text)
        elif block.language == "sh" and (found := INSTALLED.fullmatch(block.text)):
            self._install(*found.groups())
        elif block.language == "sh" and block.text != "make run\n":
            return await self._type(block.text)
        return ""

    def _save(self, text: str) -> None:
        """Save a file; its first line names it."""
        found = FILE.match(text)
        assert found, text
        (self.folder / found[1]).write_text(text)

    def _install(self, folder: str, requirement: str) -> None:
        """Make an environment that has what the other one has."""
        (place := self.folder / folder).mkdir()
        for each in self.environments[requirement].iterdir():
            (place / each.name).symlink_to(each)

    async def _type(self, lines: str) -> str:
        for default, address in self.addresses.items():
            lines = lines.replace(default, address)
        assert self.shell.stdin
        self.shell.stdin.write(f"{lines}\necho {END_OF_BLOCK} $?\n".encode())
        async with asyncio.timeout(FRAME_SECONDS):
            printed = await self._read_block()
        output, _, status = printed.rpartition(END_OF_BLOCK)
        assert status.strip() == "0", f"{lines}\n{printed}"
        return output

    async def _read_block(self) -> str:
        assert self.shell.stdout
        printed = ""
        while END_OF_BLOCK not in printed:
            line = await self.shell.stdout.readline()
            assert line, f"the shell has ended: {printed}"
            printed += line.decode()
        return printed


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@asynccontextmanager
async def read_along(
    parent: Path,
    *,
    secrets: dict[str, str],
    gateway: str,
    door: str,
    environments: dict[str, Path],
) -> AsyncIterator[Reader]:
    """A reader in a copy of the project's folder, as `make run` leaves it.

    What was started in the shell ends with the block.
    """
    (folder := parent / "project").mkdir()
    copytree(PROJECT / "devstack", folder / "devstack")
    (folder / ".venv").symlink_to(PROJECT / ".venv")
    (data := folder / ".devstack").mkdir()
    (data / "gateway.url").write_text(gateway)
    (data / "secrets.env").write_text("".join(f"{key}={value}\n" for key, value in secrets.items()))
    shell = await asyncio.create_subprocess_exec(
        "sh",
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        limit=LINE_BYTES,
    )
    addresses = {"http://127.0.0.1:8000": gateway, "ws://127.0.0.1:8090/ws": door}
    try:
        yield Reader(folder, environments, addresses, shell)
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        await shell.communicate()
