DROP TRIGGER budgets_of_users_audited_created ON budgets;
DROP TRIGGER budgets_of_users_audited_changed ON budgets;
DROP TRIGGER budgets_of_users_audited_deleted ON budgets;
DROP TRIGGER budgets_of_groups_audited_created ON budgets;
DROP TRIGGER budgets_of_groups_audited_changed ON budgets;
DROP TRIGGER budgets_of_groups_audited_deleted ON budgets;
