-- transactional: false

DROP TRIGGER IF EXISTS users_changed ON users;
DROP TRIGGER IF EXISTS users_locked ON users;
DROP TRIGGER IF EXISTS users_deleted ON users;
DROP TABLE IF EXISTS sign_ins;
DROP TABLE IF EXISTS revocations;
DROP FUNCTION IF EXISTS note_revocation();
DROP FUNCTION IF EXISTS end_sign_ins_of_locked();
ALTER TABLE users DROP COLUMN IF EXISTS role, DROP COLUMN IF EXISTS locked_at;
