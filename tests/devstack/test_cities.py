"""The sample agent's knowledge of cities."""

from datetime import UTC, datetime

import pytest

from devstack.cities import WELL_KNOWN, zone_of
from devstack.sample_agent import describe_time

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("city", "zone"),
    [
        ("Kyiv", "Europe/Kyiv"),
        ("Kiev", "Europe/Kyiv"),
        ("new york", "America/New_York"),
        ("NewYork", "America/New_York"),
        ("São Paulo", "America/Sao_Paulo"),
        ("San Francisco", "America/Los_Angeles"),
        ("Washington", "America/New_York"),
        ("Beijing", "Asia/Shanghai"),
        ("Mumbai", "Asia/Kolkata"),
        ("St. Petersburg", "Europe/Moscow"),
    ],
)
def test_a_city_has_its_zone(city: str, zone: str) -> None:
    found = zone_of(city)
    assert found
    assert found.key == zone


@pytest.mark.parametrize("city", ["Atlantis", "", "UTC", "../etc/passwd"])
def test_what_is_no_known_city_has_no_zone(city: str) -> None:
    assert zone_of(city) is None


def test_every_well_known_city_has_a_zone_that_exists() -> None:
    assert all(zone_of(city) for city in WELL_KNOWN)


def test_the_time_is_that_of_the_city() -> None:
    assert describe_time("Kyiv", NOON) == (
        "In Kyiv it is 14:00 on Thursday, 15 January 2026 (Europe/Kyiv, EET)."
    )


def test_an_unknown_city_is_said_to_be_unknown() -> None:
    assert describe_time("Atlantis", NOON) == "I do not know a time zone for 'Atlantis'."
