"""The time zone of a city: the IANA zones are named for cities, and a few more are well known."""

import re
import unicodedata
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

WELL_KNOWN = {
    "Abu Dhabi": "Asia/Dubai",
    "Austin": "America/Chicago",
    "Bangalore": "Asia/Kolkata",
    "Barcelona": "Europe/Madrid",
    "Beijing": "Asia/Shanghai",
    "Boston": "America/New_York",
    "Calcutta": "Asia/Kolkata",
    "Cape Town": "Africa/Johannesburg",
    "Cologne": "Europe/Berlin",
    "Delhi": "Asia/Kolkata",
    "Frankfurt": "Europe/Berlin",
    "Geneva": "Europe/Zurich",
    "Hamburg": "Europe/Berlin",
    "Hanoi": "Asia/Ho_Chi_Minh",
    "Houston": "America/Chicago",
    "Kharkiv": "Europe/Kyiv",
    "Kiev": "Europe/Kyiv",
    "Lviv": "Europe/Kyiv",
    "Miami": "America/New_York",
    "Milan": "Europe/Rome",
    "Montreal": "America/Toronto",
    "Mumbai": "Asia/Kolkata",
    "Munich": "Europe/Berlin",
    "New Delhi": "Asia/Kolkata",
    "Odesa": "Europe/Kyiv",
    "Osaka": "Asia/Tokyo",
    "Rio de Janeiro": "America/Sao_Paulo",
    "San Francisco": "America/Los_Angeles",
    "Seattle": "America/Los_Angeles",
    "St Petersburg": "Europe/Moscow",
    "Washington": "America/New_York",
}
AREAS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe"}
    | {"Indian", "Pacific"}
)


def zone_of(city: str) -> ZoneInfo | None:
    """The city's zone, whatever its capitals, accents and blanks; None for an unknown city."""
    name = _zone_names().get(_plain(city))
    return ZoneInfo(name) if name else None


@cache
def _zone_names() -> dict[str, str]:
    zones = sorted(zone for zone in available_timezones() if zone.partition("/")[0] in AREAS)
    by_city = {_plain(zone.rpartition("/")[2]): zone for zone in zones}
    return by_city | {_plain(city): zone for city, zone in WELL_KNOWN.items()}


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[\W_]", "", letters)
