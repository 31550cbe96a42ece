-- A chat is as new as its last message.
-- depends: 0013-turns

UPDATE chatconversations SET updated_at = last_event_at WHERE last_event_at > updated_at;
