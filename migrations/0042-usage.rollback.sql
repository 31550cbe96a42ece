DROP FUNCTION spent_this_month(uuid);
DROP TABLE budgets;
DROP TABLE usage_days;
ALTER TABLE requests DROP COLUMN usage;
