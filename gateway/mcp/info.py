"""What an MCP server says of itself, as far as it is kept and shown."""

from collections.abc import Mapping
from typing import Any

from gateway.remote.texts import storable

TEXT_LIMIT = 1000  # characters
INSTRUCTIONS_LIMIT = 16 * 1024  # characters
ICONS_LIMIT = 10
ICON_LIMIT = 16 * 1024  # characters of its URL, which may hold it whole

TEXTS = ("name", "title", "version", "description", "websiteUrl")
ICON_SCHEMES = ("https://", "http://", "data:image/")
ICON_TEXTS = ("mimeType", "theme")


def read_info(info: Mapping[str, Any], instructions: object, version: str | None) -> dict[str, Any]:
    """Its name and what goes with it, by the protocol's words; what is none is left out."""
    texts = {name: _read_text(info.get(name), TEXT_LIMIT) for name in TEXTS}
    stated = info.get("icons")
    icons = [_read_icon(one) for one in stated[:ICONS_LIMIT]] if isinstance(stated, list) else []
    kept = {
        **texts,
        "icons": [icon for icon in icons if icon],
        "instructions": _read_text(instructions, INSTRUCTIONS_LIMIT),
        "protocolVersion": version,
    }
    return {name: value for name, value in kept.items() if value}


def _read_text(value: object, limit: int) -> str:
    return storable(value[:limit]) if isinstance(value, str) else ""


def _read_icon(icon: object) -> dict[str, Any] | None:
    """One that browsers can show; a part of a URL is none."""
    source = icon.get("src") if isinstance(icon, dict) else None
    if not isinstance(icon, dict) or not isinstance(source, str) or len(source) > ICON_LIMIT:
        return None
    if not source.lower().startswith(ICON_SCHEMES):
        return None
    kept = {name: _read_text(icon.get(name), TEXT_LIMIT) for name in ICON_TEXTS}
    sizes = icon.get("sizes")
    sizes = sizes.split() if isinstance(sizes, str) else sizes  # as it was at first
    sizes = [_read_text(size, TEXT_LIMIT) for size in sizes] if isinstance(sizes, list) else []
    found = {"src": _read_text(source, ICON_LIMIT), **kept, "sizes": sizes[:ICONS_LIMIT]}
    return {name: value for name, value in found.items() if value}
