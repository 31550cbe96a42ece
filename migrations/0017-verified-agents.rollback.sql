ALTER TABLE agents DROP COLUMN is_verified;
