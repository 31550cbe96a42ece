-- transactional: false

DROP TRIGGER IF EXISTS users_locked_identities ON users;
DROP TABLE IF EXISTS identities;
DROP FUNCTION IF EXISTS note_identities_of_locked();
DROP TABLE IF EXISTS oidc_seen;
DROP INDEX IF EXISTS ix_sign_ins_provider_sid, ix_sign_ins_identity_id;
ALTER TABLE sign_ins DROP COLUMN IF EXISTS identity_id, DROP COLUMN IF EXISTS provider_sid;
