"""Draws the dashboard for Grafana: `python -m tests.deploy.dashboard` writes its file anew."""

import json
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from tests.docs.pages import PROJECT

FILE = PROJECT / "deploy/grafana/genai-backend.json"
WIDTH, HEIGHT, COLUMNS = 8, 8, 3  # of 24 units
OF = '{namespace=~"$namespace"}'
SOURCE = {"type": "prometheus", "uid": "${source}"}


@frozen
class Panel:
    """Some curves; each is an expression and what stands beside it."""

    title: str
    unit: str
    curves: tuple[tuple[str, str], ...]
    description: str = ""


def rate(counter: str, *labels: str, where: str = "") -> tuple[str, str]:
    """How often in a second, for each value of the labels."""
    chosen = OF.replace("}", f",{where}}}") if where else OF
    by = f" by ({', '.join(labels)})" if labels else ""
    legend = " ".join(f"{{{{{label}}}}}" for label in labels)
    return f"sum{by} (rate({counter}{chosen}[$__rate_interval]))", legend or counter


def quantile(part: float, histogram: str, legend: str, *labels: str) -> tuple[str, str]:
    """Below which so much of it is, in seconds."""
    by = ", ".join(("le", *labels))
    buckets = f"sum by ({by}) (rate({histogram}_bucket{OF}[$__rate_interval]))"
    return f"histogram_quantile({part}, {buckets})", legend


def gauge(
    name: str, how: str = "sum by (instance)", legend: str = "{{instance}}"
) -> tuple[str, str]:
    """What it is now."""
    return f"{how} ({name}{OF})", legend


def process(expression: str) -> str:
    """A metric that every process has, of ours only."""
    ours = f"max by (instance, job) (genai_build_info{OF})"
    return f"({expression}) * on (instance, job) group_left () {ours}"


ROWS: dict[str, tuple[Panel, ...]] = {
    "Chats": (
        Panel("Messages", "ops", (rate("genai_messages_total", "outcome"),)),
        Panel("Requests that ended", "ops", (rate("genai_requests_ended_total", "status"),)),
        Panel(
            "Message to answer",
            "s",
            (
                quantile(0.5, "genai_request_delivery_seconds", "half"),
                quantile(0.99, "genai_request_delivery_seconds", "99 %"),
            ),
        ),
        Panel(
            "Open requests",
            "short",
            (gauge("genai_requests_open", "max by (status)", "{{status}}"),),
            "Of all bridges: each tells the same.",
        ),
        Panel(
            "Oldest waiting request",
            "s",
            (gauge("genai_requests_oldest_queued_seconds", "max", "oldest"),),
        ),
        Panel(
            "Where the time goes, 99 %",
            "s",
            (
                quantile(0.99, "genai_request_waiting_seconds", "accepted to claimed"),
                quantile(0.99, "genai_request_preparation_seconds", "claimed to sent"),
                quantile(0.99, "genai_request_invocation_seconds", "sent to answered"),
            ),
        ),
        Panel(
            "Lanes",
            "short",
            (
                gauge("genai_lanes_in_use", legend="{{instance}} in use"),
                gauge("genai_lanes_idle", legend="{{instance}} idle"),
            ),
            "In use at most ROUTER_LANES in each bridge.",
        ),
        Panel("Frames to sockets", "ops", (rate("genai_frames_total", "source"),)),
        Panel("Parts of answers", "ops", (rate("genai_parts_total", "outcome"),)),
        Panel("Log entries of agents", "ops", (rate("genai_log_entries_total", "outcome"),)),
    ),
    "Front-ends": (
        Panel("REST calls", "reqps", (rate("genai_http_requests_total", "status"),)),
        Panel(
            "REST calls that the server failed",
            "reqps",
            (rate("genai_http_requests_total", "method", "route", where='status="5xx"'),),
        ),
        Panel(
            "How long REST calls take",
            "s",
            (
                quantile(0.5, "genai_http_request_duration_seconds", "half"),
                quantile(0.99, "genai_http_request_duration_seconds", "99 %"),
            ),
        ),
        Panel("Open sockets", "short", (gauge("genai_sockets_open"),)),
        Panel("Open streams", "short", (gauge("genai_streams_open"),)),
        Panel("Sockets that ended", "ops", (rate("genai_sockets_closed_total", "code"),)),
        Panel(
            "Refused",
            "ops",
            (
                (rate("genai_sockets_refused_total")[0], "sockets"),
                (rate("genai_connections_refused_total")[0], "connections without a token"),
            ),
        ),
        Panel("Logins", "ops", (rate("genai_logins_total", "outcome"),)),
    ),
    "Agents and the router": (
        Panel("Agents at the doors", "short", (gauge("genai_door_connections"),)),
        Panel("Refused at the doors", "ops", (rate("genai_door_refused_total", "reason"),)),
        Panel(
            "Router session",
            "short",
            (
                gauge("genai_router_session_held", "sum", "bridges that hold it"),
                gauge("genai_master_agent_is_foreign", "max", "the master agent is foreign"),
            ),
            "One bridge holds it, and nobody is foreign.",
        ),
        Panel(
            "Frames of the router that were skipped",
            "ops",
            (rate("genai_router_frames_skipped_total", "connection"),),
        ),
    ),
    "Underneath": (
        Panel(
            "Connections to PostgreSQL",
            "short",
            (
                (
                    f"sum by (instance, state) (genai_database_connections{OF})",
                    "{{instance}} {{state}}",
                ),
                gauge("genai_database_connections_most", "max", "most in each"),
            ),
        ),
        Panel(
            "Lists from the standby",
            "ops",
            (rate("genai_standby_reads_total", "outcome"),),
            "Those that were behind or failed were read from the primary.",
        ),
        Panel("Secrets in older forms", "short", (gauge("genai_secrets_to_reencrypt", "max"),)),
        Panel(
            "Late through Redis, 99 %",
            "s",
            (quantile(0.99, "genai_notifications_lag_seconds", "{{instance}}", "instance"),),
        ),
        Panel(
            "Notifications that failed",
            "ops",
            (
                (rate("genai_notifications_dropped_total")[0], "dropped"),
                (rate("genai_notifications_skipped_total", "format")[0], "skipped {{format}}"),
                (f"count(genai_notifications_up{OF} == 0)", "processes that hear nothing"),
            ),
        ),
        Panel(
            "Event loop: late by, 99 %",
            "s",
            (quantile(0.99, "genai_loop_lag_seconds", "{{instance}}", "instance"),),
        ),
        Panel(
            "Event loop: by its own doing, 99 %",
            "s",
            (quantile(0.99, "genai_loop_held_seconds", "{{instance}}", "instance"),),
            "Much lag and little of this wants more cores.",
        ),
        Panel(
            "CPU",
            "percentunit",
            ((process("rate(process_cpu_seconds_total[$__rate_interval])"), "{{instance}}"),),
            "A process uses one core, except for password hashes and files.",
        ),
        Panel("Memory", "bytes", ((process("process_resident_memory_bytes"), "{{instance}}"),)),
        Panel(
            "Files and sockets, of those allowed",
            "percentunit",
            ((process("process_open_fds / process_max_fds"), "{{instance}}"),),
        ),
        Panel(
            "Log lines that nobody took",
            "ops",
            (rate("genai_log_lines_dropped_total", "instance"),),
        ),
        Panel(
            "What runs", "short", (gauge("genai_build_info", "count by (version)", "{{version}}"),)
        ),
    ),
}


def draw() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    variables = [
        {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        {
            "name": "namespace",
            "label": "Installation",
            "type": "query",
            "datasource": SOURCE,
            "query": "label_values(genai_build_info, namespace)",
            "refresh": 2,
            "includeAll": True,
            "allValue": ".*",  # of who has no such label, too
            "current": {"text": "All", "value": "$__all"},
        },
    ]
    return {
        "uid": "genai-backend",
        "title": "Gateways and agent bridges",
        "tags": ["genai-backend"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": variables},
        "panels": [{"id": number, **each} for number, each in enumerate(_panels(), 1)],
    }


def _panels() -> Iterator[dict[str, Any]]:
    y = 0
    for title, panels in ROWS.items():
        yield {"type": "row", "title": title, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}}
        y += 1
        for number, panel in enumerate(panels):
            row, column = divmod(number, COLUMNS)
            yield _draw_panel(panel, column * WIDTH, y + row * HEIGHT)
        y += -(-len(panels) // COLUMNS) * HEIGHT


def _draw_panel(panel: Panel, x: int, y: int) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"tooltip": {"mode": "multi", "sort": "desc"}, "legend": {"showLegend": True}},
        "targets": [
            {"refId": chr(ord("A") + number), "expr": expression, "legendFormat": legend}
            for number, (expression, legend) in enumerate(panel.curves)
        ],
    }


def written() -> str:
    """The text of the file."""
    return json.dumps(draw(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(written())
