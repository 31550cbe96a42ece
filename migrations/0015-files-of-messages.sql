-- A file may belong to several messages, and lives as long as one of them does.
-- depends: 0014-chats-follow-messages

-- What follows from the rows of `files` is kept by triggers: whoever writes them, a service of the
-- earlier version or a cascade too, need not know of it.

CREATE TABLE file_uses (
    file_id    uuid NOT NULL,
    session_id uuid NOT NULL,
    request_id uuid,
    position   bigint GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT uq_file_uses UNIQUE NULLS NOT DISTINCT (file_id, session_id, request_id),
    CONSTRAINT file_uses_file_id_fkey FOREIGN KEY (file_id)
        REFERENCES files (id) ON DELETE CASCADE,
    CONSTRAINT file_uses_session_id_fkey FOREIGN KEY (session_id)
        REFERENCES chatconversations (session_id) ON DELETE CASCADE
);
CREATE INDEX ix_file_uses_session_id_request_id ON file_uses (session_id, request_id);

COMMENT ON TABLE file_uses IS 'To which messages a file belongs; files has the newest of them.';
COMMENT ON COLUMN file_uses.request_id IS
    'Null: uploaded for the session, and not sent with a message of it yet.';
COMMENT ON COLUMN file_uses.position IS 'Which of the uses of a file is the newest.';

CREATE TABLE file_totals (
    user_id uuid NOT NULL,
    bytes   numeric NOT NULL,
    CONSTRAINT file_totals_pkey PRIMARY KEY (user_id),
    CONSTRAINT file_totals_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);

COMMENT ON TABLE file_totals IS
    'How many bytes the files of a user have together, those of unknown size left out.';

CREATE TABLE stray_objects (
    internal_name text NOT NULL,
    is_upload     boolean NOT NULL DEFAULT false,
    since         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT stray_objects_pkey PRIMARY KEY (internal_name)
);
CREATE INDEX ix_stray_objects_since ON stray_objects (since);

COMMENT ON TABLE stray_objects IS
    'Objects in the storage that no row of files stands for: to be removed, if they are there.';
COMMENT ON COLUMN stray_objects.is_upload IS 'Whether it may become a file yet.';

CREATE FUNCTION note_file_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM file_uses
    WHERE file_id = NEW.id AND session_id = NEW.session_id
      AND request_id IS NULL AND NEW.request_id IS NOT NULL;
    INSERT INTO file_uses (file_id, session_id, request_id)
    VALUES (NEW.id, NEW.session_id, NEW.request_id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

CREATE FUNCTION note_new_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO file_totals AS total (user_id, bytes)
    SELECT creator_id, coalesce(sum(size), 0) FROM changed
    WHERE creator_id IS NOT NULL GROUP BY creator_id ORDER BY creator_id
    ON CONFLICT (user_id) DO UPDATE SET bytes = total.bytes + excluded.bytes;
    RETURN NULL;
END
$$;

CREATE FUNCTION note_deleted_files() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE file_totals SET bytes = file_totals.bytes - gone.bytes
    FROM (SELECT creator_id, coalesce(sum(size), 0) AS bytes FROM changed GROUP BY creator_id)
        AS gone
    WHERE user_id = creator_id;
    INSERT INTO stray_objects (internal_name) SELECT internal_name FROM changed
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;

-- From here on no file is written until all of this is done.
CREATE TRIGGER files_used AFTER INSERT OR UPDATE OF session_id, request_id ON files
    FOR EACH ROW WHEN (NEW.session_id IS NOT NULL) EXECUTE FUNCTION note_file_use();
CREATE TRIGGER files_inserted AFTER INSERT ON files
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_new_files();
CREATE TRIGGER files_deleted AFTER DELETE ON files
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_deleted_files();

INSERT INTO file_uses (file_id, session_id, request_id)
SELECT id, session_id, request_id FROM files JOIN chatconversations USING (session_id)
ORDER BY files.created_at NULLS FIRST, id;

INSERT INTO file_totals (user_id, bytes)
SELECT creator_id, coalesce(sum(size), 0) FROM files WHERE creator_id IS NOT NULL
GROUP BY creator_id;
