CREATE OR REPLACE TRIGGER users_audited_deleted AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION note_audit('user.deleted', 'id', 'id', 'username');
DROP TRIGGER users_stay_locked ON users;
DROP FUNCTION keep_leaving_locked;
DROP TABLE account_deletions;
