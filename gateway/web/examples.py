"""Ids that the description proposes; the page that shows it has others for each reader."""

MARK = "5ad1e7a0"  # eight hexadecimal digits, which the page replaces
AGENT_ID = f"{MARK}-0000-4000-8000-000000000001"
SESSION_ID = f"{MARK}-0000-4000-8000-000000000002"
