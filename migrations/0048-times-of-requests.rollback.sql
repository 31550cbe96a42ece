ALTER TABLE requests DROP COLUMN composed_at, DROP COLUMN delivered_at;
