-- What MCP servers and A2A agents are sent with each call, so that they know who asks.
-- depends: 0031-a2a-interfaces

ALTER TABLE mcpservers ADD COLUMN headers json;
ALTER TABLE a2acards ADD COLUMN headers json;

COMMENT ON COLUMN mcpservers.headers IS
    'By their names, each value encrypted for its row and name; null: none.';
COMMENT ON COLUMN a2acards.headers IS
    'By their names, each value encrypted for its row and name; null: none.';
