"""What a gateway tells of itself."""

from databases import Database

from gateway.web import metrics
from shared.telemetry import metrics as common
from shared.telemetry.snapshots import Numbers


def told_numbers(database: Database) -> Numbers:
    """Its metrics that administrators are told."""
    return Numbers(
        gauges=(metrics.SOCKETS_OPEN, metrics.STREAMS_OPEN, common.NOTIFICATIONS_UP),
        counters={
            metrics.HTTP_REQUESTS: "status",
            metrics.MESSAGES: "outcome",
            metrics.LOGINS: "outcome",
            metrics.SOCKETS_CLOSED: "code",
            metrics.SOCKETS_REFUSED: "",
            metrics.FRAMES: "source",
            metrics.READS: "outcome",
            common.REQUESTS_ENDED: "status",
            common.CONNECTIONS_REFUSED: "",
            common.NOTIFICATIONS_DROPPED: "",
            common.NOTIFICATIONS_SKIPPED: "format",
        },
        distributions=(
            metrics.HTTP_SECONDS,
            metrics.DELIVERY_SECONDS,
            common.LOOP_LAG,
            common.LOOP_HELD,
            common.NOTIFICATIONS_LAG,
        ),
        database=database,
    )
