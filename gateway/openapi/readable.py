"""The description of the sockets as a page to read: HTML without a script, of the same document."""

import json
import re
from collections.abc import Iterable, Iterator
from html import escape

from gateway.openapi.samples import resolved, sample
from gateway.openapi.schemas import Json

STYLE = """
    :root {
      color-scheme: light dark;
      --text: #1b2430; --soft: #5b6675; --line: #dfe4ea; --page: #fff; --raised: #f6f8fa;
      --accent: #0b5fc0; --in: #13713a; --out: #8a4b08;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --text: #e4e9ef; --soft: #9ba7b5; --line: #303945; --page: #12161c; --raised: #1a2028;
        --accent: #79b3ff; --in: #6fd39a; --out: #f0b371;
      }
    }
    * { box-sizing: border-box; }
    html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
    body { margin: 0; background: var(--page); color: var(--text); line-height: 1.55;
      font-family: system-ui, sans-serif; }
    body > div { display: grid; grid-template-columns: 16rem minmax(0, 1fr); max-width: 80rem;
      margin: 0 auto; gap: 3rem; padding: 2rem 1.5rem 6rem; }
    nav { position: sticky; top: 2rem; align-self: start; max-height: calc(100vh - 4rem);
      overflow-y: auto; font-size: .9rem; }
    nav ul { list-style: none; margin: .25rem 0 1.25rem; padding: 0; }
    nav a { display: block; padding: .15rem 0; color: var(--text); text-decoration: none;
      overflow-wrap: anywhere; }
    nav strong { color: var(--soft); font-weight: 600; }
    a { color: var(--accent); }
    a:hover { text-decoration: underline; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
    h2 { font-size: 1.35rem; margin: 3rem 0 .5rem; overflow-wrap: anywhere; }
    h3 { font-size: 1.05rem; margin: 2rem 0 .25rem; overflow-wrap: anywhere; }
    article { border: 1px solid var(--line); border-radius: .6rem; padding: 0 1.25rem 1.25rem;
      margin: 1rem 0; }
    article h3 { margin-top: 1.1rem; }
    p, ul { margin: .5rem 0; }
    code, pre { font-family: ui-monospace, monospace; font-size: .875em; }
    code { background: var(--raised); border-radius: .25rem; padding: .1em .3em; }
    pre { background: var(--raised); border-radius: .5rem; padding: .9rem 1rem; margin: 1rem 0 0;
      overflow-x: auto; }
    pre code { background: none; padding: 0; }
    .table { overflow-x: auto; margin-top: .75rem; }
    table { border-collapse: collapse; width: 100%; font-size: .925rem; }
    th, td { text-align: left; vertical-align: top; padding: .45rem 1rem .45rem 0;
      border-top: 1px solid var(--line); }
    thead th { border-top: 0; color: var(--soft); font-weight: 600; }
    td:first-child, th:first-child { width: 14rem; }
    td:nth-child(2) { width: 14rem; }
    .soft { color: var(--soft); }
    td .soft { font-size: .8rem; }
    .receive, .send { font-size: .8rem; font-weight: 600; }
    .receive { color: var(--in); }
    .send { color: var(--out); }
    @media (max-width: 50rem) {
      body > div { display: block; padding: 1.25rem 1rem 4rem; }
      td:first-child, th:first-child, td:nth-child(2) { width: auto; }
      nav { position: static; max-height: none; margin-bottom: 2rem; }
    }
"""
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{title}: sockets</title>
  <link rel="icon" type="image/png" href="{root}/docs/static/favicon-32x32.png">
  <style>{style}</style>
</head>
<body>
<div>
<nav aria-label="Contents">{contents}</nav>
<main>
<h1>{title}: sockets</h1>
<p class="soft">Version {version}, AsyncAPI {asyncapi} ·
  <a href="{root}/asyncapi.json">asyncapi.json</a> · <a href="{root}/docs">REST API</a></p>
{body}
</main>
</div>
</body>
</html>
"""
WAYS = {"receive": "client → server", "send": "server → client"}

_code = re.compile(r"`([^`]+)`")
_link = re.compile(r"\[([^\]]+)\]\(((?:https?://|/)[^)\s]*)\)")


def render_channels(document: Json, root: str) -> str:
    """The page of a document that `describe_channels` has made; `root` is the path before ours."""
    parts = [_prose(document["info"]["description"])]
    parts += [_channel(channel) for channel in document["channels"].values()]
    parts += ["<h2>Messages</h2>", *_messages(document), "<h2>Schemas</h2>", *_schemas(document)]
    return PAGE.format(
        style=STYLE,
        root=escape(root),
        title=escape(document["info"]["title"]),
        version=escape(document["info"]["version"]),
        asyncapi=escape(document["asyncapi"]),
        contents=_contents(document),
        body="\n".join(parts),
    )


def _contents(document: Json) -> str:
    of_messages = [(name, f"message-{name}") for name in document["components"]["messages"]]
    of_channels = [(each["address"], _id(each)) for each in document["channels"].values()]
    of_schemas = [(name, f"schema-{name}") for name in _shared(document)]
    return "".join(
        f"<strong>{title}</strong><ul>{''.join(_entry(*each) for each in entries)}</ul>"
        for title, entries in (
            ("Sockets", of_channels),
            ("Messages", of_messages),
            ("Schemas", of_schemas),
        )
    )


def _entry(text: str, id_: str) -> str:
    return f'<li><a href="#{escape(id_)}">{escape(text)}</a></li>'


def _id(channel: Json) -> str:
    return "channel" + re.sub(r"\W+", "-", channel["address"])


def _channel(channel: Json) -> str:
    query = channel["bindings"]["ws"]["query"]
    codes = [
        (f"<code>{escape(code)}</code>", _inline(meaning))
        for code, meaning in channel["x-close-codes"].items()
    ]
    return "\n".join(
        [
            f'<h2 id="{_id(channel)}"><code>{escape(channel["address"])}</code></h2>',
            _prose(channel["summary"]),
            "<h3>Query of the handshake</h3>",
            _prose(query["description"]),
            _fields(query),
            "<h3>Close codes</h3>",
            _table(("code", "meaning"), codes),
        ]
    )


def _messages(document: Json) -> Iterator[str]:
    """Each message, with which way it goes, its fields and how it may look."""
    schemas = document["components"]["schemas"]
    ways = {
        each["$ref"].rpartition("/")[2]: operation["action"]
        for operation in document["operations"].values()
        for each in operation["messages"]
    }
    for name, message in document["components"]["messages"].items():
        payload = resolved(message["payload"], schemas)
        way = ways[name]
        text = payload.get("description", "") or message["summary"]
        shown = json.dumps(sample(payload, schemas), indent=2, ensure_ascii=False)
        yield (
            f'<article id="message-{escape(name)}"><h3>{escape(name)}</h3>'
            f'<p class="{way}">{WAYS[way]} · {escape(message["contentType"])}</p>'
            f"{_prose(text)}{_fields(payload)}"
            f"<pre><code>{escape(shown)}</code></pre></article>"
        )


def _shared(document: Json) -> list[str]:
    """The schemas that are no message's own."""
    payloads = {
        each["payload"].get("$ref", "").rpartition("/")[2]
        for each in document["components"]["messages"].values()
    }
    of_queries = {
        each["bindings"]["ws"]["query"]["title"] for each in document["channels"].values()
    }
    own = payloads | of_queries
    return [name for name in document["components"]["schemas"] if name not in own]


def _schemas(document: Json) -> Iterator[str]:
    for name in _shared(document):
        schema = document["components"]["schemas"][name]
        yield (
            f'<article id="schema-{escape(name)}"><h3>{escape(name)}</h3>'
            f"{_prose(schema.get('description', ''))}{_fields(schema)}</article>"
        )


def _fields(schema: Json) -> str:
    properties: Json = schema.get("properties", {})
    if not properties:
        return ""
    required = schema.get("required", [])
    rows = [
        (_name(name, is_required=name in required), _type(field), _inline(_description(field)))
        for name, field in properties.items()
    ]
    heads = ("field", "type", "meaning")
    if not any(meaning for *_, meaning in rows):
        return _table(heads[:2], [row[:2] for row in rows])
    return _table(heads, rows)


def _name(name: str, *, is_required: bool) -> str:
    required = ' <span class="soft">required</span>' if is_required else ""
    return f"<code>{escape(name)}</code>{required}"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Rows of HTML; a table that is too wide moves by itself, also by the keyboard."""
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{each}</td>' for each in row)}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="table" role="region" aria-label="Table" tabindex="0">{table}</div>'


def _type(schema: Json) -> str:
    """What a value may be, in words; what has a schema of its own links to it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{escape(name)}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " | ".join(f"<code>{escape(json.dumps(each))}</code>" for each in values)
    if schema.get("type") == "array":
        return f"array of {_type(schema.get('items', {}))}"
    said = schema.get("type", "anything")
    words = " or ".join(said) if isinstance(said, list) else said
    form = schema.get("format")
    return escape(f"{words} ({form})" if form else words)


def _description(schema: Json) -> str:
    inner = (_description(each) for each in schema.get("anyOf", []))
    return schema.get("description") or next(filter(None, inner), "")


def _prose(text: str) -> str:
    """Paragraphs and lists, as the descriptions of our classes have them."""
    blocks = [block for block in text.strip().split("\n\n") if block]
    return "".join(map(_block, blocks))


def _block(block: str) -> str:
    if not block.startswith("- "):
        return f"<p>{_inline(block)}</p>"
    items = re.split(r"\n(?=- )", block)
    return f"<ul>{''.join(f'<li>{_inline(item[2:])}</li>' for item in items)}</ul>"


def _inline(text: str) -> str:
    """Escaped, and then with code and links in it; a link leads to the web and nowhere else."""
    linked = _link.sub(r'<a href="\2" rel="noopener noreferrer">\1</a>', escape(text))
    return _code.sub(r"<code>\1</code>", linked)
