"""The connection to PostgreSQL: the pool, how statements run on it, and locks. No statement of
the domain."""
