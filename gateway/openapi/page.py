"""Swagger UI, served from its package: no CDN is asked."""

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from gateway.openapi.schemas import Json
from gateway.web.examples import MARK
from gateway.web.security import page_policy

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{title}</title>
  <link rel="stylesheet" href="/docs/static/swagger-ui.css">
  <link rel="icon" type="image/png" href="/docs/static/favicon-32x32.png">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="/docs/static/swagger-ui-bundle.js"></script>
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
      url: "/openapi.json",
      dom_id: "#swagger-ui",
      deepLinking: true,
      persistAuthorization: true,
      requestInterceptor: leaveOutEmptyFields,
      responseInterceptor: renewExamples,
      oauth2RedirectUrl: new URL("/docs/static/oauth2-redirect.html", window.location).href,
    }});
  </script>
</body>
</html>
"""


def documentation_routes(title: str, document: Json, channels: Json) -> list[BaseRoute]:
    """`/` and `/docs`, `/openapi.json` and `/asyncapi.json`, and what the page loads."""

    page = PAGE.format(title=title, mark=MARK)

    async def redirect_to_docs(_request: Request) -> Response:
        return RedirectResponse("/docs")

    async def show_docs(_request: Request) -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": page_policy(page)})

    async def read_description(_request: Request) -> Response:
        return JSONResponse(document)

    async def read_channels(_request: Request) -> Response:
        return JSONResponse(channels)

    static = StaticFiles(directory=str(files("swagger_ui") / "static"))
    return [
        Route("/", redirect_to_docs),
        Route("/docs", show_docs),
        Route("/openapi.json", read_description),
        Route("/asyncapi.json", read_channels),
        Mount("/docs/static", static),
    ]
