"""Reads from PostgreSQL's catalogue what tables there are, in the form of `schema.json`."""

from psycopg import Connection
from psycopg.rows import DictRow, dict_row

type Table = dict[str, list[DictRow]]

TABLES = """
    SELECT relname AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
        AND relname NOT IN ('_yoyo_log', '_yoyo_migration', '_yoyo_version')
    ORDER BY relname
"""

COLUMNS = """
    SELECT attname AS name,
        format_type(atttypid, atttypmod) AS type,
        NOT attnotnull AS nullable,
        pg_get_expr(adbin, adrelid) AS default
    FROM pg_attribute
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum
"""

# PostgreSQL 18 lists each NOT NULL as a constraint too; here it is part of the column.
CONSTRAINTS = """
    SELECT conname AS name, pg_get_constraintdef(oid) AS definition
    FROM pg_constraint
    WHERE conrelid = %s::regclass AND contype <> 'n'
    ORDER BY conname COLLATE "C"
"""

INDEXES = """
    SELECT relname AS name,
        indisunique AS unique,
        regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', '') AS on
    FROM pg_index
    JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = %s::regclass
    ORDER BY relname COLLATE "C"
"""

ENUMS = """
    SELECT typname AS name, array_agg(enumlabel::text ORDER BY enumsortorder) AS labels
    FROM pg_enum
    JOIN pg_type ON pg_type.oid = enumtypid
    GROUP BY typname
"""

LEFT_OVERS = """
    SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace
    UNION ALL
    SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def read_tables(connection: Connection) -> dict[str, Table]:
    """Return every table but those of yoyo, and no partition of one."""
    return {name: read_table(connection, name) for name in read_names(connection, TABLES)}


def read_table(connection: Connection, name: str) -> Table:
    """Return a table's columns in their order, its constraints and its indexes by name."""
    with connection.cursor(row_factory=dict_row) as cursor:
        columns = cursor.execute(COLUMNS, [name]).fetchall()
        return {
            "columns": [_without_nothing(column) for column in columns],
            "constraints": cursor.execute(CONSTRAINTS, [name]).fetchall(),
            "indexes": cursor.execute(INDEXES, [name]).fetchall(),
        }


def read_enums(connection: Connection) -> dict[str, list[str]]:
    """Return every enum with its labels in their order."""
    return dict(connection.execute(ENUMS).fetchall())


def read_left_overs(connection: Connection) -> set[str]:
    """Return the names of all tables, indexes, sequences, types and functions not of yoyo."""
    names = read_names(connection, LEFT_OVERS)
    return {name for name in names if not name.lstrip("_").startswith("yoyo_")}


def read_names(connection: Connection, query: str) -> list[str]:
    """Return the first column of a query that takes no parameters."""
    return [row[0] for row in connection.execute(query).fetchall()]


def _without_nothing(row: DictRow) -> DictRow:
    return {key: value for key, value in row.items() if value is not None}
