-- Log entries are stored in partitions by their time, and removed by the partition.
-- depends: 0023-log-bound-holds

-- Each partition has its indexes by itself, and the table has none: so the old table joins with its
-- own, a seq stays unique without the time beside it, and no index is wider than before.

ALTER TABLE logs RENAME TO logs_past;

CREATE TABLE logs (
    LIKE logs_past INCLUDING COMMENTS INCLUDING DEFAULTS INCLUDING STORAGE,
    CONSTRAINT logs_creator_id_fkey FOREIGN KEY (creator_id) REFERENCES users (id) ON DELETE CASCADE
) PARTITION BY RANGE (created_at);

ALTER SEQUENCE logs_id_seq OWNED BY logs.id;

DO $$
DECLARE
    bound text;
    granted record;
BEGIN
    SELECT substring(pg_get_constraintdef(oid) FROM '''(.*?)''') INTO STRICT bound
    FROM pg_constraint WHERE conrelid = 'logs_past'::regclass AND conname = 'ck_logs_bound';
    EXECUTE format(
        'ALTER TABLE logs ATTACH PARTITION logs_past FOR VALUES FROM (MINVALUE) TO (%L)', bound
    );
    FOR granted IN
        SELECT privilege_type, is_grantable,
               CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS grantee
        FROM pg_class CROSS JOIN aclexplode(relacl) AS acl
        WHERE pg_class.oid = 'logs_past'::regclass AND grantee <> relowner
    LOOP
        EXECUTE format(
            'GRANT %s ON logs TO %s%s', granted.privilege_type, granted.grantee,
            CASE WHEN granted.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
        );
    END LOOP;
END
$$;

DROP TRIGGER logs_bound ON logs_past;
DROP FUNCTION keep_log_within_bound();
ALTER TABLE logs_past DROP CONSTRAINT ck_logs_bound;

-- For entries of a time that no other has; and its shape is that of the partitions to come.
CREATE TABLE logs_default (LIKE logs_past INCLUDING ALL);
ALTER TABLE logs ATTACH PARTITION logs_default DEFAULT;

COMMENT ON TABLE logs_past IS 'Entries of before there were partitions.';
COMMENT ON TABLE logs_default IS
    'Entries of a time that no partition is for. A new partition gets its columns and indexes.';

-- The services make and drop partitions by functions that act for the owner of the tables, and need
-- no more rights than those on rows. All of them look for names in the schema of the tables only.

CREATE FUNCTION may_change_logs(privilege text) RETURNS boolean LANGUAGE sql STABLE
RETURN has_table_privilege(
    CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END,
    'logs', privilege
);

COMMENT ON FUNCTION may_change_logs IS
    'Whether who calls a function that acts for the owner may do that with rows himself.';

CREATE FUNCTION log_partitions() RETURNS TABLE (name text, until timestamp) LANGUAGE sql STABLE
SET datestyle = 'ISO'
AS $$
    SELECT relname::text,
           substring(pg_get_expr(relpartbound, pg_class.oid) FROM 'TO \(''(.*)''\)')::timestamp
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'logs'::regclass AND relname <> 'logs_default'
$$;

COMMENT ON FUNCTION log_partitions IS 'The partitions of logs with an end, and that (UTC).';

CREATE FUNCTION make_log_partition(days integer) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET datestyle = 'ISO'
SET lock_timeout = '200ms'
AS $$
DECLARE
    today timestamp := date_trunc('day', timezone('utc', now()));
    begins timestamp;
    ends timestamp;
    name text;
BEGIN
    IF NOT may_change_logs('INSERT') THEN
        RAISE insufficient_privilege USING MESSAGE = 'permission denied for table logs';
    END IF;
    LOCK TABLE ONLY logs IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT greatest(today, max(until)) INTO begins FROM log_partitions();
    IF begins > today + interval '7 days' THEN
        RETURN NULL;
    END IF;
    -- Where there was none for today, entries of today stay where they went.
    IF EXISTS (
        SELECT FROM logs_default WHERE created_at >= begins AND created_at < today + interval '1 day'
    ) THEN
        begins := today + interval '1 day';
    END IF;
    ends := begins + make_interval(days => greatest(days, 1));
    name := 'logs_' || to_char(begins, 'YYYYMMDD');
    EXECUTE format('CREATE TABLE %I (LIKE logs_default INCLUDING ALL EXCLUDING COMMENTS)', name);
    LOCK TABLE logs_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format(
        'WITH moved AS ('
        '    DELETE FROM logs_default WHERE created_at >= %L AND created_at < %L RETURNING *'
        ') INSERT INTO %I SELECT * FROM moved',
        begins, ends, name
    );
    EXECUTE format(
        'ALTER TABLE logs ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, begins, ends
    );
    RETURN name;
END
$$;

COMMENT ON FUNCTION make_log_partition IS
    'Makes a partition of so many days behind the last one, and returns its name; null: there are'
    ' enough for the next seven days.';

CREATE FUNCTION drop_log_partition(age interval) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET lock_timeout = '200ms'
AS $$
DECLARE
    oldest text;
BEGIN
    IF NOT may_change_logs('DELETE') THEN
        RAISE insufficient_privilege USING MESSAGE = 'permission denied for table logs';
    END IF;
    LOCK TABLE ONLY logs IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT name INTO oldest FROM log_partitions()
    WHERE until <= timezone('utc', now()) - age ORDER BY until LIMIT 1;
    IF oldest IS NOT NULL THEN
        EXECUTE format('DROP TABLE %I', oldest);
    END IF;
    RETURN oldest;
END
$$;

COMMENT ON FUNCTION drop_log_partition IS
    'Drops the oldest partition if all its entries are of this age, and returns its name; else null.';

CREATE FUNCTION delete_old_logs(age interval, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
    endless text;
    deleted bigint;
    total bigint := 0;
BEGIN
    IF NOT may_change_logs('DELETE') THEN
        RAISE insufficient_privilege USING MESSAGE = 'permission denied for table logs';
    END IF;
    FOR endless IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'logs'::regclass AND relname IN ('logs_past', 'logs_default')
    LOOP
        EXECUTE format(
            'WITH old AS ('
            '    SELECT id FROM %1$I WHERE created_at < timezone(''utc'', now()) - $1 LIMIT $2'
            ') DELETE FROM %1$I WHERE id IN (SELECT id FROM old)',
            endless
        ) USING age, most - total;
        GET DIAGNOSTICS deleted = ROW_COUNT;
        total := total + deleted;
    END LOOP;
    RETURN total;
END
$$;

COMMENT ON FUNCTION delete_old_logs IS
    'Deletes some entries of this age from where there is no telling when all will be; how many.';

DO $$
DECLARE
    function text;
BEGIN
    FOREACH function IN ARRAY ARRAY[
        'may_change_logs', 'log_partitions', 'make_log_partition', 'drop_log_partition',
        'delete_old_logs'
    ] LOOP
        EXECUTE format(
            'ALTER FUNCTION %I SET search_path = %I, pg_temp', function, current_schema()
        );
    END LOOP;
    WHILE make_log_partition(3) IS NOT NULL LOOP
    END LOOP;
END
$$;
