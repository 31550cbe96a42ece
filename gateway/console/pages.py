"""The console's page and what it loads, read and compressed once, when it is first wanted."""

import gzip
import json
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from mimetypes import types_map
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from attrs import frozen
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.web.addresses import base_of
from shared.process.later import Once
from shared.settings.gateway import GatewaySettings

PATH = "/console"
SERVED = frozenset({".css", ".js", ".svg", ".txt"})
# What modules from npm call each other, and where that is.
NAMES = {
    "preact": "preact",
    "preact/hooks": "preact-hooks",
    "@preact/signals": "signals",
    "@preact/signals-core": "signals-core",
}


@frozen
class Asset:
    """One file as it is sent: `packed` by gzip, `etag` for what has not changed."""

    body: bytes
    packed: bytes
    etag: str
    media_type: str


def load_assets() -> dict[str, Asset]:
    """All files of the console by their paths below it."""
    return {path: _asset(path, file.read_bytes()) for path, file in _walk(_folder(), "")}


def console_routes(assets: Once[dict[str, Asset]]) -> list[BaseRoute]:
    """`/console`, and what the page loads."""

    @lru_cache(maxsize=16)  # a proxy could say something else each time
    def page(root: str, paths: tuple[str, ...]) -> tuple[str, str]:
        names = json.dumps(
            {"imports": {name: f"{root}/vendor/{file}.js" for name, file in NAMES.items()}}
        )
        lines = [
            *(f'<link rel="stylesheet" href="{root}/{path}">' for path in _styles(paths)),
            *(f'<link rel="modulepreload" href="{root}/{path}">' for path in _first(paths)),
        ]
        return PAGE.format(root=root, names=names, lines="\n  ".join(lines)), _policy(names)

    async def show(request: Request) -> Response:
        settings: GatewaySettings = request.state["settings"]
        root = f"{urlsplit(base_of(request, settings)).path}{PATH}"
        html, policy = page(root, tuple(await assets.get()))
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async def send(request: Request) -> Response:
        asset = (await assets.get()).get(request.path_params["path"])
        if asset is None:
            raise HTTPException(404)
        headers = {"ETag": asset.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if asset.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.packed, headers=headers, media_type=asset.media_type)
        return Response(asset.body, headers=headers, media_type=asset.media_type)

    return [Route(PATH, show), Route(f"{PATH}/{{path:path}}", send)]


def _styles(paths: Iterable[str]) -> list[str]:
    return sorted(path for path in paths if path.endswith(".css"))


def _first(paths: Iterable[str]) -> list[str]:
    """Whatever a first view needs: it is asked for at once, not module by module."""
    scripts = [path for path in paths if path.endswith(".js")]
    own = [path for path in scripts if not path.startswith(("views/", "vendor/"))]
    return sorted([*own, *(f"vendor/{file}.js" for file in (*NAMES.values(), "htm"))])


PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>GenAI console</title>
  <link rel="icon" type="image/svg+xml" href="{root}/icon.svg">
  <script type="importmap">{names}</script>
  {lines}
  <script type="module" src="{root}/main.js"></script>
</head>
<body>
  <div id="app"></div>
  <noscript>This page needs JavaScript.</noscript>
</body>
</html>
"""


def _policy(script: str) -> str:
    """What is served here and nothing else; blobs are files that the page has downloaded itself."""
    own = b64encode(sha256(script.encode()).digest()).decode()
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' 'sha256-{own}'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "media-src blob:",
            "frame-src blob:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            # HTML is made of text by what has cleaned it, or not at all.
            "require-trusted-types-for 'script'",
            "trusted-types dompurify",
        ]
    )


def _folder() -> Traversable:
    return files("gateway.console") / "web"


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for each in folder.iterdir():
        path = prefix + each.name
        if each.is_dir():
            found += _walk(each, f"{path}/")
        elif PurePosixPath(path).suffix in SERVED:
            found.append((path, each))
    return found


def _asset(path: str, body: bytes) -> Asset:
    return Asset(
        body=body,
        packed=gzip.compress(body, mtime=0),
        etag=f'"{sha256(body).hexdigest()[:16]}"',
        media_type=types_map[PurePosixPath(path).suffix],
    )
