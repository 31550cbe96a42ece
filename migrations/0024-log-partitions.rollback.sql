-- All entries are copied into one table; meanwhile none is read or written.

DROP FUNCTION delete_old_logs(interval, integer);
DROP FUNCTION drop_log_partition(interval);
DROP FUNCTION make_log_partition(integer);
DROP FUNCTION log_partitions();
DROP FUNCTION may_change_logs(text);

ALTER TABLE logs RENAME TO logs_in_partitions;

CREATE TABLE logs (
    LIKE logs_in_partitions INCLUDING COMMENTS INCLUDING DEFAULTS INCLUDING STORAGE
);

ALTER SEQUENCE logs_id_seq OWNED BY logs.id;

CREATE FUNCTION keep_log_within_bound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.created_at := CAST(TG_ARGV[0] AS timestamp) - interval '1 microsecond';
    RETURN NEW;
END
$$;

DO $$
DECLARE
    bound timestamp := date_trunc('day', timezone('utc', now())) + interval '3 days';
    granted record;
BEGIN
    EXECUTE format(
        'CREATE TRIGGER logs_bound BEFORE INSERT OR UPDATE OF created_at ON logs'
        ' FOR EACH ROW WHEN (NEW.created_at >= %L) EXECUTE FUNCTION keep_log_within_bound(%L)',
        bound, bound
    );
    EXECUTE format('ALTER TABLE logs ADD CONSTRAINT ck_logs_bound CHECK (created_at < %L)', bound);
    FOR granted IN
        SELECT privilege_type, is_grantable,
               CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS grantee
        FROM pg_class CROSS JOIN aclexplode(relacl) AS acl
        WHERE pg_class.oid = 'logs_in_partitions'::regclass AND grantee <> relowner
    LOOP
        EXECUTE format(
            'GRANT %s ON logs TO %s%s', granted.privilege_type, granted.grantee,
            CASE WHEN granted.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        );
    END LOOP;
END
$$;

INSERT INTO logs SELECT * FROM logs_in_partitions;

DROP TABLE logs_in_partitions;

ALTER TABLE logs
    ADD CONSTRAINT logs_pkey PRIMARY KEY (id),
    ADD CONSTRAINT logs_creator_id_fkey FOREIGN KEY (creator_id)
        REFERENCES users (id) ON DELETE CASCADE;
CREATE INDEX ix_logs_creator_id ON logs (creator_id);
CREATE UNIQUE INDEX uq_logs_session_seq ON logs (session_id, seq);
CREATE INDEX ix_logs_session_id_id ON logs (session_id, id);
CREATE INDEX ix_logs_request_id_id ON logs (request_id, id);
CREATE INDEX ix_logs_created_at ON logs USING brin (created_at);
