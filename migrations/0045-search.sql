-- Messages are found by their words; what requests and agents tell of their times; all requests of
-- a user, newest first.
-- depends: 0044-account-deletions
-- transactional: false

ALTER TABLE chatmessages ADD COLUMN IF NOT EXISTS owner_id uuid;

COMMENT ON COLUMN chatmessages.owner_id IS
    'Whose chat it is in, for the index of words: what others have written costs a search of whole words nothing.';

-- For services of the version before, and whoever else does not say it.
CREATE OR REPLACE FUNCTION name_message_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT creator_id INTO NEW.owner_id
    FROM chatconversations WHERE session_id = NEW.conversation_id;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER chatmessages_owned BEFORE INSERT ON chatmessages
    FOR EACH ROW WHEN (NEW.owner_id IS NULL) EXECUTE FUNCTION name_message_owner();

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_chatmessages_unowned ON chatmessages (conversation_id)
    WHERE owner_id IS NULL;

UPDATE chatmessages /* in batches */ SET owner_id = unowned.creator_id
FROM (
    SELECT chatmessages.id, chatconversations.creator_id
    FROM chatmessages JOIN chatconversations ON session_id = conversation_id
    WHERE owner_id IS NULL AND chatconversations.creator_id IS NOT NULL
    LIMIT 1000
) AS unowned
WHERE chatmessages.id = unowned.id;

DROP INDEX CONCURRENTLY IF EXISTS ix_chatmessages_unowned;

-- What is searched of a message: its text, or that of an answer; the beginning of a long one. No
-- message may be refused for its words, so what is no JSON is taken as it is.
CREATE OR REPLACE FUNCTION message_text(sender sendertype, content text) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF sender = 'user' THEN
        RETURN left(content, 16384);
    END IF;
    RETURN left(coalesce(CAST(content AS json) ->> 'response', content), 16384);
EXCEPTION WHEN data_exception THEN
    RETURN left(content, 16384);
END
$$;

-- Its words, as they are written in any language. Each character is a word where none are set apart
-- by blanks: Thai, Lao, Burmese, Khmer, Chinese and Japanese. With them comes the owner: no
-- word that is asked for begins with a blank.
CREATE OR REPLACE FUNCTION message_words(owner uuid, content text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF octet_length(content) > length(content) THEN
        content := regexp_replace(
            content,
            '([\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u2E80-\u2FFF\u3040-\u30FF\u3400-\u9FFF'
            || '\uF900-\uFAFF\U00020000-\U0003FFFF])',
            ' \1 ', 'g'
        );
    END IF;
    RETURN to_tsvector('pg_catalog.simple', content)
        || array_to_tsvector(ARRAY[' ' || coalesce(CAST(owner AS text), '')]);
END
$$;

-- What waits to be sorted in is little, so that nobody's message waits for much of it.
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_chatmessages_words ON chatmessages
    USING gin (message_words(owner_id, message_text(sender_type, content)))
    WITH (gin_pending_list_limit = 256);

ALTER TABLE requests
    ADD COLUMN IF NOT EXISTS claimed_at timestamptz,
    ADD COLUMN IF NOT EXISTS first_part_at timestamptz,
    ADD COLUMN IF NOT EXISTS last_part_at timestamptz;

COMMENT ON COLUMN requests.claimed_at IS 'When the bridge of the last claim took it.';
COMMENT ON COLUMN requests.first_part_at IS
    'When the first part of its answer was heard; null: none was, or it is older than this column.';
COMMENT ON COLUMN requests.last_part_at IS 'When the last one was.';

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_requests_creator_id_position
    ON requests (creator_id, position);
DROP INDEX CONCURRENTLY IF EXISTS ix_requests_creator_id;
CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_requests_asked_id_position
    ON requests (asked_id, position) WHERE asked_id IS NOT NULL;

ALTER TABLE agents ADD COLUMN IF NOT EXISTS is_active_since timestamptz;

COMMENT ON COLUMN agents.is_active_since IS
    'Since when is_active is what it is; null: since before this column.';

CREATE OR REPLACE FUNCTION date_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.is_active_since := now();
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER agents_dated BEFORE UPDATE OF is_active ON agents
    FOR EACH ROW WHEN (OLD.is_active <> NEW.is_active) EXECUTE FUNCTION date_activity();
