"""Numbers of advisory locks."""

# Any numbers, as long as they differ and no other code locks by them.
MIGRATION_LOCK = 5_102_637_841
RETENTION_LOCK = 5_102_637_844

# Of versions without leases: nobody takes them any more, whoever has one goes before all.
LEADER_LOCK = 5_102_637_842
REFRESH_LOCK = 5_102_637_843
