"""The table that a statement writes to: what it is, and what else its rows set in motion."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringmain_postgres.sql.catalogue import FIRST_USER_OID, Fetch
from ringmain_postgres.sql.refused import SqlRefused

# $1 schemas in the order in which they are searched, $2 the name.
_TARGET = """
WITH RECURSIVE target AS (
    SELECT c.*, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = $2::name AND n.nspname = ANY ($1::name[]) AND c.relkind NOT IN ('i', 'I', 'c', 't')
    ORDER BY pg_catalog.array_position($1::name[], n.nspname) LIMIT 1
), family AS (
    SELECT t.oid, t.relkind, false AS heir FROM target t
    UNION
    SELECT k.oid, k.relkind, NOT k.relispartition
    FROM family f JOIN pg_catalog.pg_inherits i ON i.inhparent = f.oid
    JOIN pg_catalog.pg_class k ON k.oid = i.inhrelid
), keys AS (
    SELECT a.attname, a.atttypid, a.atttypmod, pg_catalog.array_position(x.indkey::int2[], a.attnum) AS place
    FROM target t JOIN pg_catalog.pg_index x ON x.indrelid = t.oid AND x.indisprimary
    JOIN pg_catalog.pg_attribute a
      ON a.attrelid = t.oid AND a.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1])
)
SELECT pg_catalog.json_build_object(
    'oid', t.oid::int8, 'schema', t.nspname, 'name', t.relname, 'kind', t.relkind,
    'has_rules', EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class IN (SELECT oid FROM family)),
    'foreign', EXISTS (SELECT FROM family f WHERE f.relkind = 'f'),
    'heirs', ARRAY(
        SELECT s.nspname || '.' || h.relname FROM family f JOIN pg_catalog.pg_class h ON h.oid = f.oid
        JOIN pg_catalog.pg_namespace s ON s.oid = h.relnamespace WHERE f.heir ORDER BY 1),
    'columns', ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a
                     WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
    'types', ARRAY(SELECT DISTINCT a.atttypid::int8 FROM pg_catalog.pg_attribute a
                   WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'key', ARRAY(SELECT attname FROM keys ORDER BY place),
    'key_types', ARRAY(SELECT pg_catalog.format_type(atttypid, atttypmod) FROM keys ORDER BY place),
    'plain_key', NOT EXISTS (SELECT FROM keys WHERE atttypid >= 16384),
    'clocks', ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
                      AND a.atttypid IN ('timestamp'::regtype, 'timestamptz'::regtype) ORDER BY a.attnum),
    'triggers', ARRAY(SELECT DISTINCT g.tgname::text FROM pg_catalog.pg_trigger g
                      WHERE g.tgrelid IN (SELECT oid FROM family) AND NOT g.tgisinternal
                        AND g.tgenabled IN ('O', 'A') ORDER BY 1),
    'sequences', EXISTS (
        SELECT FROM pg_catalog.pg_attribute a
        LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = t.oid AND NOT a.attisdropped
          AND (a.attidentity <> '' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval(%'))
)::text AS target, ARRAY(SELECT oid::int8 FROM family) AS family
FROM target t
"""

_WHAT = {
    "v": "is a view",
    "m": "is a materialized view",
    "S": "is a sequence",
    "f": "is a table of another server",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A table that may be written to.

    Attributes:
        types: Of its columns, by number.
        key: The columns of its primary key, in order; empty where it has none.
        key_types: Their types, as SQL has them.
        plain_key: Whether all of these are types that Postgres ships.
        clocks: Columns that can hold a moment.
        triggers: Names of its own and its partitions' triggers that fire.
        sequences: Whether defaults draw from sequences, which no rollback puts back.
        family: The numbers of the table, its partitions, and the tables that inherit from it.
        heirs: The names of the latter.
    """

    oid: int
    schema: str
    name: str
    columns: tuple[str, ...]
    types: tuple[int, ...]
    key: tuple[str, ...]
    key_types: tuple[str, ...]
    plain_key: bool
    clocks: tuple[str, ...]
    triggers: tuple[str, ...]
    sequences: bool
    family: tuple[int, ...]
    heirs: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.schema}.{self.name}"


async def find_target(fetch: Fetch, schema: str, name: str, path: tuple[str, ...]) -> Target:
    """Look up the table of a statement, by its schema or the search path.

    Raises:
        SqlRefused: There is none, or it is none that may be written to.
    """
    rows = await fetch(_TARGET, [schema] if schema else list(path), name)
    if not rows:
        raise SqlRefused(
            "unknown_table",
            f"There is no table `{f'{schema}.' if schema else ''}{name}`"
            + ("." if schema else f" in {', '.join(path)}."),
            "Look the name up with the search tool, and write `schema.name` for other schemas.",
        )
    facts: dict[str, Any] = json.loads(rows[0]["target"])
    _judge(facts)
    lists = ("columns", "types", "key", "key_types", "clocks", "triggers", "heirs")
    return Target(
        oid=facts["oid"],
        schema=facts["schema"],
        name=facts["name"],
        plain_key=facts["plain_key"],
        sequences=facts["sequences"],
        family=tuple(rows[0]["family"]),
        **{name: tuple(facts[name]) for name in lists},
    )


def _judge(facts: Mapping[str, Any]) -> None:
    title = f"`{facts['schema']}.{facts['name']}`"
    if facts["oid"] < FIRST_USER_OID or facts["schema"].startswith("pg_"):
        raise SqlRefused("system", f"{title} belongs to the server itself.", "Write to your own tables only.")
    if facts["kind"] in _WHAT:
        raise SqlRefused("target", f"{title} {_WHAT[facts['kind']]}.", "Write to the table itself.")
    if facts["foreign"]:
        raise SqlRefused(
            "target",
            f"{title} has parts on another server, which this transaction cannot take back.",
            "Write to it there.",
        )
    if facts["has_rules"]:
        raise SqlRefused(
            "target", f"{title} has rules, which turn a statement into others.", "Ask a person to change it."
        )
