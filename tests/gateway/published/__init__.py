"""Of gateway.published."""
