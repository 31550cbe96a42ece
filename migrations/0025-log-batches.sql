-- The last batch of log entries that each bridge has stored: none is stored twice.
-- depends: 0024-log-partitions

CREATE TABLE log_batches (
    bridge uuid PRIMARY KEY,
    number bigint NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);  -- its rows change with each batch, and nothing that is indexed does

COMMENT ON COLUMN log_batches.bridge IS 'What a bridge calls itself; it counts its batches from 1.';
