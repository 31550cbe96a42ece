"""Swagger UI, served from its package: no CDN is asked; and the page of the sockets."""

from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from gateway.openapi.channels import describe_channels_at
from gateway.openapi.description import describe_at
from gateway.openapi.readable import render_channels
from gateway.openapi.schemas import Json
from gateway.web.addresses import base_of
from gateway.web.examples import MARK
from gateway.web.security import page_policy
from shared.process.later import Once
from shared.settings.gateway import GatewaySettings

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{title}</title>
  <link rel="stylesheet" href="{root}/docs/static/swagger-ui.css">
  <link rel="icon" type="image/png" href="{root}/docs/static/favicon-32x32.png">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="{root}/docs/static/swagger-ui-bundle.js"></script>
  <script>
    // A field of a form that is left empty is left out: an empty text is no id.
    function leaveOutEmptyFields(request) {{
      if (request.body instanceof FormData) {{
        for (const [name, value] of [...request.body]) {{
          if (value === "") request.body.delete(name);
        }}
      }}
      return request;
    }}
    // What creates something is proposed with ids and names that nobody else has used up.
    function renewExamples(response) {{
      if (response.url.endsWith("/openapi.json")) {{
        const own = Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, "0");
        response.text = response.text.replaceAll("{mark}", own);
      }}
      return response;
    }}
    window.ui = SwaggerUIBundle({{
      url: "{root}/openapi.json",
      dom_id: "#swagger-ui",
      deepLinking: true,
      persistAuthorization: true,
      requestInterceptor: leaveOutEmptyFields,
      responseInterceptor: renewExamples,
      oauth2RedirectUrl: new URL("{root}/docs/signed-in", window.location).href,
    }});
    window.ui.initOAuth({{ clientId: "docs", usePkceWithAuthorizationCodeGrant: true }});
  </script>
</body>
</html>
"""


def documentation_routes(
    title: str, document: Once[Json], channels: Callable[[], Json]
) -> list[BaseRoute]:
    """`/`, `/docs` and what it loads, `/asyncapi`, `/openapi.json` and `/asyncapi.json`."""

    @lru_cache(maxsize=16)  # a proxy could say something else each time
    def page(root: str) -> tuple[str, str]:
        html = PAGE.format(title=title, root=root, mark=MARK)
        return html, page_policy(html)

    @lru_cache(maxsize=16)
    def channels_page(base: str) -> tuple[str, str]:
        html = render_channels(describe_channels_at(channels(), base), urlsplit(base).path)
        return html, page_policy(html)

    async def redirect_to_docs(request: Request) -> Response:
        return RedirectResponse(f"{urlsplit(_base(request)).path}/docs")

    async def show_docs(request: Request) -> Response:
        html, policy = page(urlsplit(_base(request)).path)
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async def show_channels(request: Request) -> Response:
        html, policy = channels_page(_base(request))
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async def read_description(request: Request) -> Response:
        return JSONResponse(describe_at(await document.get(), _base(request)))

    async def read_channels(request: Request) -> Response:
        return JSONResponse(describe_channels_at(channels(), _base(request)))

    async def show_signed_in(_request: Request) -> Response:
        return HTMLResponse(signed_in, headers={"Content-Security-Policy": signed_in_policy})

    signed_in = (_static() / "oauth2-redirect.html").read_text()
    signed_in_policy = page_policy(signed_in)
    return [
        Route("/", redirect_to_docs),
        Route("/docs", show_docs),
        Route("/docs/signed-in", show_signed_in),
        Route("/asyncapi", show_channels),
        Route("/openapi.json", read_description),
        Route("/asyncapi.json", read_channels),
        Mount("/docs/static", StaticFiles(directory=_static())),
    ]


def _static() -> Path:
    """Where the package has its files; it need not be loaded for that."""
    spec = find_spec("swagger_ui")
    assert spec is not None
    [folder] = spec.submodule_search_locations or []
    return Path(folder, "static")


def _base(request: Request) -> str:
    settings: GatewaySettings = request.state["settings"]
    return base_of(request, settings)
