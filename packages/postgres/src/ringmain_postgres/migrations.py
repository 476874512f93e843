"""The tool that changes the schema."""

import re
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.arguments import IdempotencyKey, OnRecord
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound
from ringmain_core.results import Answer
from ringmain_core.text import clean, untrusted
from ringmain_core.tooling import tool
from ringmain_postgres import migrating
from ringmain_postgres.changing import was_committed
from ringmain_postgres.client import Database as Server
from ringmain_postgres.databases import Postgres
from ringmain_postgres.tokens import digest
from ringmain_postgres.tools import Database, without_literals
from ringmain_postgres.writes import CommitToken
from ringmain_postgres.writing import ChangedMeanwhile

_MOST_LINES = 200
_LINE = 500  # characters
_ASKED = 8_000  # characters
_CHANGES_ASKED = 2_000  # characters
_BLANKS = re.compile(r"\s{20,}")


class Migrated(Answer):
    """What a migration has done, or would do."""

    database: str
    done: bool
    changes: list[str] = Field(default_factory=list[str])
    locks: list[str] = Field(default_factory=list[str])
    warnings: list[str] = Field(default_factory=list[str])
    commit_token: str | None = None

    def text(self) -> str:
        standing = "Done and committed" if self.done else "Tried and rolled back; it would be"
        lines = [f"{standing}: {len(self.changes):,} changes of the catalogue ({self.database})."]
        if self.changes:
            shown = [
                line if len(line) <= _LINE else f"{line[:_LINE]}..." for line in self.changes[:_MOST_LINES]
            ]
            if len(self.changes) > _MOST_LINES:
                shown.append(f"... and {len(self.changes) - _MOST_LINES:,} more")
            lines.append(untrusted("\n".join(shown), f"{self.database} catalogue"))
        lines += [f"- takes {lock}" for lock in self.locks]
        lines += [f"- {warning}" for warning in self.warnings]
        if self.commit_token:
            lines.append(
                "Nothing has changed yet. To do exactly this within 10 minutes, call again with the same "
                f"arguments and commit_token={self.commit_token!r}, and an `idempotency_key` of your own."
            )
        return "\n".join(lines)


async def _what_became(postgres: Postgres, call: Call, note: Any) -> Migrated | None:
    if note is None:
        return None
    async with postgres.database(note["database"]).read(call.deadline) as session:
        if not await was_committed(session, note["xid"], note["server"]):
            return None
    return Migrated(
        database=note["database"],
        done=True,
        warnings=["The answer of the first try was lost; Postgres says that it was committed."],
    )


async def _question(
    postgres: Postgres,
    call: Call,
    sql: str,
    commit_token: str | None,
    database: str | None,
    idempotency_key: str | None,  # noqa: ARG001 (a question takes what its tool takes)
) -> str:
    server = _open_to_migrations(postgres, database)
    _require_showable(sql)
    effect: dict[str, list[str]] = {"changes": [], "warnings": []}
    if commit_token is not None:
        effect = postgres.tokens.look(call, commit_token, server.name, sql)["shown"]
    return "\n".join(
        [
            f"Change the schema of {server.name}? This comes of it:",
            *map(clean, effect["changes"]),
            *(f"- {clean(warning)}" for warning in effect["warnings"]),
            "It is done with:",
            _BLANKS.sub(lambda blanks: f" [{len(blanks[0]):,} blanks] ", clean(sql)),
        ]
    )


def _require_showable(sql: str) -> None:
    if len(sql) > _ASKED:
        raise InvalidArguments(
            f"A person has to see all of it, and can be shown {_ASKED:,} characters at most. Go in steps."
        )


def _foremost(changes: list[str]) -> list[str]:
    """The changes that a question shows: first what is lost, then what becomes different."""
    shown: list[str] = []
    room = _CHANGES_ASKED
    for change in sorted(changes, key=lambda change: "-~+".index(change[0])):
        line = change if len(change) <= _LINE else f"{change[:_LINE]}..."
        room -= len(line)
        if room < 0:
            return [*shown, f"... and {len(changes) - len(shown):,} more changes"]
        shown.append(line)
    return shown or ["Nothing changes in the catalogue."]


@tool(access="destructive", title="Change the schema", since="v2", question=_question, settle=_what_became)
async def migrate(
    postgres: Postgres,
    call: Call,
    sql: Annotated[
        str, Field(description="CREATE, ALTER, DROP, COMMENT; several with `;`."), OnRecord(without_literals)
    ],
    commit_token: CommitToken = None,
    database: Database = None,
    idempotency_key: IdempotencyKey = None,
) -> Migrated:
    """Change tables, indexes, views and types in two calls, like `write`.

    The first shows what would change, locks and warnings, and rolls back.
    """
    server = _open_to_migrations(postgres, database)
    _require_showable(sql)
    await call.may_share(server.settings.audience, f"Change the schema of {server.name}")
    expected = None
    if commit_token is not None:
        expected = (await postgres.tokens.take(call, commit_token, server.name, sql, idempotency_key))[
            "digest"
        ]
    async with server.change(call.deadline) as session:
        await call.saw(server.settings.audience)
        migration = await migrating.migrate(session, call, sql)
        found = digest([migration.changes, migration.locks, migration.warnings])
        if expected is not None:
            if found != expected:
                raise ChangedMeanwhile(
                    "This would not do any more what was shown. Nothing was done. Call again without "
                    "`commit_token` to see the effect as it would be now."
                )
            mark = await session.mark()
            await call.note({"database": server.name} | mark)
            await session.commit(mark["xid"])
    token = None
    if expected is None:
        shown = {"digest": found, "changes": _foremost(migration.changes), "warnings": migration.warnings}
        token = postgres.tokens.make(call, server.name, sql, shown)
    return Migrated(
        database=server.name,
        done=expected is not None,
        changes=migration.changes,
        locks=migration.locks,
        warnings=migration.warnings,
        commit_token=token,
    )


def _open_to_migrations(postgres: Postgres, database: str | None) -> Server:
    server = postgres.database(database)
    if not server.settings.migrations:
        raise NotFound(
            f"The schema of {server.name!r} cannot be changed here. Only its operator can change that."
        )
    return server
