-- The chats that are listed unless others are asked for: a user may have many times as many.
-- depends: 0027-streams
-- transactional: false

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_chatconversations_listed
    ON chatconversations (creator_id, created_at DESC, session_id) WHERE origin IS NULL;
