"""What a model reads of a live resource: a table in motion, or what a channel has said."""

import time
from dataclasses import dataclass

from ringmain_core.text import untrusted
from ringmain_postgres.catalog import quoted
from ringmain_postgres.ears import Ears
from ringmain_postgres.line import Table
from ringmain_postgres.session import Session

SAMPLE_ROWS = 5
_AROUND_LINES = 1_024  # bytes

_SUMMARY = """
WITH RECURSIVE part AS (
    SELECT $1::oid AS oid
    UNION ALL
    SELECT i.inhrelid FROM part p JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid
)
SELECT (SELECT CASE WHEN reltuples >= 0 THEN reltuples::int8 END
        FROM pg_catalog.pg_class WHERE oid = $1::oid) AS rows,
       pg_catalog.sum(pg_catalog.pg_relation_size(oid))::int8 AS bytes,
       pg_catalog.sum(pg_catalog.pg_stat_get_tuples_inserted(oid))::int8 AS inserted,
       pg_catalog.sum(pg_catalog.pg_stat_get_tuples_updated(oid))::int8 AS updated,
       pg_catalog.sum(pg_catalog.pg_stat_get_tuples_deleted(oid))::int8 AS deleted,
       (SELECT pg_catalog.to_char(stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
        FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database()) AS since,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_index i
             CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(attnum, nth)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
             WHERE i.indrelid = $1::oid AND i.indisprimary AND k.nth <= i.indnkeyatts ORDER BY k.nth) AS keys
FROM part
"""


@dataclass(frozen=True, slots=True)
class RowsSummary:
    """A table in numbers, and the statement that reads a few of its rows."""

    text: str
    sample: str


async def rows_summary(session: Session, oid: int, table: Table, last_change: float | None) -> RowsSummary:
    """Sum up a table from what the server knows anyway, with when it was last seen to change."""
    (row,) = await session.fetch(_SUMMARY, oid)
    keys: list[str] = row["keys"]
    since = f"since {row['since']}" if row["since"] else "since the server began to count"
    counted = (
        f"Counted {since}: {row['inserted']:,} inserted, {row['updated']:,} updated, "
        f"{row['deleted']:,} deleted; rolled back ones included, the last seconds perhaps not."
    )
    lines = [f"{_count(row['rows'])} rows, {row['bytes']:,} bytes.", counted]
    if last_change is not None:
        lines.append(f"Last seen to change {_ago(last_change)}.")
    ordered = f" ORDER BY {', '.join(f'{quoted(key)} DESC' for key in keys)}" if keys else ""
    which = "with the highest primary keys" if keys else "in no order, for it has no key"
    lines.append(f"Up to {SAMPLE_ROWS} rows {which}:")
    schema, name = table
    sample = f"SELECT * FROM {quoted(schema)}.{quoted(name)}{ordered} LIMIT {SAMPLE_ROWS}"  # noqa: S608 (quoted, and judged before it runs)
    return RowsSummary("\n".join(lines), sample)


def channel_text(ears: Ears, database: str, channel: str, budget: int) -> str:
    """The last notifications of a channel, the newest first, as many as a budget of bytes takes."""
    heard = ears.heard(channel)
    lines: list[str] = []
    room = budget - _AROUND_LINES
    for each in heard:
        line = f"{_ago(each.at)}: {each.payload}"
        room -= len(line.encode(errors="replace")) + 1
        if room < 0:
            break
        lines.append(line)
    standing = "Listening now" if ears.listens(channel) else "Not listening now"
    note = (
        f"{standing}: what is sent while nobody is subscribed to this resource is not heard. "
        "Payloads are JSON strings, the newest first."
    )
    if not heard:
        return f"Nothing has been heard. {note}"
    left_out = f" {len(heard) - len(lines)} older ones do not fit." if len(lines) < len(heard) else ""
    return f"{untrusted(chr(10).join(lines), f'{database}: channel')}\n{note}{left_out}"


def _count(rows: int | None) -> str:
    return "An unknown number of" if rows is None else f"About {rows:,}"


def _ago(moment: float) -> str:
    return f"{max(0.0, time.monotonic() - moment):.0f} s ago"
