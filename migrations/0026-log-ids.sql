-- Ids of log entries that don't run out, where that takes no time: where there is none yet. Elsewhere
-- docs/how-to/postgresql.md says how.
-- depends: 0025-log-batches

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM logs) THEN
        ALTER TABLE logs ALTER COLUMN id TYPE bigint;
        ALTER SEQUENCE logs_id_seq AS bigint;
    END IF;
END
$$;
