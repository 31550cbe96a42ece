"""The bridge and its parts: frames, lanes, requests, registry, logs and the session."""
