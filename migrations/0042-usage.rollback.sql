DROP TABLE budgets;
DROP TABLE usage_days;
ALTER TABLE requests DROP COLUMN usage;
