-- transactional: false

DROP FUNCTION IF EXISTS may_use_agent(uuid, uuid);
DROP FUNCTION IF EXISTS usable_cards(uuid);
DROP FUNCTION IF EXISTS usable_servers(uuid);
DROP FUNCTION IF EXISTS usable_configs(uuid);
DROP FUNCTION IF EXISTS usable_flows(uuid);
DROP FUNCTION IF EXISTS usable_agents(uuid);
DROP TABLE IF EXISTS shares;
DROP TABLE IF EXISTS group_members;
DROP TABLE IF EXISTS groups;
DROP FUNCTION IF EXISTS keep_group_managed();
DROP INDEX CONCURRENTLY IF EXISTS ix_users_admin;
