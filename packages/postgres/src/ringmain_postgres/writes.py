"""The tool that changes rows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.arguments import IdempotencyKey, OnRecord, Rehearsal, withheld
from ringmain_core.call import Call
from ringmain_core.errors import NotFound
from ringmain_core.policy import Fence
from ringmain_core.tooling import tool
from ringmain_postgres import writing
from ringmain_postgres.changing import ChangeSession, was_committed
from ringmain_postgres.client import Database as Server
from ringmain_postgres.databases import Postgres
from ringmain_postgres.diff import Written, diff_of, notes_of
from ringmain_postgres.tools import Database, Params, without_literals
from ringmain_postgres.writing import Change, ChangedMeanwhile, Effect

_AGAIN = "Nothing was done. Call again without `commit_token` to see the effect as it would be now."

CommitToken = Annotated[
    str | None,
    Field(description="From the rehearsal; without it nothing lasts."),
    Rehearsal(lambda token: token is None),
    OnRecord(withheld),
]


async def what_became(postgres: Postgres, call: Call, note: Any) -> Written | None:
    """What became of a try whose answer was lost; without a note it had not come to committing."""
    if note is None:
        return None
    async with postgres.database(note["database"]).read(call.deadline) as session:
        if not await was_committed(session, note["xid"], note["server"]):
            return None
    inserted, updated, deleted = note["counts"]
    return Written(
        database=note["database"],
        table=note["table"],
        done=True,
        inserted=inserted,
        updated=updated,
        deleted=deleted,
        notes=["The answer of the first try was lost; Postgres says that it was committed."],
    )


@tool(access="write", title="Change rows", since="v2", settle=what_became)
async def write(
    postgres: Postgres,
    call: Call,
    sql: Annotated[
        str,
        Field(description="One INSERT, UPDATE, DELETE or MERGE; `$1`… for values."),
        OnRecord(without_literals),
    ],
    params: Params = None,
    commit_token: CommitToken = None,
    database: Database = None,
    idempotency_key: IdempotencyKey = None,
) -> Written:
    """Change rows of one table in two calls: the first tries it, shows the exact diff and rolls back.

    The second, with its `commit_token` and the same arguments, commits if the effect is still the same.
    """
    server = postgres.database(database)
    if not server.settings.writes:
        raise NotFound(f"{server.name!r} cannot be written to here. Only its operator can change that.")
    await call.may_share(server.settings.audience, f"Write to {server.name}")
    statement = [sql, params or []]
    shown = None
    if commit_token is not None:
        shown = await postgres.tokens.take(call, commit_token, server.name, statement, idempotency_key)
    most, fence = postgres.settings.write_max_rows, call.fence("table")
    async with server.change(call.deadline) as session:
        change = await writing.judge(session, call, sql)
        await call.saw(server.settings.audience)
        if shown is None:
            effect = await writing.rehearse(session, change, params or [], most, fence)
        else:
            effect = await _as_shown(session, change, params or [], most, fence, shown)
            mark = await session.mark()
            noted = {"database": server.name, "table": change.target.title, "counts": list(effect.counts)}
            await call.note(noted | mark)
            await session.commit(mark["xid"])
    if shown is not None:
        return _written(server, change, effect, done=True)
    shown = [*effect.essence(), effect.values(change.target.columns)]
    token = postgres.tokens.make(call, server.name, statement, shown)
    return _written(server, change, effect, done=False).model_copy(update={"commit_token": token})


async def _as_shown(
    session: ChangeSession, change: Change, params: Sequence[Any], most: int, fence: Fence, shown: list[Any]
) -> Effect:
    """Make the change if it does what was shown."""
    if not change.stated.may_update:
        effect = await writing.run(session, change, params, most, fence)
        _require_same(effect, shown)
        return effect
    trial = await writing.rehearse(session, change, params, most, fence)
    _require_same(trial, shown)
    effect = replace(await writing.run(session, change, params, most, fence), before=trial.before)
    _require_same(effect, shown)
    _require_same_values(change, trial, effect, shown[-1])
    return effect


def _require_same_values(change: Change, trial: Effect, effect: Effect, shown: dict[str, str]) -> None:
    """Let through what differs at every try, from a sequence or by chance: it cannot be what was shown."""
    tried, made = (each.values(change.target.columns) for each in (trial, effect))
    others = [
        column
        for column in change.target.columns
        if made.get(column) != shown.get(column) and made.get(column) == tried.get(column)
    ]
    if others:
        raise ChangedMeanwhile(f"It would give {', '.join(others)} other values than were shown. {_AGAIN}")


def _require_same(effect: Effect, shown: list[Any]) -> None:
    essence = effect.essence()
    if essence == shown[:-1]:
        return
    if essence[:2] != shown[:2]:
        kinds = "inserted, updated and deleted"
        was, now = (" / ".join(map(str, counts)) for counts in (shown[1], essence[1]))
        what = f"It would change other numbers of rows than were shown: {was} {kinds} then, {now} now."
    elif essence[2] != shown[2]:
        what = "The rows that it would change are others than were shown, or not what they were."
    else:
        what = "What triggers and foreign keys would do is not what was shown."
    raise ChangedMeanwhile(f"{what} {_AGAIN}")


def _written(server: Server, change: Change, effect: Effect, *, done: bool) -> Written:
    inserted, updated, deleted = effect.counts
    return Written(
        database=server.name,
        table=change.target.title,
        done=done,
        inserted=inserted,
        updated=updated,
        deleted=deleted,
        diff=diff_of(change, effect),
        notes=notes_of(change, effect),
    )
