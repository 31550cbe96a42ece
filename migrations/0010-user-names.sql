-- Names that look the same are one name.
-- depends: 0009-cheaper-chats

-- Without a form are names of more characters than a new one may have.
CREATE FUNCTION fold_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT CASE WHEN length(folded) <= 255 THEN folded END
    FROM (
        SELECT btrim(
            lower(normalize(
                regexp_replace(name, '[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]', '', 'g'),
                NFKC
            )),
            E' \t\n\v\f\r'
        ) AS folded
    ) AS one
);

ALTER TABLE users
    ADD COLUMN folded_name text GENERATED ALWAYS AS (fold_name(username)) STORED,
    ADD COLUMN has_clean_name boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN users.folded_name IS
    'The form under which names are compared.';
COMMENT ON COLUMN users.has_clean_name IS
    'Registered since names that look the same are refused; older ones may share a form.';

CREATE INDEX ix_users_folded_name ON users (folded_name);
CREATE UNIQUE INDEX ix_users_clean_name ON users (folded_name) WHERE has_clean_name;
