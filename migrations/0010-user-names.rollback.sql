ALTER TABLE users DROP COLUMN folded_name, DROP COLUMN has_clean_name;
DROP FUNCTION fold_name;
