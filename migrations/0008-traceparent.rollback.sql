ALTER TABLE requests DROP COLUMN traceparent;
