"""One statement that changes rows: tried and taken back, shown, and made to last only if it does the same."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, OutsideFence, ToolFailure
from ringmain_core.policy import Fence
from ringmain_postgres.changing import ChangeSession
from ringmain_postgres.elsewhere import Counts, besides, counted, inside, require_no_rebuilding
from ringmain_postgres.images import Image, Key, Place, changing_sql, images_from, images_of
from ringmain_postgres.session import StatementRefused
from ringmain_postgres.sql import SqlRefused
from ringmain_postgres.sql.changes import Stated, read_change
from ringmain_postgres.sql.target import Target, find_target
from ringmain_postgres.tokens import digest

_MERGE_RETURNS = 170000

_KINDS: dict[str, Literal["inserted", "updated", "deleted"]] = {
    "INSERT": "inserted",
    "UPDATE": "updated",
    "DELETE": "deleted",
}


class ChangedMeanwhile(ToolFailure):
    """What a statement would do now is not what was shown; nothing was done."""

    code = "changed_meanwhile"


@dataclass(frozen=True, slots=True)
class Change:
    """A statement that was found harmless but for what it says it does."""

    stated: Stated
    target: Target

    @property
    def rekeys(self) -> bool:
        """Whether rows can get other primary keys."""
        return not self.stated.assigns.isdisjoint(self.target.key)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change did to rows.

    Attributes:
        rows: How many it touched.
        after: Those rows as they became, or were when they were deleted.
        before: By their places, as they were.
        elsewhere: What triggers and foreign keys did, by table; also to other rows of the same one.
    """

    rows: int
    after: tuple[Image, ...]
    before: dict[Place, Image]
    elsewhere: dict[str, Counts]

    def kind_of(self, image: Image) -> Literal["inserted", "updated", "deleted"]:
        """What became of one row."""
        return _KINDS[image.action]

    @property
    def counts(self) -> Counts:
        kinds = Counter(self.kind_of(image) for image in self.after)
        return kinds["inserted"], kinds["updated"], kinds["deleted"]

    def essence(self) -> list[Any]:
        """What must be the same again: how many rows, which ones and what they were, and what came with it.

        New rows only count: their keys may come from a sequence, and their values from the clock.
        """
        known = sorted(
            [image.table, list(image.key), self._hash_before(image)]
            for image in self.after
            if self.kind_of(image) != "inserted"
        )
        elsewhere = sorted([name, list(counts)] for name, counts in self.elsewhere.items())
        return [self.rows, list(self.counts), digest(known), elsewhere]

    def _hash_before(self, image: Image) -> str:
        if image.action == "DELETE":
            return image.hash
        before = self.before.get(image.place)
        return "" if before is None else before.hash

    def values(self, columns: Sequence[str]) -> dict[str, str]:
        """The columns of updated rows that have changed, or may have, with digests of what is in them now."""
        updated = [image for image in self.after if self.kind_of(image) == "updated"]
        return {
            column: digest(sorted([list(image.key), _value(image, column, at)] for image in updated))[:12]
            for at, column in enumerate(columns)
            if any(self._may_have_changed(image, at) for image in updated)
        }

    def _may_have_changed(self, image: Image, at: int) -> bool:
        before = self.before.get(image.place)
        return before is None or before.cells[at] != image.cells[at]


def _value(image: Image, column: str, at: int) -> list[str | None]:
    """Something that can be sorted, also where it is null."""
    cell = image.cells[at]
    return ["now"] if column in image.nows else [] if cell is None else ["", cell]


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
    named = closure.reached | {target.title, *target.heirs}
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
        InvalidArguments: It touches more rows than one change may, with what comes with it.
        StatementRefused: Triggers empty or rebuild whole tables.
        OutsideFence: What comes with it changes or removes rows of tables outside of the fence.
        ChangedMeanwhile: Somebody else changes the same rows now.
    """
    before = await counted(session, change.target)
    try:
        rows = await session.do(changing_sql(change.stated, change.target, most), params)
        await session.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is deferred would escape us
    except Exception as error:
        if (getattr(error, "sqlstate", None) or "")[:2] == "40":
            raise ChangedMeanwhile(
                "Somebody else has changed the same rows just now, so nothing was done. "
                "Call again without `commit_token` to see the effect as it would be now."
            ) from error
        raise
    count = rows[0]["n"] if rows else 0
    _require_few(count, most)
    effect = Effect(count, images_from(rows), {}, {})
    elsewhere = besides(before, await counted(session, change.target), change.target, effect.counts)
    _require_few(count + sum(updated + deleted for _, updated, deleted in elsewhere.values()), most)
    await require_no_rebuilding(session, fence)
    return replace(effect, elsewhere=inside(elsewhere, fence))


async def rehearse(
    session: ChangeSession, change: Change, params: Sequence[Any], most: int, fence: Fence
) -> Effect:
    """Make a change, see what it did, take it back, and see what was there before."""
    await session.savepoint()
    effect = await run(session, change, params, most, fence)
    await session.take_back()
    keys: list[Key] = []
    if change.target.key and change.target.plain_key and not change.rekeys:
        keys = [image.key for image in effect.after if effect.kind_of(image) == "updated"]
    return replace(effect, before=await images_of(session, change.target, keys))


def _require_few(count: int, most: int) -> None:
    if count > most:
        raise InvalidArguments(
            f"This would change {count:,} rows, and one call may change {most:,}: nothing was done. Narrow "
            "it with WHERE and go in steps, or let the operator raise RINGMAIN_POSTGRES_WRITE_MAX_ROWS."
        )
