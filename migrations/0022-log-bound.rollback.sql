ALTER TABLE logs DROP CONSTRAINT ck_logs_bound;
DROP TRIGGER logs_bound ON logs;
DROP FUNCTION keep_log_within_bound();
