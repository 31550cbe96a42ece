"""What a process tells those who watch it: logs, metrics and traces. Nothing here decides
anything."""
