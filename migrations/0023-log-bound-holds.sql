-- No log entry is beyond the bound.
-- depends: 0022-log-bound

-- The trigger gives those that are their time.
DO $$
DECLARE
    bound timestamp;
BEGIN
    SELECT substring(pg_get_constraintdef(oid) FROM '''(.*?)''') INTO STRICT bound
    FROM pg_constraint WHERE conrelid = 'logs'::regclass AND conname = 'ck_logs_bound';
    UPDATE logs SET created_at = created_at WHERE created_at >= bound;
END
$$;

-- Reads all rows, beside whoever reads and writes.
ALTER TABLE logs VALIDATE CONSTRAINT ck_logs_bound;
