-- MCP servers whose users have logged in there (OAuth 2.1), and who is about to.
-- depends: 0032-headers-of-servers

ALTER TABLE mcpservers
    ADD COLUMN wants_authorization boolean NOT NULL DEFAULT false,
    ADD COLUMN oauth text,
    ADD COLUMN oauth_due_at timestamptz,
    ADD COLUMN oauth_claimed_at timestamptz;

COMMENT ON COLUMN mcpservers.wants_authorization IS
    'It lets nobody in who has not logged in there, or has for too long.';
COMMENT ON COLUMN mcpservers.oauth IS
    'Tokens and the registration of the client that has them, encrypted for the row; null: none.';
COMMENT ON COLUMN mcpservers.oauth_due_at IS
    'When the tokens are to be renewed; null: never, unless they are refused.';
COMMENT ON COLUMN mcpservers.oauth_claimed_at IS
    'Since when a gateway renews them; null: none does.';

CREATE TABLE mcp_authorizations (
    id uuid PRIMARY KEY,
    server_id uuid NOT NULL REFERENCES mcpservers ON DELETE CASCADE,
    creator_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    flow text NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX ix_mcp_authorizations_server_id ON mcp_authorizations (server_id);
CREATE INDEX ix_mcp_authorizations_creator_id ON mcp_authorizations (creator_id, expires_at);
CREATE INDEX ix_mcp_authorizations_expires_at ON mcp_authorizations (expires_at);

COMMENT ON TABLE mcp_authorizations IS
    'Who has been sent to log in at an authorization server and has not come back.';
COMMENT ON COLUMN mcp_authorizations.id IS 'Made of the hash of its `state`, which is not stored.';
COMMENT ON COLUMN mcp_authorizations.flow IS
    'What is needed to take whoever comes back, encrypted for the row.';
