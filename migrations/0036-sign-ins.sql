-- Sign-ins that can be ended, roles, and users who are locked out.
-- depends: 0035-publications
-- transactional: false

ALTER TABLE users
    ADD COLUMN IF NOT EXISTS role text NOT NULL DEFAULT 'user'
        CONSTRAINT ck_users_role CHECK (role IN ('user', 'admin')),
    ADD COLUMN IF NOT EXISTS locked_at timestamptz;

COMMENT ON COLUMN users.locked_at IS 'Since when the user may not sign in; null: he may.';

CREATE TABLE IF NOT EXISTS sign_ins (
    id           uuid NOT NULL,
    user_id      uuid NOT NULL,
    method       text NOT NULL,
    device       text NOT NULL,
    address      text NOT NULL,
    refresh_hash bytea,
    created_at   timestamptz NOT NULL DEFAULT now(),
    used_at      timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    CONSTRAINT sign_ins_pkey PRIMARY KEY (id),
    CONSTRAINT sign_ins_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);

COMMENT ON COLUMN sign_ins.method IS 'password, or the name of the provider that vouched.';
COMMENT ON COLUMN sign_ins.device IS 'What it called itself: its User-Agent.';
COMMENT ON COLUMN sign_ins.refresh_hash IS
    'SHA-256 of the one refresh token that is good now; null: it has none.';
COMMENT ON COLUMN sign_ins.used_at IS 'When it was begun, or its token renewed last.';
COMMENT ON COLUMN sign_ins.expires_at IS 'When no token of it can be good any more.';

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_sign_ins_user_id_used_at ON sign_ins (user_id, used_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_sign_ins_expires_at ON sign_ins (expires_at);

CREATE TABLE IF NOT EXISTS revocations (
    id        uuid NOT NULL,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    forget_at timestamptz NOT NULL DEFAULT clock_timestamp() + interval '7 hours',
    CONSTRAINT revocations_pkey PRIMARY KEY (id)
);

COMMENT ON TABLE revocations IS
    'What has ended before its time, of which tokens may still be about: gateways follow it.';
COMMENT ON COLUMN revocations.forget_at IS 'When the last of its tokens has expired by itself.';

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_revocations_at ON revocations (at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_revocations_forget_at ON revocations (forget_at);

-- Whoever ends one, by hand or by a cascade too, need not know of revocations.
CREATE OR REPLACE FUNCTION note_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO revocations (id) VALUES (OLD.id)
    ON CONFLICT (id) DO UPDATE SET at = DEFAULT, forget_at = DEFAULT;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION end_sign_ins_of_locked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sign_ins SET ended_at = clock_timestamp()
    WHERE user_id = NEW.id AND ended_at IS NULL AND expires_at > now();
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER sign_ins_ended AFTER UPDATE OF ended_at ON sign_ins
    FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION note_revocation();
CREATE OR REPLACE TRIGGER sign_ins_deleted AFTER DELETE ON sign_ins
    FOR EACH ROW WHEN (OLD.ended_at IS NULL AND OLD.expires_at > now())
    EXECUTE FUNCTION note_revocation();
CREATE OR REPLACE TRIGGER users_changed AFTER UPDATE OF locked_at, role ON users
    FOR EACH ROW WHEN (OLD.locked_at IS DISTINCT FROM NEW.locked_at OR OLD.role <> NEW.role)
    EXECUTE FUNCTION note_revocation();
CREATE OR REPLACE TRIGGER users_locked AFTER UPDATE OF locked_at ON users
    FOR EACH ROW WHEN (OLD.locked_at IS NULL AND NEW.locked_at IS NOT NULL)
    EXECUTE FUNCTION end_sign_ins_of_locked();
CREATE OR REPLACE TRIGGER users_deleted AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION note_revocation();
