-- Whether secrets may be stored in forms that services of before this migration can't read.
-- depends: 0018-doors

CREATE TABLE sealing (
    since timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE sealing IS
    'A row: all services know that tokens are stored without their signatures, options encrypted.';

-- Where nothing is stored yet, there are no such services.
INSERT INTO sealing (since)
SELECT now() WHERE NOT EXISTS (SELECT FROM users);
