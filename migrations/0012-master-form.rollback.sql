ALTER TABLE router_session DROP COLUMN master_form;
