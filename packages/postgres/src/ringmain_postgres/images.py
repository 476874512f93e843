"""Rows as they are before and after a change: how they are fetched, and how they are compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_postgres.catalog import quoted
from ringmain_postgres.changing import ChangeSession
from ringmain_postgres.sql.changes import Stated
from ringmain_postgres.sql.target import Target

_CELL = 200  # characters
_OURS = ("ringmain_key", "ringmain_hash", "ringmain_cells", "ringmain_action")
_RETURNED = 2_000  # characters

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """One version of a row.

    Attributes:
        key: The values of its primary key; empty where the table has none.
        hash: Of the whole row.
        cells: Its columns as text, long ones cut and marked with how they go on.
        action: What the statement did: `INSERT`, `UPDATE` or `DELETE`.
        returned: What the statement's own RETURNING says, as JSON.
    """

    key: Key
    hash: str
    cells: tuple[str | None, ...]
    action: str = ""
    returned: str | None = None


def changing_sql(stated: Stated, target: Target, most: int) -> str:
    """The statement, with all that it does counted, and the first rows that it touched.

    RETURNING is always a statement's last clause: it is added, or added to.
    """
    row = quoted(stated.alias)
    action = "merge_action()" if stated.verb == "MERGE" else f"'{stated.verb}'"
    mine = ", ".join(
        f"{value} AS {name}" for name, value in zip(_OURS, (*_image(row, target), action), strict=True)
    )
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


async def images_of(session: ChangeSession, target: Target, keys: Sequence[Key]) -> dict[Key, Image]:
    """The rows with these keys, as the transaction sees them now."""
    if not keys or not target.key or not target.plain_key:
        return {}
    names = [f"k{number}" for number in range(len(target.key))]
    lists = ", ".join(f"${number}::text[]" for number in range(1, len(names) + 1))
    fits = " AND ".join(
        f"ringmain.{quoted(column)} OPERATOR(pg_catalog.=) wanted.{name}::{kind}"
        for column, kind, name in zip(target.key, target.key_types, names, strict=True)
    )
    key, digest, cells = _image("ringmain", target)
    rows = await session.fetch(
        f"SELECT {key} AS key, {digest} AS hash, {cells} AS cells"  # noqa: S608 (names are quoted)
        f" FROM pg_catalog.unnest({lists}) AS wanted({', '.join(names)})"
        f" JOIN {quoted(target.schema)}.{quoted(target.name)} AS ringmain ON {fits}",
        *([key[place] for key in keys] for place in range(len(names))),
    )
    images = (Image(tuple(row["key"]), row["hash"], tuple(row["cells"])) for row in rows)
    return {image.key: image for image in images}


def images_from(rows: Iterable[Mapping[str, Any]]) -> tuple[Image, ...]:
    """What the statement of `changing_sql` returned."""
    return tuple(
        Image(
            tuple(row["ringmain_key"]),
            row["ringmain_hash"],
            tuple(row["ringmain_cells"]),
            row["ringmain_action"],
            row["returned"],
        )
        for row in rows
    )


def _image(row: str, target: Target) -> tuple[str, str, str]:
    """Expressions for a row's key, hash and cells. Values become text by their types' output, by no cast."""
    key = ", ".join(f"pg_catalog.format('%s', {row}.{quoted(column)})" for column in target.key)
    cells = ", ".join(_cell(f"{row}.{quoted(column)}") for column in target.columns)
    return (
        f"ARRAY[{key}]::text[]",
        f"pg_catalog.md5(pg_catalog.format('%s', {row}.*))",
        f"ARRAY[{cells}]::text[]",
    )


def _cell(value: str) -> str:
    text = f"pg_catalog.format('%s', {value})"
    cut = (
        f"pg_catalog.concat(pg_catalog.left({text}, {_CELL}), '... [', pg_catalog.length({text}),"
        f" ' characters, md5 ', pg_catalog.left(pg_catalog.md5({text}), 8), ']')"
    )
    long = f"pg_catalog.length({text}) > {_CELL}"
    return f"CASE WHEN {value} IS NULL THEN NULL WHEN {long} THEN {cut} ELSE {text} END"
