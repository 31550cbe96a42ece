-- Where A2A agents' cards are and where they are called; aliases that model providers take.
-- depends: 0030-arguments

-- As `make_alias` makes them, but for accents, and with letters that come from the id. These have
-- few forms: where many names come out the same, eight digits of the id stand before them.

DO $$
DECLARE
    its_name text;
BEGIN
    FOREACH its_name IN ARRAY ARRAY['agents', 'agentworkflows', 'a2acards'] LOOP
        EXECUTE format($sql$
            WITH unfit AS (
                SELECT id, md5(id::text) AS digits,
                       CASE WHEN name ~ '[A-Za-z0-9-]'
                           THEN left(regexp_replace(name, '[^A-Za-z0-9_-]', '_', 'g'), 55)
                           ELSE 'agent' END AS stem
                FROM %1$I WHERE alias !~ '^[A-Za-z0-9_-]{1,64}$'
            ), made AS (
                SELECT id, digits, stem,
                       '_' || translate(left(digits, 6), '0123456789', 'ghijklmnop') AS letters
                FROM unfit
            ), counted AS (
                SELECT *, row_number() OVER (PARTITION BY stem, letters ORDER BY id) AS place
                FROM made
            )
            UPDATE %1$I AS old SET alias = CASE
                WHEN place = 1
                     AND NOT EXISTS (SELECT FROM %1$I AS other WHERE other.alias = stem || letters)
                    THEN stem || letters
                ELSE left(stem, 46) || '_' || right(digits, 8) || letters END
            FROM counted WHERE old.id = counted.id
        $sql$, its_name);
    END LOOP;
END
$$;

ALTER TABLE a2acards
    ADD COLUMN card_url text,
    ADD COLUMN interfaces json,
    ADD COLUMN left_out json;

COMMENT ON COLUMN a2acards.card_url IS
    'Where its card was found the last time; null: that is to be found out.';
COMMENT ON COLUMN a2acards.interfaces IS
    'Where it is called, best first, in the words of version 1 of the protocol; null: not known yet.';
COMMENT ON COLUMN a2acards.left_out IS
    'How many parts of its card are left out, and the first of them with the reasons; null: none.';
