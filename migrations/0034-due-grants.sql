-- Which tokens are to be renewed is asked every few seconds.
-- depends: 0033-grants
-- transactional: false

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_mcpservers_oauth_due_at
    ON mcpservers (oauth_due_at) WHERE oauth_due_at IS NOT NULL;
