ALTER TABLE a2acards DROP COLUMN card_url, DROP COLUMN interfaces, DROP COLUMN left_out;
