-- API keys, of which the hash is stored.
-- depends: 0036-sign-ins
-- transactional: false

CREATE TABLE IF NOT EXISTS api_keys (
    id           uuid NOT NULL,
    user_id      uuid NOT NULL,
    name         text NOT NULL,
    hash         bytea NOT NULL,
    start        text NOT NULL,
    scopes       text[] NOT NULL,
    networks     text[] NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    used_at      timestamptz,
    used_address text,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT uq_api_keys_hash UNIQUE (hash),
    CONSTRAINT ck_api_keys_scopes CHECK (
        cardinality(scopes) > 0 AND scopes <@ CAST('{chat, read, agents, admin}' AS text[])
    ),
    CONSTRAINT api_keys_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);

COMMENT ON COLUMN api_keys.hash IS 'SHA-256 of the key, which has 256 random bits.';
COMMENT ON COLUMN api_keys.start IS 'How the key begins, by which its owner recognises it.';
COMMENT ON COLUMN api_keys.networks IS 'From where it is taken (CIDR); none: from everywhere.';
COMMENT ON COLUMN api_keys.used_at IS 'Its last use; stored once a minute at most.';

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_api_keys_user_id_created_at
    ON api_keys (user_id, created_at);

-- A key that goes on is told by its user: an id that is told as ended stays so.
CREATE OR REPLACE FUNCTION note_changed_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO revocations (id) VALUES (OLD.user_id)
    ON CONFLICT (id) DO UPDATE SET at = DEFAULT, forget_at = DEFAULT;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER api_keys_deleted AFTER DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION note_revocation();
CREATE OR REPLACE TRIGGER api_keys_changed
    AFTER UPDATE OF user_id, hash, scopes, networks, expires_at ON api_keys
    FOR EACH ROW EXECUTE FUNCTION note_changed_key();
