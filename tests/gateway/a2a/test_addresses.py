"""Where cards are looked for."""

import pytest

from gateway.a2a.addresses import find_places, find_places_again
from gateway.remote.urls import read_url

NEW, OLD = "/.well-known/agent-card.json", "/.well-known/agent.json"


def looked_for(given: str) -> list[tuple[str, str]]:
    return [(place.address, place.card_url) for place in find_places(read_url(given))]


@pytest.mark.parametrize("given", ["https://h", "https://h/", "HTTPS://H:443/#part"])
def test_a_host_s_card_is_at_its_usual_paths(given: str) -> None:
    assert looked_for(given) == [("https://h", f"https://h{NEW}"), ("https://h", f"https://h{OLD}")]


@pytest.mark.parametrize("given", ["https://h/weather", "https://h/weather/"])
def test_what_is_at_the_address_goes_before_what_is_at_its_host(given: str) -> None:
    assert looked_for(given) == [
        ("https://h/weather", f"https://h/weather{NEW}"),
        ("https://h/weather", f"https://h/weather{OLD}"),
        ("https://h", f"https://h{NEW}"),
        ("https://h", f"https://h{OLD}"),
        (given.rstrip("/"), given),
    ]


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (f"https://h/weather{NEW}", "https://h/weather"),
        (f"https://h{OLD}", "https://h"),
        ("https://h/cards/weather.json", "https://h/cards/weather.json"),
    ],
)
def test_a_card_s_own_url_goes_before_all(given: str, address: str) -> None:
    assert looked_for(given)[0] == (address, given)


def test_a_query_stays_with_the_address_and_a_path_stays_as_it_is_written() -> None:
    places = looked_for("https://h/a%2Fb?agent=weather")
    assert places[0] == ("https://h/a%2Fb?agent=weather", f"https://h/a%2Fb{NEW}?agent=weather")
    assert places[2] == ("https://h", f"https://h{NEW}")
    assert looked_for(f"https://h{NEW}?agent=weather")[0] == (
        "https://h/?agent=weather",
        f"https://h{NEW}?agent=weather",
    )


@pytest.mark.parametrize("given", ["https://h/" + "a/" * 500, f"https://h{NEW}", "https://h?x=1"])
def test_so_many_places_at_most(given: str) -> None:
    assert 0 < len(looked_for(given)) <= 5


def test_a_known_agent_s_card_is_not_looked_for_at_its_host() -> None:
    places = find_places_again("https://h/weather", f"https://h/weather{OLD}")
    assert [place.card_url for place in places] == [
        f"https://h/weather{OLD}",
        f"https://h/weather{NEW}",
        "https://h/weather",
    ]
    assert {place.address for place in places} == {"https://h/weather"}
