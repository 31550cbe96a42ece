-- As it was, where that takes no time; elsewhere the larger ids stay, which nobody minds.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM logs) AND (SELECT last_value < 2147483648 FROM logs_id_seq) THEN
        ALTER TABLE logs ALTER COLUMN id TYPE integer;
        ALTER SEQUENCE logs_id_seq AS integer;
    END IF;
END
$$;
