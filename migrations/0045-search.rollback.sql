-- transactional: false

DROP TRIGGER IF EXISTS agents_dated ON agents;
DROP FUNCTION IF EXISTS date_activity();
ALTER TABLE agents DROP COLUMN IF EXISTS is_active_since;
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_requests_creator_id ON requests (creator_id);
DROP INDEX CONCURRENTLY IF EXISTS ix_requests_asked_id_position;
DROP INDEX CONCURRENTLY IF EXISTS ix_requests_creator_id_position;
ALTER TABLE requests
    DROP COLUMN IF EXISTS last_part_at,
    DROP COLUMN IF EXISTS first_part_at,
    DROP COLUMN IF EXISTS claimed_at;
DROP INDEX CONCURRENTLY IF EXISTS ix_chatmessages_words;
DROP FUNCTION IF EXISTS message_words(uuid, text);
DROP FUNCTION IF EXISTS message_text(sendertype, text);
DROP TRIGGER IF EXISTS chatmessages_owned ON chatmessages;
DROP FUNCTION IF EXISTS name_message_owner();
ALTER TABLE chatmessages DROP COLUMN IF EXISTS owner_id;
