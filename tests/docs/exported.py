"""The names of the metrics that the services tell Prometheus, from the code."""

from prometheus_client.metrics import MetricWrapperBase

import agent_bridge.metrics
import gateway.web.metrics
import shared.telemetry.metrics

ENDINGS = {"counter": "_total", "info": "_info"}


def find_metrics() -> dict[str, str]:
    """Their names, counters with their ending and histograms without one, and their types."""
    modules = (shared.telemetry.metrics, gateway.web.metrics, agent_bridge.metrics)
    metrics = [each for module in modules for each in vars(module).values()]
    return {
        family.name + ENDINGS.get(family.type, ""): family.type
        for metric in metrics
        if isinstance(metric, MetricWrapperBase) and not metric._labelvalues
        for family in metric.describe()
    }
