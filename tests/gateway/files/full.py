"""A folder with little room: a real one where this process may mount, else one that is told so."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

SIZE = 24 * 1024 * 1024


@frozen
class Tiny:
    """A folder with room for little; `alterations` make a gateway find it so."""

    path: Path
    alterations: tuple[str, ...]


@contextmanager
def run_tiny(path: Path) -> Iterator[Tiny]:
    """A folder of 24 MiB."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(path)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        yield Tiny(path, ("tiny_disk",))
        return
    try:
        yield Tiny(path, ())
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
