-- Log entries get a bound in time, that their table may become the partition of all that was before it.
-- depends: 0020-sealing

-- The time of an entry is the database's, or just behind the last one of its session, which may be
-- of a clock that was wrong. Until there are partitions, one beyond the bound is stored just before it.
CREATE FUNCTION keep_log_within_bound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.created_at := CAST(TG_ARGV[0] AS timestamp) - interval '1 microsecond';
    RETURN NEW;
END
$$;

-- Rows that are there already are looked at by the next migration, which locks nobody out for it.
DO $$
DECLARE
    bound timestamp := date_trunc('day', timezone('utc', now())) + interval '3 days';
BEGIN
    EXECUTE format(
        'CREATE TRIGGER logs_bound BEFORE INSERT OR UPDATE OF created_at ON logs'
        ' FOR EACH ROW WHEN (NEW.created_at >= %L) EXECUTE FUNCTION keep_log_within_bound(%L)',
        bound, bound
    );
    EXECUTE format(
        'ALTER TABLE logs ADD CONSTRAINT ck_logs_bound CHECK (created_at < %L) NOT VALID', bound
    );
END
$$;
