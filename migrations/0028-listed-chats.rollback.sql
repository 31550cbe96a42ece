-- transactional: false

DROP INDEX CONCURRENTLY IF EXISTS ix_chatconversations_listed;
