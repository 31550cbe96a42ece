"""Which agents are there: registration, reconciliation with the router, deletions. Not what they
log."""
