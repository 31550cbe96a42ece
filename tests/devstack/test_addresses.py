"""Where `make run` looks for what it has started, whatever that was told to listen at."""

import pytest

from devstack.addresses import agents_url_of, url_of


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104 (what it is told)
        ("::", "http://[::1]:8000"),
        ("[::1]", "http://[::1]:8000"),
        ("192.168.1.7", "http://192.168.1.7:8000"),
        ("localhost", "http://localhost:8000"),
    ],
)
def test_a_service_is_found_where_it_listens(host: str, url: str) -> None:
    assert url_of({"GATEWAY_HOST": host, "GATEWAY_PORT": "8000"}, "GATEWAY") == url


def test_agents_connect_to_the_door_or_to_the_router_where_that_is_closed() -> None:
    router = "ws://192.168.1.7:8080/ws"
    environment = {"AGENTS_HOST": "0.0.0.0", "ROUTER_WS_URL": router}  # noqa: S104 (what it is told)
    assert agents_url_of({**environment, "AGENTS_PORT": "8090"}) == "ws://127.0.0.1:8090/ws"
    assert agents_url_of({**environment, "AGENTS_PORT": "0"}) == router
