"""Rows as they are before and after a change: how they are fetched, and how they are compared."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_postgres.catalog import literal, quoted
from ringmain_postgres.changing import ChangeSession
from ringmain_postgres.sql.changes import Stated
from ringmain_postgres.sql.target import Target

_CELL = 200  # characters
_OURS = (
    "ringmain_table",
    "ringmain_key",
    "ringmain_hash",
    "ringmain_cells",
    "ringmain_nows",
    "ringmain_action",
)
_RETURNED = 2_000  # characters

Key = tuple[str, ...]
Place = tuple[int, Key]
"""What a row is known by: its own table or partition, and its key there."""

# Clocks of databases and of programs agree within so much.
_NOW = "'1 minute'::interval"
_NOWS = ("pg_catalog.now()", "pg_catalog.timezone('UTC', pg_catalog.now())")


@dataclass(frozen=True, slots=True)
class Image:
    """One version of a row.

    Attributes:
        table: The number of the table or partition that it is in.
        key: The values of its primary key; empty where the table has none.
        hash: Of the whole row.
        cells: Its columns as text, long ones cut and marked with how they go on.
        nows: The columns that hold the present moment: at another one, they would hold that.
        action: What the statement did: `INSERT`, `UPDATE` or `DELETE`.
        returned: What the statement's own RETURNING says, as JSON.
    """

    table: int
    key: Key
    hash: str
    cells: tuple[str | None, ...]
    nows: frozenset[str] = frozenset()
    action: str = ""
    returned: str | None = None

    @property
    def place(self) -> Place:
        return self.table, self.key


def changing_sql(stated: Stated, target: Target, most: int) -> str:
    """The statement, with all that it does counted, and the first rows that it touched.

    RETURNING is always a statement's last clause: it is added, or added to.
    """
    row = quoted(stated.alias)
    values = (*_image(row, target), _nows(row, stated, target), _action(row, stated))
    mine = ", ".join(f"{value} AS {name}" for name, value in zip(_OURS, values, strict=True))
    returned = "NULL"
    if stated.returns:
        names = ", ".join(f"'{name}'" for name in _OURS)
        returned = (
            "pg_catalog.left((pg_catalog.to_jsonb(ringmain_change.*)"
            f" OPERATOR(pg_catalog.-) ARRAY[{names}])::text, {_RETURNED})"
        )
    return (
        f"WITH ringmain_change AS ({stated.sql}\n{',' if stated.returns else ' RETURNING'} {mine})\n"
        f"SELECT pg_catalog.count(*) OVER () AS n, {', '.join(_OURS)}, {returned} AS returned"
        f" FROM ringmain_change LIMIT {most:d}"
    )


def _action(row: str, stated: Stated) -> str:
    if stated.verb == "MERGE":
        return "merge_action()"
    if stated.verb == "INSERT" and stated.may_update:  # only a row that was there has been locked
        return f"CASE WHEN {row}.xmax OPERATOR(pg_catalog.=) '0'::xid THEN 'INSERT' ELSE 'UPDATE' END"
    return f"'{stated.verb}'"


def _nows(row: str, stated: Stated, target: Target) -> str:
    if not stated.may_update:
        return "ARRAY[]::text[]"
    columns: list[str] = []
    for column in target.clocks:
        value = f"{row}.{quoted(column)}"
        near = " OR ".join(
            f"{value} OPERATOR(pg_catalog.>) ({now} OPERATOR(pg_catalog.-) {_NOW})"
            f" AND {value} OPERATOR(pg_catalog.<) ({now} OPERATOR(pg_catalog.+) {_NOW})"
            for now in _NOWS
        )
        columns.append(f"CASE WHEN {near} THEN {literal(column)} END")
    return f"ARRAY[{', '.join(columns)}]::text[]"


async def images_of(session: ChangeSession, target: Target, keys: Sequence[Key]) -> dict[Place, Image]:
    """The rows with these keys, as the transaction sees them now; without those that no key tells apart."""
    if not keys:
        return {}
    names = [f"k{number}" for number in range(len(target.key))]
    lists = ", ".join(f"${number}::text[]" for number in range(1, len(names) + 1))
    fits = " AND ".join(
        f"ringmain.{quoted(column)} OPERATOR(pg_catalog.=) wanted.{name}::{kind}"
        for column, kind, name in zip(target.key, target.key_types, names, strict=True)
    )
    table, key, digest, cells = _image("ringmain", target)
    rows = await session.fetch(
        f"SELECT {table} AS number, {key} AS key, {digest} AS hash, {cells} AS cells"  # noqa: S608 (names are quoted)
        f" FROM pg_catalog.unnest({lists}) AS wanted({', '.join(names)})"
        f" JOIN {quoted(target.schema)}.{quoted(target.name)} AS ringmain ON {fits}",
        *([key[place] for key in dict.fromkeys(keys)] for place in range(len(names))),
    )
    images = [Image(row["number"], tuple(row["key"]), row["hash"], tuple(row["cells"])) for row in rows]
    found = Counter(image.place for image in images)
    return {image.place: image for image in images if found[image.place] == 1}


def images_from(rows: Iterable[Mapping[str, Any]]) -> tuple[Image, ...]:
    """What the statement of `changing_sql` returned."""
    return tuple(
        Image(
            row["ringmain_table"],
            tuple(row["ringmain_key"]),
            row["ringmain_hash"],
            tuple(row["ringmain_cells"]),
            frozenset(column for column in row["ringmain_nows"] if column is not None),
            row["ringmain_action"],
            row["returned"],
        )
        for row in rows
    )


def _image(row: str, target: Target) -> tuple[str, str, str, str]:
    """Expressions for a row's table, key, hash and cells.

    Values become text by their types' output, by no cast.
    """
    key = ", ".join(f"pg_catalog.format('%s', {row}.{quoted(column)})" for column in target.key)
    cells = ", ".join(_cell(f"{row}.{quoted(column)}") for column in target.columns)
    return (
        f"{row}.tableoid::int8",
        f"ARRAY[{key}]::text[]",
        f"pg_catalog.md5(pg_catalog.format('%s', {row}.*))",
        f"ARRAY[{cells}]::text[]",
    )


def _cell(value: str) -> str:
    text = f"pg_catalog.format('%s', {value})"
    cut = (
        f"pg_catalog.concat(pg_catalog.left({text}, {_CELL}), '... [', pg_catalog.length({text}),"
        f" ' characters, md5 ', pg_catalog.left(pg_catalog.md5({text}), 16), ']')"
    )
    long = f"pg_catalog.length({text}) > {_CELL}"
    return f"CASE WHEN {value} IS NULL THEN NULL WHEN {long} THEN {cut} ELSE {text} END"
