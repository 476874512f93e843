"""A migration, statement by statement in one transaction: what changes in the catalogue, what is locked."""

from collections.abc import Sequence
from dataclasses import dataclass

from ringmain_core.call import Call
from ringmain_core.errors import OutsideFence
from ringmain_core.policy import Fence
from ringmain_postgres.changing import ChangeSession
from ringmain_postgres.session import StatementRefused
from ringmain_postgres.sql import SqlRefused
from ringmain_postgres.sql.migrations import Step, read_migration
from ringmain_postgres.sql.target import find_target

_LARGE = 100_000  # rows

# Everything of the schemas that are not the server's: kind, the object it belongs to, its name, what it is.
_CATALOGUE = """
WITH mine AS (
    SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), relations AS (
    SELECT c.*, m.nspname, m.nspname || '.' || c.relname AS owner FROM pg_catalog.pg_class c
    JOIN mine m ON m.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
)
SELECT 'schema' AS kind, nspname || '.*' AS owner, nspname::text AS name, '' AS what FROM mine
UNION ALL
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END, owner, owner,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid, true) ELSE '' END
FROM relations c
UNION ALL
SELECT 'column', owner, owner || '.' || a.attname,
       pg_catalog.format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
       || COALESCE(CASE WHEN a.attgenerated <> '' THEN ' generated ' ELSE ' default ' END
                   || pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
FROM relations c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT 'constraint', owner, owner || '.' || k.conname,
       pg_catalog.pg_get_constraintdef(k.oid, true)
FROM relations c JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid WHERE k.contype <> 'n'
UNION ALL
SELECT 'index', owner, c.nspname || '.' || i.relname, pg_catalog.pg_get_indexdef(x.indexrelid)
FROM relations c JOIN pg_catalog.pg_index x ON x.indrelid = c.oid
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
UNION ALL
SELECT 'type', m.nspname || '.' || t.typname, m.nspname || '.' || t.typname,
       CASE t.typtype WHEN 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) || ' '
            || COALESCE((SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(k.oid, true), ' '
                                                      ORDER BY k.conname)
                         FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid), '')
       ELSE COALESCE((SELECT pg_catalog.string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
                      FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid), 'composite') END
FROM pg_catalog.pg_type t JOIN mine m ON m.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE t.typtype IN ('e', 'd') OR t.typtype = 'c' AND c.relkind = 'c'
UNION ALL
SELECT 'rights', owner, owner, pg_catalog.array_to_string(c.relacl, ', ')
FROM relations c WHERE c.relacl IS NOT NULL
UNION ALL
SELECT 'rights', owner, owner || '.' || a.attname, pg_catalog.array_to_string(a.attacl, ', ')
FROM relations c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
UNION ALL
SELECT 'trigger', owner, owner || '.' || g.tgname, pg_catalog.pg_get_triggerdef(g.oid, true)
FROM relations c JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
UNION ALL
SELECT 'policy', owner, owner || '.' || y.polname,
       pg_catalog.concat_ws(' ', y.polcmd, CASE WHEN y.polpermissive THEN '' ELSE 'restrictive' END,
                            'using ' || pg_catalog.pg_get_expr(y.polqual, y.polrelid),
                            'check ' || pg_catalog.pg_get_expr(y.polwithcheck, y.polrelid))
FROM relations c JOIN pg_catalog.pg_policy y ON y.polrelid = c.oid
UNION ALL
SELECT 'row-level security', owner, owner, CASE WHEN c.relforcerowsecurity THEN 'forced' ELSE 'on' END
FROM relations c WHERE c.relrowsecurity
UNION ALL
SELECT 'comment', owner, owner || COALESCE('.' || a.attname, ''), s.description
FROM relations c
JOIN pg_catalog.pg_description s ON s.objoid = c.oid AND s.classoid = 'pg_catalog.pg_class'::regclass
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = s.objsubid AND s.objsubid > 0
"""

_TABLES = """
SELECT c.oid::int8 AS oid, n.nspname || '.' || c.relname AS name,
       pg_catalog.pg_relation_filenode(c.oid)::int8 AS file, c.reltuples::float8 AS rows
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND n.nspname !~ '^pg_'
"""

_LOCKS = """
SELECT l.relation::int8 AS oid, l.mode FROM pg_catalog.pg_locks l
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
  AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""

Entry = tuple[str, str]
"""Kind and name of something in the catalogue."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What a migration did, within the transaction.

    Attributes:
        changes: What is new in the catalogue (+), gone (-) or different (~), a line each.
        locks: The strong locks that it takes on tables that were there before.
        warnings: What to think about before it is done.
    """

    changes: list[str]
    locks: list[str]
    warnings: list[str]


async def migrate(session: ChangeSession, call: Call, sql: str) -> Migration:
    """Judge and run the statements one after the other, each in the catalogue that those before have left.

    Raises:
        StatementRefused: With the reason, and what to do instead.
        OutsideFence: Something that they name is outside of the caller's fence.
    """
    fence = call.fence("table")
    try:
        steps = read_migration(sql)
    except SqlRefused as refused:
        raise StatementRefused(str(refused), reason=refused.code) from refused
    catalogue = await _catalogue(session, fence)
    tables = {row["oid"]: row for row in await session.fetch(_TABLES)}
    warnings = list(dict.fromkeys(warning for step in steps for warning in step.warnings))
    for step in steps:
        await _judge(session, step, fence)
        await session.do(step.sql, [])
    now = {row["oid"]: row["file"] for row in await session.fetch(_TABLES)}
    held = {(row["oid"], row["mode"]) for row in await session.fetch(_LOCKS)}
    for oid, table in tables.items():
        size = f"{max(0, round(table['rows'])):,} rows"
        if now.get(oid, table["file"]) != table["file"]:
            warnings.append(f"{table['name']} (about {size}) is written anew: nobody can use it meanwhile.")
        elif table["rows"] > _LARGE and any(lock[0] == oid for lock in held):
            warnings.append(
                f"{table['name']} is large (about {size}): this may take long while it is locked."
            )
    locks = sorted(f"{mode} on {tables[oid]['name']}" for oid, mode in held if oid in tables)
    return Migration(_difference(catalogue, await _catalogue(session, fence)), locks, warnings)


async def _judge(session: ChangeSession, step: Step, fence: Fence) -> None:
    outside = OutsideFence(
        f"Something that this names is not there, or not among what you may change ({fence.describe()}). "
        "Write names with their schema."
    )
    named = [f"{schema or '?'}.{name or '*'}" for schema, name in step.names]
    if any(schema.startswith("pg_") or schema == "information_schema" for schema, _ in step.names):
        raise StatementRefused("The server's own schemas cannot be changed. Use your own.", reason="system")
    try:
        assigned: Sequence[int] = ()
        if step.alters is not None:
            target = await find_target(session.fetch, *step.alters, session.path)
            named += [target.title, *target.heirs]
            assigned = target.types
        closure = await session.follow(step.references, assigned)
    except SqlRefused as refused:
        if fence.patterns is not None:
            raise outside from refused
        raise StatementRefused(str(refused), reason=refused.code) from refused
    named += closure.reached
    if fence.patterns is not None and not all(fence.admits(name) for name in named):
        raise outside


async def _catalogue(session: ChangeSession, fence: Fence) -> dict[Entry, str]:
    rows = await session.fetch(_CATALOGUE)
    return {(row["kind"], row["name"]): row["what"] for row in rows if fence.admits(row["owner"])}


def _difference(before: dict[Entry, str], after: dict[Entry, str]) -> list[str]:
    lines: list[str] = []
    for entry in sorted(before.keys() | after.keys(), key=lambda entry: (entry[1], entry[0])):
        kind, name = entry
        was, becomes = before.get(entry), after.get(entry)
        if was is None:
            lines.append(f"+ {kind} {name} {becomes}".rstrip())
        elif becomes is None:
            lines.append(f"- {kind} {name} {was}".rstrip())
        elif was != becomes:
            lines.append(f"~ {kind} {name}: {was} -> {becomes}")
    return lines
