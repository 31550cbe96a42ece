"""Of gateway.agui."""
