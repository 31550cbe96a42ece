-- transactional: false

DROP INDEX CONCURRENTLY IF EXISTS ix_mcpservers_oauth_due_at;
