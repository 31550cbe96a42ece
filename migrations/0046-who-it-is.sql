-- When somebody has shown who he is, and when he has signed out at a provider.
-- depends: 0045-search
-- transactional: false

ALTER TABLE sign_ins ADD COLUMN IF NOT EXISTS authenticated_at timestamptz;

COMMENT ON COLUMN sign_ins.authenticated_at IS
    'When he last showed who he is, here or at the provider; null: when it began.';

ALTER TABLE identities ADD COLUMN IF NOT EXISTS logged_out_at timestamptz;

COMMENT ON COLUMN identities.logged_out_at IS
    'When he signed out at the provider last, by its clock: its tokens of before are over.';

-- An identity comes back when its user is unlocked, and what is told as ended does not: that the
-- user has changed is told without it.
DROP TRIGGER IF EXISTS users_locked_identities ON users;
DROP FUNCTION IF EXISTS note_identities_of_locked();
