-- Accounts that are being deleted, how far that is, and what it has removed.
-- depends: 0043-short-lookups

CREATE TABLE account_deletions (
    user_id  uuid NOT NULL,
    step     text NOT NULL,
    counts   jsonb NOT NULL DEFAULT '{}',
    actor    jsonb NOT NULL,
    since    timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    CONSTRAINT account_deletions_pkey PRIMARY KEY (user_id)
);

COMMENT ON TABLE account_deletions IS
    'Kept for a while after its end; from then on its user_id names nobody.';
COMMENT ON COLUMN account_deletions.step IS 'What is being removed, or is next.';
COMMENT ON COLUMN account_deletions.counts IS 'How many things have been removed, by their kind.';
COMMENT ON COLUMN account_deletions.actor IS 'Who has asked for it, as the audit log notes it.';

CREATE INDEX ix_account_deletions_open ON account_deletions (since) WHERE ended_at IS NULL;
CREATE INDEX ix_account_deletions_ended_at ON account_deletions (ended_at);

-- Nobody comes back whose account is being deleted, whoever lets him in.
CREATE FUNCTION keep_leaving_locked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM account_deletions WHERE user_id = NEW.id) THEN
        NEW.locked_at := OLD.locked_at;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER users_stay_locked BEFORE UPDATE OF locked_at ON users
    FOR EACH ROW WHEN (OLD.locked_at IS NOT NULL AND NEW.locked_at IS NULL)
    EXECUTE FUNCTION keep_leaving_locked();

-- Whoever deletes an account in steps notes it himself: with numbers, and without the name.
CREATE OR REPLACE TRIGGER users_audited_deleted AFTER DELETE ON users
    FOR EACH ROW WHEN (coalesce(current_setting('genai.noted', true), '') <> 'user.deleted')
    EXECUTE FUNCTION note_audit('user.deleted', 'id', 'id', 'username');

