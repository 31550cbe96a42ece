-- Where A2A agents' cards are and where they are called; aliases that model providers take.
-- depends: 0030-arguments

-- As `make_alias` makes them, but for accents, and with letters that come from the id. These have
-- few forms: where many names come out the same, eight digits of the id stand before them.

WITH unfit AS (
    SELECT id, md5(id::text) AS digits,
           CASE WHEN name ~ '[A-Za-z0-9-]'
               THEN left(regexp_replace(name, '[^A-Za-z0-9_-]', '_', 'g'), 55) ELSE 'agent' END
               AS stem
    FROM agents WHERE alias !~ '^[A-Za-z0-9_-]{1,64}$'
), made AS (
    SELECT id, digits, stem,
           '_' || translate(left(digits, 6), '0123456789', 'ghijklmnop') AS letters
    FROM unfit
), counted AS (
    SELECT *, row_number() OVER (PARTITION BY stem, letters ORDER BY id) AS place FROM made
)
UPDATE agents AS old SET alias = CASE
    WHEN place = 1
         AND NOT EXISTS (SELECT FROM agents AS other WHERE other.alias = stem || letters)
        THEN stem || letters
    ELSE left(stem, 46) || '_' || right(digits, 8) || letters END
FROM counted WHERE old.id = counted.id;

WITH unfit AS (
    SELECT id, md5(id::text) AS digits,
           CASE WHEN name ~ '[A-Za-z0-9-]'
               THEN left(regexp_replace(name, '[^A-Za-z0-9_-]', '_', 'g'), 55) ELSE 'agent' END
               AS stem
    FROM agentworkflows WHERE alias !~ '^[A-Za-z0-9_-]{1,64}$'
), made AS (
    SELECT id, digits, stem,
           '_' || translate(left(digits, 6), '0123456789', 'ghijklmnop') AS letters
    FROM unfit
), counted AS (
    SELECT *, row_number() OVER (PARTITION BY stem, letters ORDER BY id) AS place FROM made
)
UPDATE agentworkflows AS old SET alias = CASE
    WHEN place = 1
         AND NOT EXISTS (SELECT FROM agentworkflows AS other WHERE other.alias = stem || letters)
        THEN stem || letters
    ELSE left(stem, 46) || '_' || right(digits, 8) || letters END
FROM counted WHERE old.id = counted.id;

WITH unfit AS (
    SELECT id, md5(id::text) AS digits,
           CASE WHEN name ~ '[A-Za-z0-9-]'
               THEN left(regexp_replace(name, '[^A-Za-z0-9_-]', '_', 'g'), 55) ELSE 'agent' END
               AS stem
    FROM a2acards WHERE alias !~ '^[A-Za-z0-9_-]{1,64}$'
), made AS (
    SELECT id, digits, stem,
           '_' || translate(left(digits, 6), '0123456789', 'ghijklmnop') AS letters
    FROM unfit
), counted AS (
    SELECT *, row_number() OVER (PARTITION BY stem, letters ORDER BY id) AS place FROM made
)
UPDATE a2acards AS old SET alias = CASE
    WHEN place = 1
         AND NOT EXISTS (SELECT FROM a2acards AS other WHERE other.alias = stem || letters)
        THEN stem || letters
    ELSE left(stem, 46) || '_' || right(digits, 8) || letters END
FROM counted WHERE old.id = counted.id;

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
