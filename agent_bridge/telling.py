"""What a bridge tells of itself."""

from databases import Database

from agent_bridge import metrics
from shared.telemetry import metrics as common
from shared.telemetry.snapshots import Numbers


def told_numbers(database: Database) -> Numbers:
    """Its metrics that administrators are told."""
    return Numbers(
        gauges=(
            metrics.DOOR_CONNECTIONS,
            metrics.LANES_IN_USE,
            metrics.LANES_IDLE,
            metrics.ROUTER_SESSION_HELD,
            metrics.MASTER_IS_FOREIGN,
            common.NOTIFICATIONS_UP,
        ),
        counters={
            metrics.DOOR_REFUSED: "reason",
            metrics.ROUTER_FRAMES_SKIPPED: "connection",
            metrics.LOG_ENTRIES: "outcome",
            metrics.PARTS: "outcome",
            common.REQUESTS_ENDED: "status",
            common.NOTIFICATIONS_DROPPED: "",
            common.NOTIFICATIONS_SKIPPED: "format",
        },
        distributions=(
            metrics.WAITING_SECONDS,
            metrics.PREPARATION_SECONDS,
            metrics.INVOCATION_SECONDS,
            common.LOOP_LAG,
            common.LOOP_HELD,
            common.NOTIFICATIONS_LAG,
        ),
        database=database,
    )
