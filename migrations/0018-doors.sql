-- Who came through which bridge's door, and which doors there are.
-- depends: 0017-verified-agents

CREATE TABLE doors (
    bridge_id uuid PRIMARY KEY,
    alive_until timestamptz NOT NULL
);

-- An agent's identity is its id; the master agent's is a word. A connection of either that is newer
-- takes the place of the older one, at whichever bridge that is.
CREATE TABLE door_connections (
    identity text PRIMARY KEY,
    agent_id uuid REFERENCES agents ON DELETE CASCADE,
    connection_id uuid NOT NULL,
    bridge_id uuid NOT NULL,
    connected_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX door_connections_bridge ON door_connections (bridge_id);
CREATE INDEX door_connections_agent ON door_connections (agent_id);
