"""Copies what the console is shown with from npm's packages into the repository, as it is locked.

`python -m devstack.vendor [FOLDER]`: into FOLDER, by default where the console is served from.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

VENDOR = Path("gateway/console/web/vendor")
LOCKED = ("package.json", "package-lock.json", ".npmrc")
LICENCES = "LICENSES.txt"


def vendor(target: Path) -> None:
    """Fill the target with the files that package.json lists, and the licences of all packages.

    npm compares each package with the hash in package-lock.json, and fails where it differs.
    """
    with TemporaryDirectory() as name:
        work = Path(name)
        for locked in LOCKED:
            shutil.copy(VENDOR / locked, work)
        npm = str(Path(sys.executable).parent / "npm")
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run([npm, "ci", *quiet], cwd=work, check=True)
        packages = work / "node_modules"
        copied: dict[str, str] = json.loads((work / "package.json").read_text())["copied"]
        for file, source in copied.items():
            text = _without_map((packages / source).read_text())
            (target / file).write_text(text + _export(source))
        (target / LICENCES).write_text(_licences(packages))


def _without_map(text: str) -> str:
    """The text without the comment that names a source map, which is not served."""
    return re.sub(r"\s*//# sourceMappingURL=\S+\s*$", "\n", text)


def _export(source: str) -> str:
    """What makes a module of a script that leaves one variable, called like its file."""
    name, _, kind = Path(source).name.partition(".")
    return f"export {{ {name} as default }};\n" if kind.startswith("iife.") else ""


def _licences(packages: Path) -> str:
    found = sorted({*packages.glob("*/LICENSE*"), *packages.glob("@*/*/LICENSE*")})
    return "\n".join(
        f"{file.parent.relative_to(packages)}: {file.name}\n\n{file.read_text().strip()}\n"
        for file in found
    )


def main(arguments: Sequence[str]) -> None:
    """Copy them."""
    vendor(Path(arguments[0]) if arguments else VENDOR)


if __name__ == "__main__":
    main(sys.argv[1:])
