"""Which agents are there: registration, reconciliation with the router, whose token
has ended. Not what they log."""
