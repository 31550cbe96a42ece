-- Who does what only one process of all may do.
-- depends: 0018-doors

CREATE TABLE leases (
    name text PRIMARY KEY,
    holder uuid NOT NULL,
    session integer,
    expires_at timestamptz NOT NULL
);

COMMENT ON COLUMN leases.holder IS
    'What a process calls itself; it takes the lease anew until it ends.';
COMMENT ON COLUMN leases.session IS
    'PostgreSQL''s number of the session that it ends with; null: it ends by its time alone.';
