-- transactional: false

DROP INDEX CONCURRENTLY IF EXISTS ix_requests_publication_id;
ALTER TABLE requests DROP COLUMN IF EXISTS publication_id, DROP COLUMN IF EXISTS named;
DROP TABLE IF EXISTS publications;
