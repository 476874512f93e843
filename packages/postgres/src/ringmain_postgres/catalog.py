"""Questions to pg_catalog: what there is, and what it looks like. Rights are those of the configured role."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ringmain_core.errors import NotFound, OutsideFence
from ringmain_core.policy import Fence
from ringmain_postgres import catalog_sql
from ringmain_postgres.models import ObjectDescription, SchemaObject
from ringmain_postgres.session import Session

Kind = Literal["table", "view", "materialized_view", "foreign_table", "function", "type", "column"]
Section = Literal[
    "columns", "constraints", "indexes", "triggers", "policies", "stats", "comments", "ddl", "referenced_by"
]
Detail = Literal["names", "summary", "full"]
Sampling = Literal["first", "random"]
Key = list[str]
"""Where a page ended: schema, name, kind, and what tells namesakes apart."""

_RELATION_KINDS = {
    "r": "table",
    "p": "table",
    "v": "view",
    "m": "materialized_view",
    "f": "foreign_table",
}


async def search(
    session: Session,
    *,
    pattern: str,
    kinds: Sequence[Kind],
    schema: str | None,
    detail: Detail,
    fence: Fence,
    after: Key | None,
    limit: int,
) -> tuple[list[SchemaObject], Key | None]:
    """Objects whose name or comment fits, in order of name; and where the page ended if there are more."""
    like = pattern if "%" in pattern else f"%{pattern}%"
    fenced = None if fence.patterns is None else [_as_regex(entry) for entry in fence.patterns]
    rows = await session.fetch(catalog_sql.SEARCH, like, list(kinds), schema, fenced, after, limit + 1)
    shown = rows[:limit]
    columns: dict[int, list[str]] = {}
    if detail == "full":
        relations = [row["relation"] for row in shown if row["kind"] not in ("column", "function", "type")]
        found = await session.fetch(catalog_sql.COLUMNS_OF, relations)
        columns = {row["relation"]: row["columns"] for row in found}
    objects = [
        SchemaObject(
            kind=row["kind"],
            name=row["title"] + (f" {row['detail']}" if row["detail"] else ""),
            comment=row["comment"] if detail != "names" else None,
            rows=row["rows"] if detail != "names" else None,
            bytes=row["bytes"] if detail != "names" else None,
            columns=columns.get(row["relation"]) if detail == "full" and row["kind"] != "column" else None,
        )
        for row in shown
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    return objects, None if last is None else [last["schema"], last["name"], last["kind"], last["detail"]]


def _as_regex(pattern: str) -> str:
    """A fence's pattern (`*`, `?`, `[…]`) as Postgres' regular expressions have it."""
    parts = re.split(r"(\*|\?|\[!?[^\]]+\])", pattern)
    made = ""
    for part in parts:
        if part == "*":
            made += ".*"
        elif part == "?":
            made += "."
        elif part.startswith("[") and part.endswith("]"):
            made += "[^" + part[2:] if part.startswith("[!") else part
        else:
            made += re.sub(r"([^\w])", r"\\\1", part)
    return f"^{made}$"


@dataclass(frozen=True, slots=True)
class Found:
    """What a name means. `title` is how SQL has to write it, in quotes where it needs them."""

    schema: str
    name: str
    title: str
    kind: str
    oid: int


async def resolve(session: Session, name: str, fence: Fence) -> Found:
    """What a name means, written `table`, `schema.table` or with quotes.

    Raises:
        NotFound: Where there is no such object for this role, or several; the text lists them.
        OutsideFence: Instead, for a caller with a fence: what is outside of it looks like what is not there.
    """
    for schema, plain in spellings(name):
        rows = await session.fetch(catalog_sql.RESOLVE, schema, plain)
        inside = [row for row in rows if fence.admits(f"{row['schema']}.{row['name']}")]
        if len(inside) > 1 and schema is None and not inside[0]["visible"]:
            candidates = ", ".join(row["title"] for row in inside)
            raise NotFound(f"`{name}` is ambiguous: {candidates}. Say which.")
        if inside:
            row = inside[0]
            return Found(row["schema"], row["name"], row["title"], _RELATION_KINDS[row["kind"]], row["oid"])
    if fence.patterns is not None:
        raise OutsideFence(f"`{name}` is not there, or not among what you may read ({fence.describe()}).")
    raise NotFound(f"There is no table or view `{name}` that can be read. `search_objects` finds names.")


def spellings(name: str) -> list[tuple[str | None, str]]:
    """The schema, if a name says one, and the name: just as it is written, then as SQL reads it.

    SQL reads in lower case what has no quotes.
    """
    parts = re.findall(r'"((?:[^"]|"")*)"|([^."]+)', name)
    if len(parts) not in (1, 2):
        raise NotFound(f"`{name}` is not a name like `table` or `schema.table`.")
    written = tuple(quoted.replace('""', '"') if quoted else bare.strip() for quoted, bare in parts)
    read = tuple(text if quoted else text.lower() for text, (quoted, _) in zip(written, parts, strict=True))
    return [(each[0] if len(each) == 2 else None, each[-1]) for each in dict.fromkeys((written, read))]


async def describe(
    session: Session, database: str, name: str, sections: Sequence[Section], fence: Fence
) -> ObjectDescription:
    """The sections asked for, as lines ready to read."""
    described = await resolve(session, name, fence)
    oid = described.oid
    found: dict[str, Any] = {}
    for section in sections:
        if section in catalog_sql.SECTIONS:
            rows = await session.fetch(catalog_sql.SECTIONS[section], oid)
            visible = [row for row in rows if "relation" not in row or fence.admits(row["relation"])]
            found[section] = [row["line"] for row in visible] or None
    if "stats" in sections:
        (row,) = await session.fetch(catalog_sql.STATS, oid)
        found["stats"] = json.loads(row["stats"])
    if "comments" in sections:
        (row,) = await session.fetch("SELECT pg_catalog.obj_description($1::oid, 'pg_class') AS comment", oid)
        found["comment"] = row["comment"]
    if "ddl" in sections and described.kind in ("view", "materialized_view"):
        (row,) = await session.fetch("SELECT pg_catalog.pg_get_viewdef($1::oid, true) AS ddl", oid)
        found["ddl"] = row["ddl"]
    return ObjectDescription(database=database, name=described.title, kind=described.kind, **found)


async def sample_statement(
    session: Session, table: str, n: int, columns: Sequence[str] | None, method: Sampling, fence: Fence
) -> str:
    """The statement that reads a few rows of a table; `random` looks at some more than are wanted."""
    found = await resolve(session, table, fence)
    selected = ", ".join(quoted(column) for column in columns) if columns else "*"
    sql = f"SELECT {selected} FROM {found.title}"  # noqa: S608 (quoted, and judged before it runs)
    if method == "random" and found.kind in ("table", "materialized_view"):
        (row,) = await session.fetch(
            "SELECT reltuples::float8 AS rows FROM pg_catalog.pg_class WHERE oid = $1::oid", found.oid
        )
        percent = min(100.0, 100.0 * (2 * n + 10) / max(row["rows"], 1.0) + 0.01)
        sql += f" TABLESAMPLE BERNOULLI ({percent:.6f})"
    return f"{sql} LIMIT {n}"


def quoted(name: str) -> str:
    """An identifier as SQL has to have it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL has to have it."""
    return "'" + text.replace("'", "''") + "'"
