"""Rules and dashboard ask for what real processes tell Prometheus."""

from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.test_alerts import ALERTS, curves, metrics_of
from tests.system import System


def fetch(url: str) -> str:
    with urlopen(url, timeout=5) as answer:  # noqa: S310 (an address of ours)
        text: str = answer.read().decode()
    return text


def told_by(system: System, process: str) -> set[str]:
    families = text_string_to_metric_families(fetch(system.metrics[process]))
    return {each.name + "_total" * (each.type == "counter") for each in families}


def test_each_metric_that_is_asked_for_is_there(system: System) -> None:
    told = told_by(system, "gateway 1") | told_by(system, "bridge 1")
    for expression in [*curves(), *(rule["expr"] for rule in ALERTS.values())]:
        assert metrics_of(expression) <= told, expression


def test_readiness_is_counted_by_a_route_of_its_own(system: System) -> None:
    fetch(f"{system.gateway}/ready")
    text = fetch(system.metrics["gateway 1"])
    assert 'genai_http_requests_total{method="GET",route="/ready",status="2xx"}' in text
