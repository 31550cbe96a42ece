DROP INDEX ix_files_creator_id_created_at;

ALTER TABLE files
    DROP COLUMN created_at,
    DROP COLUMN size;
