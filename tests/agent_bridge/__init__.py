"""The bridge and its parts: frames, lanes, requests, registry, logs, the session and who holds it."""
