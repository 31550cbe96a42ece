-- Agents that are asked themselves with all that they take, in place of one text.
-- depends: 0029-mcp-servers

ALTER TABLE requests ADD COLUMN has_arguments boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN requests.has_arguments IS
    'Whether the message is JSON: the arguments of the agent, or the first of the flow, that is asked.';
