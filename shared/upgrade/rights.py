"""What the role of the services may do: with rows of their tables all they need, and no more."""

import psycopg
from psycopg import sql

SEQUENCES = """
    SELECT DISTINCT owned.objid::regclass::text
    FROM pg_depend AS owned JOIN pg_class ON pg_class.oid = owned.objid AND relkind = 'S'
    WHERE owned.classid = 'pg_class'::regclass AND owned.deptype = 'a'
      AND owned.refobjid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS name)
"""
# Which migrations are applied, for whoever asks how all is.
NOTED = "GRANT SELECT (migration_id) ON _yoyo_migration TO {}"
# What the services call; in most databases everybody may.
FUNCTIONS = """
    SELECT oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
      AND proname IN (
          'fold_name', 'make_log_partition', 'drop_log_partition', 'delete_old_logs',
          'spent_this_month', 'spent_by_group_this_month', 'usable_agents', 'usable_flows',
          'usable_configs', 'chosen_config', 'usable_servers', 'usable_cards', 'usable_agent',
          'usable_flow', 'usable_config', 'usable_server', 'usable_card', 'may_use_agent',
          'prune_audit'
      )
"""
# Entries are read and added, with the time and the number that they get by themselves.
AUDIT = "audit"
AUDIT_RIGHTS = """
    SELECT, INSERT (action, via, actor_id, credential_id, address, object_id, owner_id, details)
"""


def grant_rights(connection: psycopg.Connection, role: str, tables: list[str]) -> None:
    """Let a role work with the rows of these tables, in one transaction.

    Not with those of others; of the notes of migrations it may read the names. A partition needs
    no grant of its own: it is reached through its table. So does what a trigger does with the rows
    of others. What is in the audit log stays as it is.
    """
    to = sql.Identifier(role)
    changed = [name for name in tables if name != AUDIT]
    sequences = [name for (name,) in connection.execute(SEQUENCES, [tables])]
    with connection.transaction():
        connection.execute(
            sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}").format(
                sql.SQL(", ").join(map(sql.Identifier, changed)), to
            )
        )
        if AUDIT in tables:
            grant = sql.SQL("GRANT " + AUDIT_RIGHTS + " ON {} TO {}")
            connection.execute(grant.format(sql.Identifier(AUDIT), to))
        connection.execute(sql.SQL(NOTED).format(to))
        for name in sequences:
            grant = sql.SQL("GRANT USAGE ON SEQUENCE {} TO {}")
            connection.execute(grant.format(sql.SQL(name), to))
        for (function,) in connection.execute(FUNCTIONS).fetchall():
            grant = sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}")
            connection.execute(grant.format(sql.SQL(function), to))
        [(schema,)] = connection.execute("SELECT current_schema()")
        grant = sql.SQL("GRANT USAGE ON SCHEMA {} TO {}")
        connection.execute(grant.format(sql.Identifier(schema), to))
