"""What the gateway counts and measures."""

from prometheus_client import Counter, Gauge, Histogram

HTTP_REQUESTS = Counter(
    "genai_http_requests",
    "Answers to HTTP requests, by the route's template and the class of the status.",
    ["method", "route", "status"],
)
HTTP_SECONDS = Histogram(
    "genai_http_request_duration_seconds",
    "From a request's head to the end of its answer, or to the begin of one that is a stream.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
SOCKETS_OPEN = Gauge("genai_sockets_open", "Front-ends' WebSockets that are open here.")
STREAMS_OPEN = Gauge("genai_streams_open", "Streams of server-sent events that are open here.")
SOCKETS_CLOSED = Counter(
    "genai_sockets_closed",
    "WebSockets that were open, by their close code; `lost` without one.",
    ["code"],
)
SOCKETS_REFUSED = Counter("genai_sockets_refused", "Handshakes that were answered with 403.")
MESSAGES = Counter(
    "genai_messages", "Well-formed messages of front-ends, by what became of them.", ["outcome"]
)
DELIVERY_SECONDS = Histogram(
    "genai_request_delivery_seconds",
    "From a message's arrival to its answer's frame, on the socket that sent the message.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
)
FRAMES = Counter(
    "genai_frames",
    "Frames for sockets: as notifications told them, or from PostgreSQL because they were missed,"
    " too large for a notification, or older than the socket.",
    ["source"],
)
READS = Counter(
    "genai_standby_reads",
    "Lists that a standby was to be asked for: it was, was behind, or failed.",
    ["outcome"],
)
LOGINS = Counter("genai_logins", "Tries to log in, by what became of them.", ["outcome"])

for _outcome in ("succeeded", "wrong", "too_many", "busy"):
    LOGINS.labels(_outcome)

FRAMES_TOLD = FRAMES.labels("notification")
FRAMES_MISSED = FRAMES.labels("gap")
FRAMES_REPLAYED = FRAMES.labels("replay")
