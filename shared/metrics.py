"""What both services count and measure, and the port where it can be read."""

from prometheus_client import Counter

LOG_LINES_DROPPED = Counter(
    "genai_log_lines_dropped", "Log lines that stderr did not take in time."
)
