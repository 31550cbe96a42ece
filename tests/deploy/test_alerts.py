"""The alerts go off when they should, on recorded series, and say where to read on."""

import re
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
import yaml

from tests.deploy.dashboard import FILE, draw, written
from tests.deploy.recorded import (
    BRIDGE,
    GATEWAY,
    HEALTHY,
    OTHER,
    Trouble,
    as_test,
    growing,
    grown_once,
    histogram,
    still,
)
from tests.docs.exported import find_metrics
from tests.docs.links import find_anchors
from tests.docs.pages import DOCS, PAGES, PROJECT, read_rows
from tests.end_to_end.proxy import find_program

RULES = PROJECT / "deploy/prometheus/alerts.yaml"
PAGE = DOCS / "reference/alerts.md"
[GROUP] = yaml.safe_load(RULES.read_text())["groups"]
ALERTS: dict[str, dict[str, Any]] = {rule["alert"]: rule for rule in GROUP["rules"]}
OF_PROCESSES = {  # of the library, on Linux
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
}
AT = "62m"  # of two hours; what has happened once has happened two minutes ago

TROUBLES = {
    "GenaiNoGateway": Trouble({}, gone=("genai_sockets_open",)),
    "GenaiNoBridge": Trouble({}, gone=("genai_router_session_held",)),
    "GenaiNoRouterSession": Trouble({f"genai_router_session_held{{{BRIDGE}}}": still(0)}),
    "GenaiTwoRouterSessions": Trouble({f"genai_router_session_held{{{OTHER}}}": still(1)}),
    "GenaiMasterAgentIsForeign": Trouble({f"genai_master_agent_is_foreign{{{OTHER}}}": still(1)}),
    "GenaiRequestsWait": Trouble({f"genai_requests_oldest_queued_seconds{{{BRIDGE}}}": still(31)}),
    "GenaiRequestsFail": Trouble(
        {f'genai_requests_ended_total{{{OTHER},status="timed_out"}}': growing(9)}
    ),
    "GenaiHttpFails": Trouble(
        {f'genai_http_requests_total{{{GATEWAY},route="/api/agents",status="5xx"}}': growing(9)}
    ),
    "GenaiNotReady": Trouble(
        {
            f'genai_http_requests_total{{{GATEWAY},route="/ready",status="2xx"}}': still(100),
            f'genai_http_requests_total{{{GATEWAY},route="/ready",status="5xx"}}': growing(15),
        },
        "gateway-1",
    ),
    "GenaiNotificationsDown": Trouble({f"genai_notifications_up{{{OTHER}}}": still(0)}, "bridge-2"),
    "GenaiNotificationsLate": Trouble(
        histogram("genai_notifications_lag_seconds", GATEWAY, 15, "0.005", "0.25", upper="1.0"),
        "gateway-1",
    ),
    "GenaiNotificationsDropped": Trouble(
        {f"genai_notifications_dropped_total{{{GATEWAY}}}": grown_once(3)}, "gateway-1"
    ),
    "GenaiPoolIsEmpty": Trouble(
        {f'genai_database_connections{{{BRIDGE},state="in_use"}}': still(9)}, "bridge-1"
    ),
    "GenaiLoopIsLate": Trouble(
        histogram("genai_loop_lag_seconds", BRIDGE, 750, "0.0025", "0.1", upper="0.25"), "bridge-1"
    ),
    "GenaiFilesRunOut": Trouble({f"process_open_fds{{{BRIDGE}}}": still(60000)}, "bridge-1"),
    "GenaiDoorIsTried": Trouble(
        {f'genai_door_refused_total{{{BRIDGE},reason="token"}}': growing(2)}
    ),
    "GenaiPasswordsAreTried": Trouble(
        {f'genai_logins_total{{{GATEWAY},outcome="too_many"}}': growing(2)}
    ),
    "GenaiLogEntriesDropped": Trouble(
        {f'genai_log_entries_total{{{OTHER},outcome="dropped"}}': growing(20)}
    ),
    "GenaiLogLinesDropped": Trouble(
        {f"genai_log_lines_dropped_total{{{OTHER}}}": grown_once(1)}, "bridge-2"
    ),
    "GenaiVersionsDiffer": Trouble({f'genai_build_info{{{BRIDGE},version="0.2.0"}}': still(1)}),
}
each_alert = pytest.mark.parametrize("name", ALERTS)


def promtool(*arguments: str | Path) -> str:
    """What it says; it has to be content."""
    done = run([find_program("promtool"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def going_off(name: str, trouble: Trouble) -> dict[str, Any]:
    """The alert as Prometheus sends it."""
    rule = ALERTS[name]
    labels = dict(rule["labels"])
    if trouble.instance:
        labels["instance"] = trouble.instance
        if "by (namespace, instance" not in rule["expr"]:
            labels["job"] = "genai"
    return {"exp_labels": labels, "exp_annotations": rule["annotations"]}


def prove(folder: Path, *tests: dict[str, Any]) -> None:
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": list(tests)}))
    promtool("test", "rules", path)


def metrics_of(expression: str) -> set[str]:
    names = set(re.findall(r"\b(?:genai|process)_\w+", expression))
    return {re.sub(r"_bucket$", "", name) for name in names}


def curves() -> list[str]:
    return [target["expr"] for panel in draw()["panels"] for target in panel.get("targets", [])]


def test_prometheus_takes_the_rules() -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", RULES)


def test_no_alert_goes_off_where_all_is_well(tmp_path: Path) -> None:
    silent = [{"eval_time": AT, "alertname": name, "exp_alerts": []} for name in ALERTS]
    prove(tmp_path, as_test(HEALTHY, silent))


@each_alert
def test_an_alert_goes_off_for_its_trouble_and_no_other_does(name: str, tmp_path: Path) -> None:
    trouble = TROUBLES[name]
    alerts = [
        {
            "eval_time": AT,
            "alertname": each,
            "exp_alerts": [going_off(name, trouble)] if each == name else [],
        }
        for each in ALERTS
    ]
    prove(tmp_path, as_test(trouble.series(), alerts))


def test_each_alert_has_its_section_which_it_names() -> None:
    headings = re.findall(r"^## (.+)$", PAGES[PAGE], re.MULTILINE)
    assert headings == list(ALERTS)
    for name, rule in ALERTS.items():
        path, anchor = rule["annotations"]["runbook"].split("#")
        assert PROJECT / path == PAGE
        assert anchor == name.lower()
        assert anchor in find_anchors(PAGES[PAGE])
        assert rule["labels"]["severity"] in {"critical", "warning"}


@each_alert
def test_an_alert_looks_at_what_the_services_tell(name: str) -> None:
    used = metrics_of(ALERTS[name]["expr"])
    assert used
    assert used <= find_metrics().keys() | OF_PROCESSES


def test_what_is_chosen_by_a_label_is_a_value_that_its_metric_has() -> None:
    rows = read_rows(DOCS / "reference/watching.md")
    told = {name: row for row in rows for name in re.findall(r"`(genai_\w+)`", row[0])}
    chosen = [
        (name, label, value)
        for expression in [*curves(), *(rule["expr"] for rule in ALERTS.values())]
        for name, matchers in re.findall(r"(genai_\w+)\{([^}]*)\}", expression)
        for label, values in re.findall(r'(\w+)!?=~?"([^"]*)"', matchers)
        for value in values.split("|")
        if label not in {"namespace", "route"}
    ]
    assert len(chosen) > 8
    for name, label, value in chosen:
        assert f"`{label}`" in told[name][1]
        assert f"`{value}`" in told[name][2]


def test_the_dashboard_shows_all_that_the_services_tell_and_nothing_else() -> None:
    shown = {name for expression in curves() for name in metrics_of(expression)}
    assert shown == find_metrics().keys() | OF_PROCESSES


def test_histograms_are_read_by_their_buckets_and_counters_by_their_rate() -> None:
    types = find_metrics()
    for expression in [*curves(), *(rule["expr"] for rule in ALERTS.values())]:
        for name in metrics_of(expression) & types.keys():
            if types[name] == "histogram":
                assert f"{name}_bucket" in expression
            if types[name] in {"histogram", "counter"}:
                assert re.search(rf"(rate|increase)\({name}", expression)


def test_prometheus_takes_what_the_dashboard_asks(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, expression in enumerate(curves())
    ]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", path)


def test_the_dashboard_is_drawn_anew_by_make_docs() -> None:
    assert FILE.read_text() == written()


def test_no_two_panels_overlap() -> None:
    places = [panel["gridPos"] for panel in draw()["panels"]]
    taken = [
        (x, y)
        for each in places
        for x in range(each["x"], each["x"] + each["w"])
        for y in range(each["y"], each["y"] + each["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
