-- What a message may say besides: where its answer begins, what it overrides, whom it asks itself;
-- and chats that were made from the histories of others' protocols.
-- depends: 0026-log-ids

ALTER TABLE chatconversations ADD COLUMN origin text;

COMMENT ON COLUMN chatconversations.origin IS
    'Null: a chat of the user''s. Else what made it of a history that its client keeps itself.';

ALTER TABLE requests
    ADD COLUMN accepted_seq bigint,
    ADD COLUMN overrides jsonb,
    ADD COLUMN asked_id uuid;

COMMENT ON COLUMN requests.accepted_seq IS
    'The seq of its session when it was accepted: all its frames come after that.';
COMMENT ON COLUMN requests.overrides IS
    'What stands in place of values of the model config, for this request alone.';
COMMENT ON COLUMN requests.asked_id IS
    'The agent or flow that is asked itself; null: the master agent is.';
