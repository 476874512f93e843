"""One statement that changes rows: tried and taken back, shown, and made to last only if it does the same."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, OutsideFence, ToolFailure
from ringmain_core.policy import Fence
from ringmain_postgres.changing import ChangeSession
from ringmain_postgres.images import Image, Key, changing_sql, images_from, images_of
from ringmain_postgres.session import StatementRefused
from ringmain_postgres.sql import SqlRefused
from ringmain_postgres.sql.changes import Stated, read_change
from ringmain_postgres.sql.target import Target, find_target
from ringmain_postgres.tokens import digest

_MERGE_RETURNS = 170000

_ELSEWHERE = """
SELECT relid::int8 AS oid, schemaname || '.' || relname AS name,
       n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_del AS deleted
FROM pg_catalog.pg_stat_xact_user_tables
WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND NOT relid::int8 = ANY ($1::int8[])
"""

Counts = tuple[int, int, int]
"""Rows inserted, updated, deleted."""


class ChangedMeanwhile(ToolFailure):
    """What a statement would do now is not what was shown; nothing was done."""

    code = "changed_meanwhile"


@dataclass(frozen=True, slots=True)
class Change:
    """A statement that was found harmless but for what it says it does."""

    stated: Stated
    target: Target


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change did to rows.

    Attributes:
        rows: How many it touched.
        after: Those rows as they became, or were when they were deleted.
        before: By key, as they were.
        elsewhere: What triggers and foreign keys did, by table.
    """

    rows: int
    after: tuple[Image, ...]
    before: dict[Key, Image]
    elsewhere: dict[str, Counts]

    def kind_of(self, image: Image) -> Literal["inserted", "updated", "deleted"]:
        """What became of one row. An INSERT that met a row updates it."""
        if image.action == "DELETE":
            return "deleted"
        return "inserted" if image.action == "INSERT" and image.key not in self.before else "updated"

    @property
    def counts(self) -> Counts:
        kinds = Counter(self.kind_of(image) for image in self.after)
        return kinds["inserted"], kinds["updated"], kinds["deleted"]

    def essence(self) -> list[Any]:
        """What must be the same again: how many rows, which ones and what they were, and what came with it.

        New rows only count: their keys may come from a sequence, and their values from the clock.
        """
        known = sorted(
            [list(image.key), self._hash_before(image)]
            for image in self.after
            if self.kind_of(image) != "inserted"
        )
        elsewhere = sorted([name, list(counts)] for name, counts in self.elsewhere.items())
        return [self.rows, list(self.counts), digest(known), elsewhere]

    def _hash_before(self, image: Image) -> str:
        if image.action == "DELETE":
            return image.hash
        before = self.before.get(image.key)
        return "" if before is None else before.hash


async def judge(session: ChangeSession, call: Call, sql: str) -> Change:
    """Judge a statement that changes rows, and hold every table that it names against the caller's fence.

    Raises:
        StatementRefused: With the reason, and what to do instead.
        OutsideFence: A table is outside; one that is not there looks the same to a caller with a fence.
    """
    fence = call.fence("table")
    outside = OutsideFence(
        f"A table of this statement is not there, or not among what you may write to ({fence.describe()})."
    )
    try:
        stated = read_change(sql)
        target = await find_target(session.fetch, stated.schema, stated.table, session.path)
        closure = await session.follow(stated.references, target.types)
    except (SqlRefused, StatementRefused) as refused:
        reason = refused.code if isinstance(refused, SqlRefused) else refused.reason
        if fence.patterns is not None and reason in ("unknown_table", "target", "system"):
            raise outside from refused
        if isinstance(refused, StatementRefused):
            raise
        raise StatementRefused(str(refused), reason=reason) from refused
    named = {f"{relation.schema}.{relation.name}" for relation in closure.direct.values()} | {target.title}
    if not all(fence.admits(name) for name in named):
        raise outside
    if stated.verb == "MERGE" and closure.built_ins.version < _MERGE_RETURNS:
        raise StatementRefused(
            "This server cannot say which rows MERGE touches (Postgres 17 can), so they could not be shown. "
            "Use INSERT … ON CONFLICT, UPDATE or DELETE.",
            reason="merge",
        )
    return Change(stated, target)


async def run(
    session: ChangeSession, change: Change, params: Sequence[Any], most: int, fence: Fence
) -> Effect:
    """Make a change in the present transaction, and see what it did.

    Raises:
        InvalidArguments: It touches more rows than one change may.
        OutsideFence: What comes with it changes or removes rows of tables outside of the fence.
        ChangedMeanwhile: Somebody else changes the same rows now.
    """
    before = await _elsewhere(session, change.target)
    try:
        rows = await session.do(changing_sql(change.stated, change.target, most), params)
    except Exception as error:
        if (getattr(error, "sqlstate", None) or "")[:2] == "40":
            raise ChangedMeanwhile(
                "Somebody else has changed the same rows just now, so nothing was done. "
                "Call again without `commit_token` to see the effect as it would be now."
            ) from error
        raise
    count = rows[0]["n"] if rows else 0
    if count > most:
        raise InvalidArguments(
            f"This would change {count:,} rows, and one call may change {most:,}: nothing was done. Narrow "
            "it with WHERE and go in steps, or let the operator raise RINGMAIN_POSTGRES_WRITE_MAX_ROWS."
        )
    after = await _elsewhere(session, change.target)
    elsewhere = {
        name: (counts[0] - was[0], counts[1] - was[1], counts[2] - was[2])
        for name, counts in after.items()
        if counts != (was := before.get(name, (0, 0, 0)))
    }
    if any((counts[1] or counts[2]) and not fence.admits(name) for name, counts in elsewhere.items()):
        raise OutsideFence(
            "Triggers or foreign keys would change or remove rows of tables that are not among what you may "
            f"write to ({fence.describe()}). Nothing was done."
        )
    hidden = {name: counts for name, counts in elsewhere.items() if not fence.admits(name)}
    shown = {name: counts for name, counts in elsewhere.items() if name not in hidden}
    if hidden:
        shown["other tables"] = (sum(counts[0] for counts in hidden.values()), 0, 0)
    return Effect(count, images_from(rows), {}, shown)


async def rehearse(
    session: ChangeSession, change: Change, params: Sequence[Any], most: int, fence: Fence
) -> Effect:
    """Make a change, see what it did, take it back, and see what was there before."""
    await session.savepoint()
    effect = await run(session, change, params, most, fence)
    await session.take_back()
    before = await images_of(session, change.target, [image.key for image in effect.after])
    return Effect(effect.rows, effect.after, before, effect.elsewhere)


async def _elsewhere(session: ChangeSession, target: Target) -> dict[str, Counts]:
    rows = await session.fetch(_ELSEWHERE, list(target.family))
    return {row["name"]: (row["inserted"], row["updated"], row["deleted"]) for row in rows}
