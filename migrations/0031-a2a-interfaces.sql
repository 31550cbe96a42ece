-- Where A2A agents' cards are and where they are called; aliases that model providers take.
-- depends: 0030-arguments

-- As `make_alias` makes them, but for accents, and with letters that come from the id.
UPDATE agents SET alias = (
    CASE WHEN name ~ '[A-Za-z0-9-]'
        THEN left(regexp_replace(name, '[^A-Za-z0-9_-]', '_', 'g'), 55) ELSE 'agent' END
    || '_' || translate(left(md5(id::text), 6), '0123456789', 'ghijklmnop')
) WHERE alias !~ '^[A-Za-z0-9_-]{1,64}$';

UPDATE agentworkflows SET alias = (
    CASE WHEN name ~ '[A-Za-z0-9-]'
        THEN left(regexp_replace(name, '[^A-Za-z0-9_-]', '_', 'g'), 55) ELSE 'agent' END
    || '_' || translate(left(md5(id::text), 6), '0123456789', 'ghijklmnop')
) WHERE alias !~ '^[A-Za-z0-9_-]{1,64}$';

UPDATE a2acards SET alias = (
    CASE WHEN name ~ '[A-Za-z0-9-]'
        THEN left(regexp_replace(name, '[^A-Za-z0-9_-]', '_', 'g'), 55) ELSE 'agent' END
    || '_' || translate(left(md5(id::text), 6), '0123456789', 'ghijklmnop')
) WHERE alias !~ '^[A-Za-z0-9_-]{1,64}$';

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
