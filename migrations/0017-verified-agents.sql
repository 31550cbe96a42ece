-- Whether an agent is who it says, beside whether it is connected.
-- depends: 0016-next-lookup

-- Agents of before are believed until a registration of theirs is refused; new ones once they have registered.
ALTER TABLE agents ADD COLUMN is_verified boolean DEFAULT true;
ALTER TABLE agents ALTER COLUMN is_verified DROP DEFAULT;

COMMENT ON COLUMN agents.is_verified IS
    'Whether the latest registration with its id that was heard was good; null: none was heard.';
