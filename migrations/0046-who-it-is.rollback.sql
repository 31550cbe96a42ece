-- transactional: false

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

CREATE OR REPLACE TRIGGER users_locked_identities AFTER UPDATE OF locked_at ON users
    FOR EACH ROW WHEN ((OLD.locked_at IS NULL) <> (NEW.locked_at IS NULL))
    EXECUTE FUNCTION note_identities_of_locked();

ALTER TABLE identities DROP COLUMN IF EXISTS logged_out_at;
ALTER TABLE sign_ins DROP COLUMN IF EXISTS authenticated_at;
