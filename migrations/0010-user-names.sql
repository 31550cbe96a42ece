-- Names that look the same are one name.
-- depends: 0009-cheaper-chats

ALTER TABLE users
    ADD COLUMN folded_name varchar,
    ADD COLUMN has_clean_name boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN users.folded_name IS
    'The form under which names are compared; null: the gateway has not filled it in yet.';
COMMENT ON COLUMN users.has_clean_name IS
    'Registered since names that look the same are refused; older ones may share a form.';

CREATE INDEX ix_users_folded_name ON users (folded_name);
CREATE UNIQUE INDEX ix_users_clean_name ON users (folded_name) WHERE has_clean_name;
