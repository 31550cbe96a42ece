-- The audit log: who did what to which object, from where. Entries are added, and never changed.
-- depends: 0040-roles-and-groups
-- transactional: false

CREATE TABLE IF NOT EXISTS audit (
    id            bigint GENERATED ALWAYS AS IDENTITY,
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    action        text NOT NULL,
    via           text NOT NULL,
    actor_id      uuid,
    credential_id uuid,
    address       text NOT NULL,
    object_id     uuid,
    owner_id      uuid,
    details       jsonb NOT NULL,
    CONSTRAINT audit_pkey PRIMARY KEY (id)
);

COMMENT ON COLUMN audit.via IS
    'api, service (by its key), command, or database: nobody has said who it was.';
COMMENT ON COLUMN audit.actor_id IS 'The user who did it; null: nobody who was signed in.';
COMMENT ON COLUMN audit.credential_id IS
    'By which sign-in, API key or agent''s token the user did it.';
COMMENT ON COLUMN audit.owner_id IS 'Whose object it is; of users, the user.';
COMMENT ON COLUMN audit.details IS
    'Ids, names of changed columns, and what is one of a few words. Never what may be a secret.';

CREATE INDEX IF NOT EXISTS ix_audit_at ON audit (at, id);
CREATE INDEX IF NOT EXISTS ix_audit_action_at ON audit (action, at, id);
CREATE INDEX IF NOT EXISTS ix_audit_actor_id_at ON audit (actor_id, at, id);
CREATE INDEX IF NOT EXISTS ix_audit_owner_id_at ON audit (owner_id, at, id);
CREATE INDEX IF NOT EXISTS ix_audit_object_id_at ON audit (object_id, at, id);

-- Also who owns the table changes no entry, and deletes none that is younger than 30 days.
CREATE OR REPLACE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at < now() - interval '30 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE insufficient_privilege USING MESSAGE =
        'entries of the audit log are never changed, and deleted after 30 days at the earliest';
END
$$;

CREATE OR REPLACE TRIGGER audit_kept BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION keep_audit();
CREATE OR REPLACE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION keep_audit();

-- Acts for the owner of the table: the services have no right to delete entries.
CREATE OR REPLACE FUNCTION prune_audit(days integer, most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
AS $$
    WITH old AS (
        SELECT id FROM audit WHERE at < now() - make_interval(days => greatest(days, 30))
        ORDER BY at LIMIT most
    ), deleted AS (
        DELETE FROM audit WHERE id IN (SELECT id FROM old) RETURNING id
    )
    SELECT count(*) FROM deleted
$$;

COMMENT ON FUNCTION prune_audit IS
    'Deletes at most so many entries that are older than so many days, 30 at least; how many.';

-- Who has added an entry is told it as a message when it is stored, and logs it.
CREATE OR REPLACE FUNCTION tell_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE INFO USING MESSAGE = CAST(jsonb_strip_nulls(to_jsonb(NEW)) AS text), ERRCODE = '01AUD';
    RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS audit_told ON audit;

CREATE CONSTRAINT TRIGGER audit_told AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION tell_audit();

-- Notes a change of a row, for triggers. Their arguments are the action; the columns with the ids of
-- the object and its owner; columns whose values are told; columns of which is told that they have
-- changed. Who did it is said by `genai.actor` in the change's transaction, in JSON. It acts for the
-- owner of the table: whoever may do what is noted need not have a right to note it.
CREATE OR REPLACE FUNCTION note_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    said jsonb := CAST(nullif(current_setting('genai.actor', true), '') AS jsonb);
    this jsonb := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
    old_ jsonb := CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(OLD) END;
    told jsonb;
    fields jsonb;
BEGIN
    SELECT jsonb_object_agg(name, this -> name) INTO told
    FROM unnest(string_to_array(TG_ARGV[3], ',')) AS name
    WHERE jsonb_typeof(this -> name) <> 'null';
    SELECT jsonb_build_object('fields', jsonb_agg(name)) INTO fields
    FROM unnest(string_to_array(TG_ARGV[4], ',')) AS name
    WHERE this -> name IS DISTINCT FROM old_ -> name
    HAVING old_ IS NOT NULL AND count(*) > 0;
    INSERT INTO audit
        (action, via, actor_id, credential_id, address, object_id, owner_id, details)
    VALUES (
        coalesce(said -> 'as' ->> TG_ARGV[0], TG_ARGV[0]),
        coalesce(said ->> 'via', 'database'),
        CAST(said ->> 'actor_id' AS uuid),
        CAST(said ->> 'credential_id' AS uuid),
        coalesce(said ->> 'address', ''),
        CAST(this ->> TG_ARGV[1] AS uuid),
        CAST(this ->> TG_ARGV[2] AS uuid),
        coalesce(told, '{}') || coalesce(fields, '{}') || CASE
            WHEN said IS NULL THEN jsonb_build_object('database_role', session_user)
            ELSE '{}'
        END
    );
    RETURN NULL;
END
$$;

DO $$
DECLARE
    function text;
BEGIN
    FOREACH function IN ARRAY ARRAY['prune_audit', 'note_audit'] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %I FROM PUBLIC', function);
        EXECUTE format(
            'ALTER FUNCTION %I SET search_path = %I, pg_temp', function, current_schema()
        );
    END LOOP;
END
$$;

-- What follows from something else that is noted (a cascade, the end of a locked user's sign-ins)
-- happens within a trigger, and is not noted once more.

CREATE OR REPLACE TRIGGER sign_ins_audited_begun AFTER INSERT ON sign_ins
    FOR EACH ROW EXECUTE FUNCTION note_audit('sign_in.succeeded', 'id', 'user_id', 'method');
CREATE OR REPLACE TRIGGER sign_ins_audited_ended AFTER UPDATE OF ended_at ON sign_ins
    FOR EACH ROW WHEN (
        OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL AND pg_trigger_depth() = 0
    )
    EXECUTE FUNCTION note_audit('sign_in.ended', 'id', 'user_id', 'method');

CREATE OR REPLACE TRIGGER users_audited_created AFTER INSERT ON users
    FOR EACH ROW EXECUTE FUNCTION note_audit('user.created', 'id', 'id');
CREATE OR REPLACE TRIGGER users_audited_deleted AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION note_audit('user.deleted', 'id', 'id', 'username');
CREATE OR REPLACE TRIGGER users_audited_role AFTER UPDATE OF role ON users
    FOR EACH ROW WHEN (OLD.role <> NEW.role)
    EXECUTE FUNCTION note_audit('user.role_changed', 'id', 'id', 'role');
CREATE OR REPLACE TRIGGER users_audited_locked AFTER UPDATE OF locked_at ON users
    FOR EACH ROW WHEN (OLD.locked_at IS NULL AND NEW.locked_at IS NOT NULL)
    EXECUTE FUNCTION note_audit('user.locked', 'id', 'id');
CREATE OR REPLACE TRIGGER users_audited_unlocked AFTER UPDATE OF locked_at ON users
    FOR EACH ROW WHEN (OLD.locked_at IS NOT NULL AND NEW.locked_at IS NULL)
    EXECUTE FUNCTION note_audit('user.unlocked', 'id', 'id');
CREATE OR REPLACE TRIGGER users_audited_password AFTER UPDATE OF password ON users
    FOR EACH ROW WHEN (OLD.password IS DISTINCT FROM NEW.password)
    EXECUTE FUNCTION note_audit('password.changed', 'id', 'id');

CREATE OR REPLACE TRIGGER users_audited_email AFTER UPDATE OF email ON users
    FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email)
    EXECUTE FUNCTION note_audit('email.changed', 'id', 'id');
CREATE OR REPLACE TRIGGER one_time_tokens_audited AFTER INSERT OR UPDATE ON one_time_tokens
    FOR EACH ROW WHEN (NEW.purpose <> 'email')
    EXECUTE FUNCTION note_audit('password_link.created', 'user_id', 'user_id', 'purpose');

CREATE OR REPLACE TRIGGER identities_audited_linked AFTER INSERT ON identities
    FOR EACH ROW EXECUTE FUNCTION note_audit('identity.linked', 'id', 'user_id', 'provider');
CREATE OR REPLACE TRIGGER identities_audited_unlinked AFTER DELETE ON identities
    FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_audit('identity.unlinked', 'id', 'user_id', 'provider');

CREATE OR REPLACE TRIGGER api_keys_audited_created AFTER INSERT ON api_keys
    FOR EACH ROW EXECUTE FUNCTION note_audit('key.created', 'id', 'user_id', 'scopes');
CREATE OR REPLACE TRIGGER api_keys_audited_changed
    AFTER UPDATE OF user_id, name, hash, scopes, networks, expires_at ON api_keys
    FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW)
    EXECUTE FUNCTION note_audit(
        'key.changed', 'id', 'user_id', 'scopes', 'user_id,name,hash,scopes,networks,expires_at'
    );
CREATE OR REPLACE TRIGGER api_keys_audited_deleted AFTER DELETE ON api_keys
    FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_audit('key.deleted', 'id', 'user_id');

CREATE OR REPLACE TRIGGER groups_audited_created AFTER INSERT ON groups
    FOR EACH ROW EXECUTE FUNCTION note_audit('group.created', 'id', '');
CREATE OR REPLACE TRIGGER groups_audited_changed AFTER UPDATE OF name ON groups
    FOR EACH ROW WHEN (OLD.name <> NEW.name)
    EXECUTE FUNCTION note_audit('group.changed', 'id', '', '', 'name');
CREATE OR REPLACE TRIGGER groups_audited_deleted AFTER DELETE ON groups
    FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_audit('group.deleted', 'id', '');
CREATE OR REPLACE TRIGGER group_members_audited_invited AFTER INSERT ON group_members
    FOR EACH ROW WHEN (NEW.role = 'invited')
    EXECUTE FUNCTION note_audit('member.invited', 'group_id', 'user_id');
CREATE OR REPLACE TRIGGER group_members_audited_changed AFTER UPDATE OF role ON group_members
    FOR EACH ROW WHEN (OLD.role <> NEW.role)
    EXECUTE FUNCTION note_audit('member.changed', 'group_id', 'user_id', 'role');
CREATE OR REPLACE TRIGGER group_members_audited_deleted AFTER DELETE ON group_members
    FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_audit('member.deleted', 'group_id', 'user_id', 'role');
CREATE OR REPLACE TRIGGER shares_audited_created AFTER INSERT ON shares
    FOR EACH ROW EXECUTE FUNCTION note_audit(
        'share.created', 'id', 'owner_id',
        'group_id,agent_id,flow_id,config_id,server_id,card_id'
    );
CREATE OR REPLACE TRIGGER shares_audited_deleted AFTER DELETE ON shares
    FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_audit(
        'share.deleted', 'id', 'owner_id',
        'group_id,agent_id,flow_id,config_id,server_id,card_id'
    );

CREATE OR REPLACE TRIGGER modelproviders_audited_created AFTER INSERT ON modelproviders
    FOR EACH ROW EXECUTE FUNCTION note_audit('provider.created', 'id', 'creator_id');
CREATE OR REPLACE TRIGGER modelproviders_audited_changed
    AFTER UPDATE OF api_key, provider_metadata ON modelproviders
    FOR EACH ROW WHEN (
        OLD.api_key IS DISTINCT FROM NEW.api_key
        OR CAST(OLD.provider_metadata AS text) IS DISTINCT FROM CAST(NEW.provider_metadata AS text)
    )
    EXECUTE FUNCTION note_audit(
        'provider.changed', 'id', 'creator_id', '', 'api_key,provider_metadata'
    );
CREATE OR REPLACE TRIGGER modelproviders_audited_deleted AFTER DELETE ON modelproviders
    FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_audit('provider.deleted', 'id', 'creator_id');

CREATE OR REPLACE TRIGGER modelconfigs_audited_given AFTER INSERT ON modelconfigs
    FOR EACH ROW WHEN (CAST(NEW.credentials AS text) NOT IN ('{}', 'null', '""'))
    EXECUTE FUNCTION note_audit('config_credentials.changed', 'id', 'creator_id');
CREATE OR REPLACE TRIGGER modelconfigs_audited_changed AFTER UPDATE OF credentials ON modelconfigs
    FOR EACH ROW WHEN (
        CAST(OLD.credentials AS text) IS DISTINCT FROM CAST(NEW.credentials AS text)
    )
    EXECUTE FUNCTION note_audit('config_credentials.changed', 'id', 'creator_id');
CREATE OR REPLACE TRIGGER modelconfigs_audited_deleted AFTER DELETE ON modelconfigs
    FOR EACH ROW WHEN (
        CAST(OLD.credentials AS text) NOT IN ('{}', 'null', '""') AND pg_trigger_depth() = 0
    )
    EXECUTE FUNCTION note_audit('config_credentials.deleted', 'id', 'creator_id');

-- Tokens of a grant are renewed all the time, which leaves `updated_at` as it is.
CREATE OR REPLACE TRIGGER mcpservers_audited_changed AFTER UPDATE OF headers, oauth ON mcpservers
    FOR EACH ROW WHEN (
        CAST(OLD.headers AS text) IS DISTINCT FROM CAST(NEW.headers AS text)
        OR OLD.oauth IS DISTINCT FROM NEW.oauth AND OLD.updated_at <> NEW.updated_at
    )
    EXECUTE FUNCTION note_audit('mcp_credentials.changed', 'id', 'creator_id', '', 'headers,oauth');
CREATE OR REPLACE TRIGGER mcpservers_audited_deleted AFTER DELETE ON mcpservers
    FOR EACH ROW WHEN (
        (OLD.headers IS NOT NULL OR OLD.oauth IS NOT NULL) AND pg_trigger_depth() = 0
    )
    EXECUTE FUNCTION note_audit('mcp_credentials.deleted', 'id', 'creator_id');
CREATE OR REPLACE TRIGGER a2acards_audited_changed AFTER UPDATE OF headers ON a2acards
    FOR EACH ROW WHEN (CAST(OLD.headers AS text) IS DISTINCT FROM CAST(NEW.headers AS text))
    EXECUTE FUNCTION note_audit('a2a_credentials.changed', 'id', 'creator_id');
CREATE OR REPLACE TRIGGER a2acards_audited_deleted AFTER DELETE ON a2acards
    FOR EACH ROW WHEN (OLD.headers IS NOT NULL AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_audit('a2a_credentials.deleted', 'id', 'creator_id');
