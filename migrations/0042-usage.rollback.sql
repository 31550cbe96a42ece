DROP FUNCTION spent_by_group_this_month(uuid);
DROP FUNCTION spent_this_month(uuid);
DROP TABLE budgets;
DROP TABLE usage_days;
ALTER TABLE requests DROP COLUMN usage;
