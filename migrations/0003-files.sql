-- What a list of a user's files shows besides: how large they are and since when they are there.
-- depends: 0002-requests

ALTER TABLE files
    ADD COLUMN size       bigint,
    ADD COLUMN created_at timestamp;

-- Not with the column: rows that are there already are older than anybody knows.
ALTER TABLE files ALTER COLUMN created_at SET DEFAULT now();

COMMENT ON COLUMN files.size IS 'Bytes; null in rows older than this column.';
COMMENT ON COLUMN files.created_at IS 'UTC; null in rows older than this column.';

CREATE INDEX ix_files_creator_id_created_at
    ON files (creator_id, created_at DESC NULLS LAST, id);
