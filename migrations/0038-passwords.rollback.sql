-- transactional: false

DROP TABLE IF EXISTS one_time_tokens;
DROP INDEX CONCURRENTLY IF EXISTS uq_users_verified_email;
ALTER TABLE users DROP COLUMN IF EXISTS email, DROP COLUMN IF EXISTS email_verified_at;
