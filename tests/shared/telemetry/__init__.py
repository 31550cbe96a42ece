"""What `shared/telemetry/` does."""
