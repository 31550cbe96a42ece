-- Accounts that providers of OpenID Connect vouch for.
-- depends: 0038-passwords
-- transactional: false

CREATE TABLE IF NOT EXISTS identities (
    id         uuid NOT NULL,
    user_id    uuid NOT NULL,
    provider   text NOT NULL,
    issuer     text NOT NULL,
    subject    text NOT NULL,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT identities_pkey PRIMARY KEY (id),
    CONSTRAINT uq_identities_issuer_subject UNIQUE (issuer, subject),
    CONSTRAINT identities_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);

COMMENT ON TABLE identities IS 'As whom users are known to providers.';
COMMENT ON COLUMN identities.provider IS 'What the settings called it when it was used last.';
COMMENT ON COLUMN identities.subject IS 'The user''s id there; with the issuer it is one person.';
COMMENT ON COLUMN identities.name IS 'What it calls the user, to be shown to him.';

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_identities_user_id ON identities (user_id);

ALTER TABLE sign_ins
    ADD COLUMN IF NOT EXISTS identity_id uuid,
    ADD COLUMN IF NOT EXISTS provider_sid text;

COMMENT ON COLUMN sign_ins.identity_id IS 'By which it was begun; null: by none.';
COMMENT ON COLUMN sign_ins.provider_sid IS 'What the provider calls its own session.';

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_sign_ins_identity_id ON sign_ins (identity_id)
    WHERE identity_id IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_sign_ins_provider_sid ON sign_ins (provider_sid)
    WHERE provider_sid IS NOT NULL;

CREATE TABLE IF NOT EXISTS oidc_seen (
    id        uuid NOT NULL,
    forget_at timestamptz NOT NULL,
    CONSTRAINT oidc_seen_pkey PRIMARY KEY (id)
);

COMMENT ON TABLE oidc_seen IS 'Hashes of what is good once, while it could come again.';

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_oidc_seen_forget_at ON oidc_seen (forget_at);

-- Tokens of providers open nothing any more when the identity is gone or its user is locked.
CREATE OR REPLACE FUNCTION note_identities_of_locked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.locked_at IS NULL THEN
        DELETE FROM revocations
        WHERE id IN (SELECT id FROM identities WHERE user_id = NEW.id);
    ELSE
        INSERT INTO revocations (id) SELECT id FROM identities WHERE user_id = NEW.id
        ON CONFLICT (id) DO UPDATE SET at = DEFAULT, forget_at = DEFAULT;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER identities_deleted AFTER DELETE ON identities
    FOR EACH ROW EXECUTE FUNCTION note_revocation();
CREATE OR REPLACE TRIGGER users_locked_identities AFTER UPDATE OF locked_at ON users
    FOR EACH ROW WHEN ((OLD.locked_at IS NULL) <> (NEW.locked_at IS NULL))
    EXECUTE FUNCTION note_identities_of_locked();
