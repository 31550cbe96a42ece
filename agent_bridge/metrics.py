"""What the agent bridge counts and measures."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS_OPEN = Gauge(
    "genai_requests_open", "Requests in PostgreSQL that have not ended, of all bridges.", ["status"]
)
OLDEST_QUEUED_SECONDS = Gauge(
    "genai_requests_oldest_queued_seconds", "Since when the oldest waiting request waits."
)
WAITING_SECONDS = Histogram(
    "genai_request_waiting_seconds",
    "From a message's acceptance to the claim of its request.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 60.0, 300.0),
)
PREPARATION_SECONDS = Histogram(
    "genai_request_preparation_seconds",
    "From the claim of a request to its sending to the master agent.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
INVOCATION_SECONDS = Histogram(
    "genai_request_invocation_seconds",
    "From the sending to an answer, a rejection, or the end of the waiting.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
)
LANES_IN_USE = Gauge("genai_lanes_in_use", "Lanes to the router that carry a request.")
LANES_IDLE = Gauge("genai_lanes_idle", "Lanes that are kept for their users' next requests.")
ROUTER_SESSION_HELD = Gauge(
    "genai_router_session_held", "Whether this bridge is master_server_be at the router."
)
ROUTER_FRAMES_SKIPPED = Counter(
    "genai_router_frames_skipped",
    "Frames of the router that are of no known form, or about no request.",
    ["connection"],
)
DOOR_CONNECTIONS = Gauge(
    "genai_door_connections", "Agents that are connected at this bridge's door."
)
DOOR_REFUSED = Counter(
    "genai_door_refused", "Connections and calls that a door has refused, by why.", ["reason"]
)
MASTER_IS_FOREIGN = Gauge(
    "genai_master_agent_is_foreign",
    "Whether the router reaches another master agent than the one that came through a door.",
)
SECRETS_TO_REENCRYPT = Gauge(
    "genai_secrets_to_reencrypt",
    "Stored secrets that are not in the form of the newest key, of all users.",
    ["kind"],
)
LOG_ENTRIES = Counter("genai_log_entries", "What agents logged, by what became of it.", ["outcome"])

LOG_ENTRIES_STORED = LOG_ENTRIES.labels("stored")
LOG_ENTRIES_DROPPED = LOG_ENTRIES.labels("dropped")

PARTS = Counter(
    "genai_parts", "Parts of texts that agents said, by what became of them.", ["outcome"]
)

PARTS_TOLD = PARTS.labels("told")
PARTS_DROPPED = PARTS.labels("dropped")
