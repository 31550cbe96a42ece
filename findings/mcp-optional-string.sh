#!/usr/bin/env bash
# One would guess: an argument of a tool that is typed "str | None" is given the string that was
#   sent.
# What happens: the Python SDK's server parses every string as JSON first, unless the type is
#   exactly "str". A string that holds a JSON object or list becomes one, and is refused as no
#   string; the text "null" becomes None. Numbers and the like stay strings. So making an argument
#   optional breaks it for some texts, in 1.30 and 2.3 alike.
# Where it matters: tools that take code, JSON or chat text, and models that answer in JSON.
set -euo pipefail
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for python in python3.12 python3; do "$python" -c '' 2>/dev/null && break; done
for release in 1.30.0 2.3.0; do
  "$python" -m venv "$tmp/$release"
  "$tmp/$release/bin/pip" install -qq --disable-pip-version-check mcp=="$release" pydantic==2.14.3
  "$tmp/$release/bin/python" - <<'EOF'
import asyncio
from importlib.metadata import version

if version("mcp").startswith("1."):
    from mcp.server.fastmcp import FastMCP as Server
    from mcp.server.fastmcp.exceptions import ToolError
else:
    from mcp.server.mcpserver import MCPServer as Server
    from mcp.server.mcpserver.exceptions import ToolError

server = Server("notes")
kept = []


@server.tool()
def keep(text: str) -> None:
    kept.append(text)


@server.tool()
def keep_optional(text: str | None = None) -> None:
    kept.append(text)


async def told(tool, text):
    try:
        await server.call_tool(tool, {"text": text})
    except ToolError as error:
        return "refused: " + str(error).splitlines()[2].split(",")[0].strip()
    return repr(kept.pop())


async def main():
    seen = {}
    for text in ('{"a": 1}', '["a"]', "null", "5", "hello"):
        assert await told("keep", text) == repr(text)
        seen[text] = await told("keep_optional", text)
        print(f"  {text:10} str: kept;  str | None: {seen[text]}")
    assert seen['{"a": 1}'].startswith("refused") and seen['["a"]'].startswith("refused")
    assert (seen["null"], seen["5"], seen["hello"]) == ("None", "'5'", "'hello'")


print("mcp", version("mcp"))
asyncio.run(main())
EOF
done
