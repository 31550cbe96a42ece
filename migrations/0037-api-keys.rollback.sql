-- transactional: false

DROP TABLE IF EXISTS api_keys;
DROP FUNCTION IF EXISTS note_changed_key();
