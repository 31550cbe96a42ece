-- Who does what only one process of all may do.
-- depends: 0018-doors

CREATE TABLE leases (
    name text PRIMARY KEY,
    holder uuid NOT NULL,
    expires_at timestamptz NOT NULL
);

COMMENT ON COLUMN leases.holder IS
    'What a process calls itself; it takes the lease anew until it ends.';
