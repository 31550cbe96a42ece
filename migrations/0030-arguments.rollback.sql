ALTER TABLE requests DROP COLUMN has_arguments;
