"""What comes with a change: the rows that triggers and foreign keys touch, counted by the server."""

from ringmain_core.errors import OutsideFence
from ringmain_core.policy import Fence
from ringmain_postgres.changing import ChangeSession
from ringmain_postgres.session import StatementRefused
from ringmain_postgres.sql.target import Target

_COUNTED = """
SELECT CASE WHEN relid::int8 = ANY ($1::int8[]) THEN $2 ELSE schemaname || '.' || relname END AS name,
       pg_catalog.sum(n_tup_ins)::int8 AS inserted, pg_catalog.sum(n_tup_upd)::int8 AS updated,
       pg_catalog.sum(n_tup_del)::int8 AS deleted
FROM pg_catalog.pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 GROUP BY 1
"""

# TRUNCATE resets the counters, so it is seen by what else it does: it locks a table that was there before,
# and changes its entry in the catalogue. What our own transaction has made is the youngest of all it sees.
_REBUILT = """
SELECT DISTINCT n.nspname || '.' || c.relname AS name
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
  AND l.granted AND c.relkind = 'r' AND c.oid >= 16384 AND pg_catalog.age(c.xmin) <= 0
  AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum = -1 AND pg_catalog.age(a.xmin) > 0)
ORDER BY 1
"""

Counts = tuple[int, int, int]
"""Rows inserted, updated, deleted."""


async def counted(session: ChangeSession, target: Target) -> dict[str, Counts]:
    """What this transaction has done so far, by table; the target with its partitions and heirs is one."""
    rows = await session.fetch(_COUNTED, list(target.family), target.title)
    return {row["name"]: (row["inserted"], row["updated"], row["deleted"]) for row in rows}


def besides(
    before: dict[str, Counts], after: dict[str, Counts], target: Target, own: Counts
) -> dict[str, Counts]:
    """What has been done besides the statement's own change.

    Raises:
        StatementRefused: The server does not count.
    """
    if sum(own) and target.title not in after:
        raise StatementRefused(
            "This server does not count what happens to rows (track_counts is off), so what triggers do "
            "could not be shown. Ask its operator to turn it on.",
            reason="track_counts",
        )
    found: dict[str, Counts] = {}
    for name, counts in after.items():
        mine = own if name == target.title else (0, 0, 0)
        inserted, updated, deleted = (
            now - was - here for now, was, here in zip(counts, before.get(name, (0, 0, 0)), mine, strict=True)
        )
        moved = max(0, -updated)  # into another partition: counted as deleted and inserted
        rest = (inserted - moved, updated + moved, deleted - moved)
        if any(rest):
            found[name] = rest
    return found


def inside(elsewhere: dict[str, Counts], fence: Fence) -> dict[str, Counts]:
    """The same with the names that are inside of the fence; outside, rows may be added, and nothing else.

    Raises:
        OutsideFence: Rows of tables outside are changed or removed.
    """
    shown = {name: counts for name, counts in elsewhere.items() if fence.admits(name)}
    hidden = [counts for name, counts in elsewhere.items() if name not in shown]
    if any(updated or deleted for _, updated, deleted in hidden):
        raise OutsideFence(
            "Triggers or foreign keys would change or remove rows of tables that are not among what you may "
            f"write to ({fence.describe()}). Nothing was done."
        )
    if hidden:
        shown["other tables"] = (sum(inserted for inserted, _, _ in hidden), 0, 0)
    return shown


async def require_no_rebuilding(session: ChangeSession, fence: Fence) -> None:
    """See that no trigger has emptied or rewritten a whole table.

    Raises:
        StatementRefused: One has; what was in it is not counted.
    """
    names = [row["name"] for row in await session.fetch(_REBUILT)]
    if names:
        shown = ", ".join(name for name in names if fence.admits(name)) or "other tables"
        raise StatementRefused(
            f"Triggers would empty or rebuild whole tables ({shown}), which cannot be shown row by row. "
            "Nothing was done. Ask a person to do it.",
            reason="rebuilds",
        )
