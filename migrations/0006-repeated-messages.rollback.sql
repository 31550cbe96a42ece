DROP INDEX ix_requests_created_at;
DROP INDEX ix_logs_created_at;
DROP INDEX uq_requests_session_message;
ALTER TABLE requests DROP COLUMN message_id;
