"""What the configured role could do by itself, and the script for one that only reads."""

from ringmain_postgres.catalog import quoted
from ringmain_postgres.models import Posture
from ringmain_postgres.session import Session

_RIGHTS = """
SELECT current_user AS role, r.rolsuper AS superuser, r.rolcreaterole AS createrole,
       r.rolcreatedb AS createdb,
       r.rolreplication AS replication, r.rolbypassrls AS bypassrls,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS create_schema,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMP') AS temporary,
       pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS reads_passwords,
       pg_catalog.current_database() AS database,
       ARRAY(SELECT g.rolname FROM pg_catalog.pg_roles g WHERE g.rolname IN (
                 'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program',
                 'pg_signal_backend', 'pg_write_all_data', 'pg_read_all_data', 'pg_monitor', 'pg_checkpoint',
                 'pg_create_subscription')
             AND pg_catalog.pg_has_role(current_user, g.oid, 'USAGE') AND NOT r.rolsuper) AS memberships,
       ARRAY(SELECT g.rolname FROM pg_catalog.pg_roles g
             WHERE pg_catalog.pg_has_role(current_user, g.oid, 'MEMBER')
               AND NOT pg_catalog.pg_has_role(current_user, g.oid, 'USAGE') ORDER BY 1) AS can_become,
       ARRAY(SELECT n.nspname FROM pg_catalog.pg_namespace n
             WHERE pg_catalog.has_schema_privilege(n.oid, 'CREATE') AND n.nspname !~ '^pg_'
             AND n.nspname <> 'information_schema') AS creates_in
FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
"""

_WRITABLE = """
SELECT pg_catalog.count(*) AS count, pg_catalog.min(n.nspname || '.' || c.relname) AS example
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND (pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
       OR pg_catalog.has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
"""

_SEQUENCES = """
SELECT pg_catalog.count(*) AS count, pg_catalog.min(n.nspname || '.' || c.relname) AS example
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE CASE WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'USAGE, UPDATE') END
"""

_WRITES_IN_READ_ONLY = """
SELECT p.oid::regprocedure::text AS signature FROM pg_catalog.pg_proc p
WHERE p.pronamespace = 'pg_catalog'::regnamespace
  AND pg_catalog.has_function_privilege('public', p.oid, 'EXECUTE')
  AND p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lo_unlink', 'pg_notify',
                    'pg_logical_emit_message')
ORDER BY 1
"""

_FLAGS = {
    "superuser": "is a superuser: it can do anything, and no right can be taken from it",
    "createrole": "can make roles",
    "createdb": "can make databases",
    "replication": "can replicate the whole server",
    "bypassrls": "ignores row-level security",
    "create_schema": "can make schemas in this database",
    "reads_passwords": "can read password hashes (pg_authid)",
}

_READS_TOO_MUCH = {"pg_read_all_data": "reads every table, pg_authid's password hashes included"}


async def posture(session: Session, database: str) -> Posture:
    """Look at the role's rights, and write the script that an administrator would run."""
    (rights,) = await session.fetch(_RIGHTS)
    (writable,) = await session.fetch(_WRITABLE)
    findings = [sentence for flag, sentence in _FLAGS.items() if rights[flag]]
    if writable["count"]:
        findings.append(f"can write to {writable['count']:,} tables, {writable['example']} for one")
    (sequences,) = await session.fetch(_SEQUENCES)
    if sequences["count"]:
        findings.append(f"can move {sequences['count']:,} sequences, {sequences['example']} for one")
    if rights["can_become"]:
        findings.append(f"can become {', '.join(rights['can_become'])} (SET ROLE)")
    if rights["creates_in"]:
        findings.append(f"can make objects in schema {', '.join(rights['creates_in'])}")
    findings += [
        f"is a member of {group}{f': it {_READS_TOO_MUCH[group]}' if group in _READS_TOO_MUCH else ''}"
        for group in rights["memberships"]
    ]
    schemas = await session.fetch(
        "SELECT nspname AS name FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> "
        "'information_schema' AND pg_catalog.has_schema_privilege(oid, 'USAGE') ORDER BY 1"
    )
    open_to_all = await session.fetch(_WRITES_IN_READ_ONLY)
    script = grant_script(
        rights["database"],
        [schema["name"] for schema in schemas],
        [function["signature"] for function in open_to_all],
    )
    return Posture(database=database, role=rights["role"], findings=findings, grant_script=script)


def grant_script(database: str, schemas: list[str], functions: list[str]) -> str:
    """SQL for a role that can read some schemas and nothing else. It never grants pg_read_all_data.

    Args:
        database: Its name.
        schemas: Those to read.
        functions: Signatures to take from PUBLIC: they write although they run in a read-only transaction.
    """
    role = "ringmain_reader"
    lines = [
        f"CREATE ROLE {role} LOGIN PASSWORD '…' CONNECTION LIMIT 20;",
        f"ALTER ROLE {role} SET default_transaction_read_only = on;",
        f"ALTER ROLE {role} SET statement_timeout = '30s';",
        f"ALTER ROLE {role} SET idle_in_transaction_session_timeout = '60s';",
        f"GRANT CONNECT ON DATABASE {quoted(database)} TO {role};",
        f"REVOKE TEMPORARY ON DATABASE {quoted(database)} FROM PUBLIC;",
    ]
    for schema in schemas:
        lines += [
            f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {role};",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {quoted(schema)} TO {role};",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {quoted(schema)} GRANT SELECT ON TABLES TO {role};",
        ]
    lines.append("REVOKE CREATE ON SCHEMA public FROM PUBLIC;")
    lines += [f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC;" for function in functions]
    return "\n".join(lines)
