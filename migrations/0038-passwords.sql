-- Mail addresses of users, and what is good once: for a new password, or to show an address.
-- depends: 0037-api-keys
-- transactional: false

ALTER TABLE users
    ADD COLUMN IF NOT EXISTS email text,
    ADD COLUMN IF NOT EXISTS email_verified_at timestamptz;

COMMENT ON COLUMN users.email_verified_at IS
    'When the user, or a provider for him, has shown that the address is his; null: nobody has.';

CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uq_users_verified_email
    ON users (lower(email)) WHERE email_verified_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS one_time_tokens (
    user_id    uuid NOT NULL,
    purpose    text NOT NULL
        CONSTRAINT ck_one_time_tokens_purpose CHECK (purpose IN ('reset', 'reset by mail', 'email')),
    token_hash bytea NOT NULL,
    email      text,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT one_time_tokens_pkey PRIMARY KEY (user_id, purpose),
    CONSTRAINT uq_one_time_tokens_token_hash UNIQUE (token_hash),
    CONSTRAINT one_time_tokens_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);

COMMENT ON TABLE one_time_tokens IS
    'The newest of each kind of a user; nobody can void what an administrator gives by asking for mail.';
COMMENT ON COLUMN one_time_tokens.token_hash IS 'SHA-256 of what the user has been given.';
COMMENT ON COLUMN one_time_tokens.email IS 'The address that it shows to be the user''s.';
