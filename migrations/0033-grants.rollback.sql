DROP TABLE mcp_authorizations;
ALTER TABLE mcpservers
    DROP COLUMN wants_authorization,
    DROP COLUMN oauth, DROP COLUMN oauth_due_at, DROP COLUMN oauth_claimed_at;
