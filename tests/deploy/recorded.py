"""What Prometheus has recorded of an installation, in the form in which promtool takes it."""

from typing import Any

from attrs import frozen

INTERVAL = "15s"
LONG = 480  # of those: two hours
GATEWAY = 'instance="gateway-1",job="genai"'
BRIDGE = 'instance="bridge-1",job="genai"'
OTHER = 'instance="bridge-2",job="genai"'

type Series = dict[str, str]


def still(value: float) -> str:
    """A series that stays what it is."""
    return f"{value:g}x{LONG}"


def growing(step: float) -> str:
    """A counter that grows by so much in 15 seconds."""
    return f"0+{step:g}x{LONG}"


def grown_once(value: float) -> str:
    """A counter that grows after an hour, and stays."""
    return f"0x240 {value:g}x240"


def histogram(name: str, labels: str, step: float, *empty: str, upper: str) -> Series:
    """All that is measured falls below the upper bound, and nothing below those that are empty."""
    return {
        **{f'{name}_bucket{{{labels},le="{bound}"}}': still(0) for bound in empty},
        **{f'{name}_bucket{{{labels},le="{bound}"}}': growing(step) for bound in (upper, "+Inf")},
    }


def _process(labels: str, version: str = "0.1.0") -> Series:
    return {
        f'genai_build_info{{{labels},version="{version}"}}': still(1),
        f"genai_notifications_up{{{labels}}}": still(1),
        **histogram("genai_notifications_lag_seconds", labels, 15, upper="0.005"),
        f"genai_notifications_dropped_total{{{labels}}}": still(0),
        **histogram("genai_loop_lag_seconds", labels, 750, upper="0.0025"),
        f'genai_database_connections{{{labels},state="in_use"}}': still(3),
        f'genai_database_connections{{{labels},state="idle"}}': still(7),
        f"genai_database_connections_most{{{labels}}}": still(10),
        f"genai_log_lines_dropped_total{{{labels}}}": still(0),
        f"process_open_fds{{{labels}}}": still(300),
        f"process_max_fds{{{labels}}}": still(65536),
    }


def _bridge(labels: str, held: int) -> Series:
    return {
        **_process(labels),
        f"genai_router_session_held{{{labels}}}": still(held),
        f"genai_master_agent_is_foreign{{{labels}}}": still(0),
        f"genai_requests_oldest_queued_seconds{{{labels}}}": still(2),
        f'genai_requests_ended_total{{{labels},status="answered"}}': growing(30),
        f'genai_requests_ended_total{{{labels},status="failed"}}': growing(1),
        f'genai_door_refused_total{{{labels},reason="nobody"}}': growing(0.2),
        f'genai_log_entries_total{{{labels},outcome="stored"}}': growing(300),
        f'genai_log_entries_total{{{labels},outcome="dropped"}}': growing(0.1),
    }


HEALTHY: Series = {
    **_process(GATEWAY),
    f"genai_sockets_open{{{GATEWAY}}}": still(250),
    f'genai_http_requests_total{{{GATEWAY},route="/api/agents",status="2xx"}}': growing(100),
    f'genai_http_requests_total{{{GATEWAY},route="/api/agents",status="5xx"}}': growing(1),
    f'genai_http_requests_total{{{GATEWAY},route="/ready",status="2xx"}}': growing(15),
    f'genai_http_requests_total{{{GATEWAY},route="/ready",status="5xx"}}': still(0),
    f'genai_logins_total{{{GATEWAY},outcome="succeeded"}}': growing(5),
    f'genai_logins_total{{{GATEWAY},outcome="too_many"}}': growing(0.2),
    **_bridge(BRIDGE, held=1),
    **_bridge(OTHER, held=0),
    # Others' processes, which are nobody's business here.
    'process_open_fds{instance="elsewhere",job="other"}': still(1000),
    'process_max_fds{instance="elsewhere",job="other"}': still(1024),
}
"""Of an installation in which all is well, though not everything succeeds."""


@frozen
class Trouble:
    """What differs, and for which instance the alert goes off, if for one."""

    differs: Series
    instance: str | None = None
    gone: tuple[str, ...] = ()

    def series(self) -> Series:
        """All that is recorded."""
        kept = {name: values for name, values in HEALTHY.items() if not name.startswith(self.gone)}
        return {**kept, **self.differs}


def as_test(series: Series, alerts: list[dict[str, Any]]) -> dict[str, Any]:
    """A test of promtool: which alerts are there when."""
    return {
        "interval": INTERVAL,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": alerts,
    }
