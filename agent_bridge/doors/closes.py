"""The codes with which a door closes connections, as the documentation tells them."""

POLICY_VIOLATION, TOO_BIG, INTERNAL_ERROR = 1008, 1009, 1011  # RFC 6455, 7.4.1
SERVICE_RESTART, TRY_AGAIN_LATER = 1012, 1013  # IANA's registry
NO_CREDENTIALS = 4000  # the router's own

CLOSE_CODES = {
    POLICY_VIOLATION: "An agent is to stop, as an error has told it before: its token is not good"
    " (any more), it was deleted, its user is locked out, it says too much of itself, or the same"
    " agent has connected again.",
    TOO_BIG: "A frame was above `ROUTER_MAX_FRAME_BYTES`.",
    INTERNAL_ERROR: "No answer to pings, or the bridge failed: connect again.",
    SERVICE_RESTART: "The bridge goes down, or the router is away, as an error has told it before:"
    " connect again.",
    TRY_AGAIN_LATER: "The router or PostgreSQL is away, or an agent has too many calls under way:"
    " connect again later.",
    NO_CREDENTIALS: "No credentials, or a key that is nobody's.",
}
