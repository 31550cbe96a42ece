"""What the Helm chart makes, and that all of it finds each other."""

import json
from typing import Any

import attrs
import kubernetes_validate
import pytest
import yaml

from shared import VERSION
from shared.settings.installation import Settings
from tests.deploy.dashboard import FILE as DASHBOARD
from tests.deploy.examples import (
    PAIR,
    container_of,
    each_example,
    each_of_the_pair,
    environment,
    rendered,
)
from tests.deploy.helm import CHART, RELEASE, lint, read_example
from tests.docs.exported import find_metrics
from tests.docs.pages import PROJECT

OLDEST, NEWEST = "1.27", kubernetes_validate.latest_version()
FIELDS = {each.name.upper(): each for each in attrs.fields(Settings) if "read" in each.metadata}


@each_example
def test_helm_finds_nothing_to_complain_of(name: str) -> None:
    assert lint(read_example(name)) == []


@pytest.mark.parametrize("version", [OLDEST, NEWEST], ids=["oldest", "newest"])
@each_example
def test_kubernetes_takes_all_that_is_made(name: str, version: str) -> None:
    known = [each for each in rendered(name).objects if "coreos" not in each["apiVersion"]]
    assert len(known) > 5
    for each in known:
        kubernetes_validate.validate(each, version, strict=True)


def test_the_oldest_kubernetes_that_is_checked_is_the_oldest_that_is_taken() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["kubeVersion"] == f">={OLDEST}.0-0"
    assert chart["version"] == chart["appVersion"] == VERSION


@each_example
def test_no_two_objects_have_one_name(name: str) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in rendered(name).objects]
    assert len(names) == len(set(names))
    assert all(each.startswith(f"{RELEASE}-") for _, each in names)


@pytest.mark.parametrize(
    ("name", "claim"),
    [("own-claim", f"{RELEASE}-genai-backend-files"), ("everything", "shared-files")],
)
def test_all_gateways_share_a_claim(name: str, claim: str) -> None:
    pod = rendered(name).one("Deployment", "gateway")["spec"]["template"]["spec"]
    [files] = [each for each in pod["volumes"] if each["name"] == "files"]
    assert files["persistentVolumeClaim"]["claimName"] == claim
    mounts = {each["name"]: each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
    assert mounts["files"] == f"/srv/{FIELDS['DEFAULT_FILES_FOLDER_NAME'].default}"


def test_a_claim_of_the_chart_is_for_many_and_outlives_it() -> None:
    [claim] = rendered("own-claim").of("PersistentVolumeClaim")
    assert claim["metadata"]["name"] == f"{RELEASE}-genai-backend-files"
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert rendered("everything").of("PersistentVolumeClaim") == []


def test_a_bucket_takes_the_place_of_the_folder() -> None:
    assert environment(container_of("smallest", "gateway"))["FILES_URL"] == "s3://files/genai"
    assert rendered("smallest").of("PersistentVolumeClaim") == []


@each_example
def test_every_selector_finds_the_pods_that_it_means(name: str) -> None:
    labels = {
        component: rendered(name).one("Deployment", component)["spec"]["template"]["metadata"][
            "labels"
        ]
        for component in PAIR
    }
    for kind in ("Deployment", "PodDisruptionBudget"):
        for component in PAIR:
            selector = rendered(name).one(kind, component)["spec"]["selector"]["matchLabels"]
            assert [each for each in PAIR if selector.items() <= labels[each].items()] == [
                component
            ]
    for component in PAIR:
        selector = rendered(name).one("Service", component)["spec"]["selector"]
        assert [each for each in PAIR if selector.items() <= labels[each].items()] == [component]
        spreads = rendered(name).one("Deployment", component)["spec"]["template"]["spec"]
        for spread in spreads["topologySpreadConstraints"]:
            assert spread["labelSelector"]["matchLabels"] == selector


@each_example
def test_services_and_ingresses_lead_to_ports_that_are_there(name: str) -> None:
    services = {}
    for component in PAIR:
        service = rendered(name).one("Service", component)
        ports = {each["name"] for each in container_of(name, component)["ports"]}
        assert {each["targetPort"] for each in service["spec"]["ports"]} <= ports - {"metrics"}
        services[service["metadata"]["name"]] = {each["name"] for each in service["spec"]["ports"]}
    for ingress in rendered(name).of("Ingress"):
        [rule] = ingress["spec"]["rules"]
        for path in rule["http"]["paths"]:
            backend = path["backend"]["service"]
            assert backend["port"]["name"] in services[backend["name"]]


def test_agents_reach_the_door_and_nothing_else_at_the_host_of_front_ends() -> None:
    [paths] = [
        rule["http"]["paths"]
        for rule in rendered("own-claim").one("Ingress", "bridge")["spec"]["rules"]
    ]
    assert [(each["path"], each["pathType"]) for each in paths] == [("/ws", "Exact")]
    for component in PAIR:
        spec = rendered("own-claim").one("Ingress", component)["spec"]
        assert spec["tls"] == [{"hosts": ["chat.example.com"], "secretName": "chat-tls"}]
    assert "wss://chat.example.com/ws" in rendered("own-claim").notes


def test_agents_may_have_a_host_of_their_own() -> None:
    spec = rendered("everything").one("Ingress", "bridge")["spec"]
    assert spec["tls"] == [{"hosts": ["agents.example.com"], "secretName": "agents-tls"}]
    assert [rule["host"] for rule in spec["rules"]] == ["agents.example.com"]
    assert "tls" not in rendered("everything").one("Ingress", "gateway")["spec"]


def test_a_socket_may_be_silent_for_longer_than_between_two_pings() -> None:
    annotations = rendered("own-claim").one("Ingress", "gateway")["metadata"]["annotations"]
    seconds = [
        float(value.removesuffix("s"))
        for key, value in annotations.items()
        if key.endswith(("timeout", "timeout-tunnel"))
    ]
    assert len(seconds) == 3
    assert all(each > 40 for each in seconds)


def _let_in(policy: dict[str, Any]) -> dict[str, list[Any]]:
    return {
        port["port"]: rule["from"] for rule in policy["spec"]["ingress"] for port in rule["ports"]
    }


def test_each_port_is_reached_by_those_who_are_named_only() -> None:
    given = read_example("everything")["networkPolicy"]
    of = {each: rendered("everything").one("NetworkPolicy", each) for each in PAIR}
    assert _let_in(of["gateway"]) == {"http": given["proxies"], "metrics": given["prometheus"]}
    assert _let_in(of["bridge"]) == {
        "agents": given["proxies"] + given["agents"],
        "metrics": given["prometheus"],
    }
    assert rendered("everything").one("NetworkPolicy", "migration")["spec"]["ingress"] == []


def test_a_port_for_which_nobody_is_named_is_closed() -> None:
    for component in PAIR:
        policy = rendered("own-claim").one("NetworkPolicy", component)
        assert "metrics" not in _let_in(policy)
        assert all(_let_in(policy).values()), "a rule without peers lets everybody in"


def test_only_bridges_reach_the_router() -> None:
    spec = rendered("everything").one("NetworkPolicy", "router")["spec"]
    assert spec["podSelector"]["matchLabels"] == {"app": "router"}
    bridges = rendered("everything").one("Deployment", "bridge")["spec"]["selector"]
    assert spec["ingress"] == [{"from": [{"podSelector": bridges}]}]


def test_pods_are_counted_by_what_the_services_measure() -> None:
    metrics = {
        component: [
            each["pods"]["metric"]["name"] if each["type"] == "Pods" else each["resource"]["name"]
            for each in rendered("everything").one("HorizontalPodAutoscaler", component)["spec"][
                "metrics"
            ]
        ]
        for component in PAIR
    }
    assert metrics == {"gateway": ["cpu", "genai_sockets_open"], "bridge": ["genai_lanes_in_use"]}
    assert {"genai_sockets_open", "genai_lanes_in_use"} <= find_metrics().keys()


@each_of_the_pair
def test_who_is_scaled_by_measure_has_no_number_of_its_own(component: str) -> None:
    deployment = rendered("everything").one("Deployment", component)
    assert "replicas" not in deployment["spec"]
    target = rendered("everything").one("HorizontalPodAutoscaler", component)["spec"][
        "scaleTargetRef"
    ]
    assert target["name"] == deployment["metadata"]["name"]
    assert rendered("smallest").one("Deployment", component)["spec"]["replicas"] == 2


def test_prometheus_and_grafana_get_what_is_in_their_folders() -> None:
    [rules] = rendered("everything").of("PrometheusRule")
    assert rules["spec"] == yaml.safe_load((PROJECT / "deploy/prometheus/alerts.yaml").read_text())
    [dashboard] = rendered("everything").of("ConfigMap")
    assert json.loads(dashboard["data"]["genai-backend.json"]) == json.loads(DASHBOARD.read_text())
    [monitor] = rendered("everything").of("PodMonitor")
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("metrics", "/metrics")
    for each in (rules, monitor):
        assert each["metadata"]["labels"]["release"] == "prometheus"


def test_the_notes_say_how_it_is_administered() -> None:
    line = "exec -it deploy/demo-genai-backend-gateway -- python -m gateway.admin health"
    assert line in rendered("own-claim").notes


def test_the_notes_say_how_many_connections_postgresql_gets() -> None:
    # At most 20 gateways and 10 bridges, and one of each that comes before another goes.
    assert f"up to {(20 + 10 + 2) * (20 + 2)} connections" in rendered("everything").notes
