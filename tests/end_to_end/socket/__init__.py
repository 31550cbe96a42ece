"""The front-end WebSocket through a real gateway: what comes in, and every frame that goes out."""
