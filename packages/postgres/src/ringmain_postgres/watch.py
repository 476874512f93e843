"""The live resources: how changes of rows, and notifications, become known."""

from collections.abc import AsyncGenerator, Mapping

from ringmain_core.call import Call
from ringmain_core.errors import NotFound, UpstreamRefused
from ringmain_core.live.watch import Variables, Watch
from ringmain_core.policy import Fence, Grant
from ringmain_postgres import catalog
from ringmain_postgres.databases import Postgres
from ringmain_postgres.ears import is_channel
from ringmain_postgres.session import Session

_COUNTED_KINDS = ("table", "materialized_view")


def channel_fence(grant: Grant) -> Fence:
    """The channels that a grant lets its holder hear.

    A role that fences tables and says nothing of channels gives none: their payloads could hold any row.
    """
    patterns: list[str] = []
    for fences in grant.fences:
        if "postgres.channel" in fences:
            patterns += fences["postgres.channel"]
        elif "postgres.table" not in fences:
            return Fence()
    return Fence(tuple(patterns)) if grant.fences else Fence()


async def counted_table(session: Session, call: Call, schema: str, table: str) -> int:
    """The OID of a table whose changes are counted.

    Raises:
        NotFound: Where there is none of that name, or something else.
        OutsideFence: Instead, for a caller with a fence.
    """
    name = f"{catalog.quoted(schema)}.{catalog.quoted(table)}"
    found = await catalog.resolve(session, name, call.fence("table"))
    if found.kind not in _COUNTED_KINDS:
        raise NotFound(f"`{schema}.{table}` is no table: nothing counts its changes. Read it with `query`.")
    return found.oid


def require_channel(postgres: Postgres, call: Call, db: str, channel: str) -> None:
    """See that a channel can be heard by this caller.

    Raises:
        NotFound: Where there can be no such channel, or the caller's fence keeps it away.
        UpstreamRefused: Where no notification would come through.
    """
    ears = postgres.ears_of(db)
    if not is_channel(channel) or not channel_fence(call.grant).admits(channel):
        raise NotFound("There is no such resource here. `resources/templates/list` shows what there is.")
    if not ears.notifies:
        raise UpstreamRefused(
            f"{db!r} is reached through a pooler, which keeps notifications to itself. Tell the operator to "
            "set RINGMAIN_POSTGRES_LISTEN_URL (or `listen_url` of the database) to its own address."
        )


def _rows_changes(postgres: Postgres, variables: Variables) -> AsyncGenerator[None]:
    return postgres.ears_of(variables["db"]).rows((variables["schema"], variables["table"]))


def _rows_permits(_: Postgres, grant: Grant, variables: Variables) -> bool:
    return grant.fence("postgres.table").admits(f"{variables['schema']}.{variables['table']}")


async def _rows_check(postgres: Postgres, call: Call, variables: Variables) -> None:
    db = variables["db"]
    async with postgres.database(db).read(call.deadline) as session:
        await counted_table(session, call, variables["schema"], variables["table"])
        (row,) = await session.fetch("SELECT pg_catalog.pg_is_in_recovery() AS standby")
    if row["standby"]:
        raise UpstreamRefused(f"{db!r} is a standby, which does not tell of changes. Ask its primary.")


def _channel_changes(postgres: Postgres, variables: Variables) -> AsyncGenerator[None]:
    return postgres.ears_of(variables["db"]).channel(variables["channel"])


def _channel_permits(_: Postgres, grant: Grant, variables: Variables) -> bool:
    return channel_fence(grant).admits(variables["channel"])


async def _channel_check(postgres: Postgres, call: Call, variables: Variables) -> None:
    require_channel(postgres, call, **variables)


WATCHES: Mapping[str, Watch[Postgres]] = {
    "rows": Watch(_rows_changes, _rows_permits, _rows_check),
    "channel": Watch(_channel_changes, _channel_permits, _channel_check),
}
