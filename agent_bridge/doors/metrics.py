"""What a door counts."""

from prometheus_client import Counter, Gauge

CONNECTIONS = Gauge("genai_door_connections", "Agents that are connected at this bridge's door.")
REFUSED = Counter(
    "genai_door_refused", "Connections and calls that a door has refused, by why.", ["reason"]
)
MASTER_IS_FOREIGN = Gauge(
    "genai_master_agent_is_foreign",
    "Whether the router reaches another master agent than the one that came through a door.",
)
