-- Notes who sets, changes and removes budgets.
-- depends: 0046-who-it-is

CREATE TRIGGER budgets_of_users_audited_created AFTER INSERT ON budgets
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL)
    EXECUTE FUNCTION note_audit('budget.created', 'user_id', 'user_id', 'usd');
CREATE TRIGGER budgets_of_users_audited_changed AFTER UPDATE OF usd ON budgets
    FOR EACH ROW WHEN (NEW.user_id IS NOT NULL AND OLD.usd <> NEW.usd)
    EXECUTE FUNCTION note_audit('budget.changed', 'user_id', 'user_id', 'usd');
CREATE TRIGGER budgets_of_users_audited_deleted AFTER DELETE ON budgets
    FOR EACH ROW WHEN (OLD.user_id IS NOT NULL AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_audit('budget.deleted', 'user_id', 'user_id');

CREATE TRIGGER budgets_of_groups_audited_created AFTER INSERT ON budgets
    FOR EACH ROW WHEN (NEW.group_id IS NOT NULL)
    EXECUTE FUNCTION note_audit('budget.created', 'group_id', '', 'usd');
CREATE TRIGGER budgets_of_groups_audited_changed AFTER UPDATE OF usd ON budgets
    FOR EACH ROW WHEN (NEW.group_id IS NOT NULL AND OLD.usd <> NEW.usd)
    EXECUTE FUNCTION note_audit('budget.changed', 'group_id', '', 'usd');
CREATE TRIGGER budgets_of_groups_audited_deleted AFTER DELETE ON budgets
    FOR EACH ROW WHEN (OLD.group_id IS NOT NULL AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION note_audit('budget.deleted', 'group_id', '');
