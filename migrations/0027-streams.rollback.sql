ALTER TABLE requests DROP COLUMN asked_id, DROP COLUMN overrides, DROP COLUMN accepted_seq;
ALTER TABLE chatconversations DROP COLUMN origin;
