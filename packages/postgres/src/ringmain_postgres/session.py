"""A read-only transaction: statements are judged in it, analysed in it, and run in it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from ringmain_core.errors import ToolFailure
from ringmain_postgres.parameters import TEXTUAL_TYPES, to_postgres
from ringmain_postgres.rowtext import Column
from ringmain_postgres.sql import Checked, Guard, Recall, Shape, SqlRefused

Rows = Sequence[Mapping[str, Any]]

_PIN = "SELECT 1"
_ONE_ROW = "SELECT 1"  # the status of whatever returned one row
# A plan made for the values is worth its time.
_PLANS_FOR_VALUES = "SET LOCAL plan_cache_mode = auto"


class Connection(Protocol):
    """What of an asyncpg connection is used here; the library is imported when the first one is opened."""

    async def execute(self, query: str, *, timeout: float | None = None) -> str: ...  # noqa: ASYNC109
    async def fetch(self, query: str, *args: Any) -> Rows: ...
    async def fetchval(self, query: str) -> Any: ...
    async def prepare(self, query: str, *, name: str) -> Any: ...
    async def set_type_codec(self, typename: str, **how: Any) -> None: ...
    async def reload_schema_state(self) -> None: ...
    def get_server_version(self) -> Any: ...
    async def close(self) -> None: ...
    def is_closed(self) -> bool: ...
    def is_in_transaction(self) -> bool: ...
    def terminate(self) -> None: ...


class StatementRefused(ToolFailure):
    """The guard does not let a statement run; nothing of it did.

    Attributes:
        reason: The guard's own code, which says why.
    """

    code = "statement_refused"
    gate = "guard"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Signature:
    """What a statement returns, and the types of its parameters.

    Attributes:
        mark: A comment that no other analysis has. Prepared statements are known by their text, and one that
            was prepared when a parameter was of another type must not be taken for this.
        wrapped: The statements that make pages of its rows, by what is asked of the page.
    """

    columns: tuple[Column, ...]
    parameters: tuple[str, ...]
    mark: str
    wrapped: dict[tuple[Any, ...], str] = field(default_factory=dict[tuple[Any, ...], str], compare=False)


Textual = WeakKeyDictionary[Connection, set[str]]
"""The types that each connection sends and gets as text; a session that is reset keeps them."""

Signatures = WeakKeyDictionary[Checked, Signature]
"""As long as a statement's judgement holds, so does what it returns: both rest on the same facts."""

Likes = WeakKeyDictionary[Shape, Signature]
"""What statements return that differ in nothing but constants: of those, only the types matter."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What one database's transactions learn for those after them; nothing of it is used unasked.

    Attributes:
        recall: What the catalogue said; `None` where sessions cannot be asked whether it still does.
        signatures: What statements return.
        likes: What statements like them return, which then need not be analysed.
        textual: What connections were told about types.
        analyses: Numbers them.
    """

    recall: Recall | None
    signatures: Signatures = field(default_factory=Signatures)
    likes: Likes = field(default_factory=Likes)
    textual: Textual = field(default_factory=Textual)
    analyses: Iterator[int] = field(default_factory=count)


class Session:
    """A read-only transaction: everything in it sees one snapshot, and at its end it is rolled back.

    Args:
        memory: Of the transactions before.
        opening: The statements that open the transaction; they are sent with the first that needs it. Without
            them, everything runs by itself.
    """

    def __init__(self, connection: Connection, guard: Guard, memory: Memory, opening: str | None) -> None:
        self._connection = connection
        self._guard = guard
        self._memory = memory
        self._opening = opening
        self._plans_for_values = False
        self._first_time = False

    async def check(self, sql: str) -> Checked:
        """Judge a statement against the catalogue as this transaction sees it.

        Raises:
            StatementRefused: With the reason, and what to do instead.
        """
        try:
            return await self._guard.check(sql, self._look_up)
        except SqlRefused as refused:
            raise StatementRefused(str(refused), reason=refused.code) from refused

    async def fetch(self, sql: str, *parameters: Any) -> Rows:
        """Run a statement of our own and return its rows."""
        connection = await self._begun()
        return await connection.fetch(sql, *parameters)

    async def describe(self, checked: Checked) -> Signature:
        """What a statement returns and takes; it is not run, and analysed if no other like it was."""
        known = self._memory.signatures.get(checked)
        if known is not None:
            return known
        like = self._memory.likes.get(checked.shape)
        if like is None:
            like = self._memory.likes[checked.shape] = await self._analyse(checked)
        signature = Signature(like.columns, like.parameters, like.mark)
        self._memory.signatures[checked] = signature
        self._first_time = True
        return signature

    async def _analyse(self, checked: Checked) -> Signature:
        connection = await self._begun()
        statement = await connection.prepare(checked.sql, name="")  # unnamed: nothing to close later
        columns = (
            Column(attribute.name, attribute.type.name, attribute.type.schema == "pg_catalog")
            for attribute in statement.get_attributes()
        )
        parameters = tuple(parameter.name for parameter in statement.get_parameters())
        return Signature(tuple(columns), parameters, f"/* {next(self._memory.analyses)} */")

    async def run(self, sql: str, parameters: Sequence[Any], types: Sequence[str]) -> Rows:
        """Run a checked statement, with values that came as JSON for parameters of these types."""
        values = to_postgres(parameters, types)
        if self._opening is not None:
            await self._begin(_PLANS_FOR_VALUES if values else _PIN)
        elif values and not self._plans_for_values:
            await self._connection.execute(_PLANS_FOR_VALUES)
        await self._send_as_text({kind.removesuffix("[]") for kind in types} & TEXTUAL_TYPES)
        if not self._first_time:
            return await self._connection.fetch(sql, *values)
        # Most statements never come again: only those that do are worth keeping prepared.
        statement = await self._connection.prepare(sql, name="")
        return await statement.fetch(*values)

    async def _send_as_text(self, kinds: set[str]) -> None:
        if not kinds:
            return
        told = self._memory.textual.setdefault(self._connection, set())
        for kind in sorted(kinds - told):
            await self._connection.set_type_codec(
                kind, schema="pg_catalog", encoder=str, decoder=str, format="text"
            )
            told.add(kind)

    async def _look_up(self, question: str, *arguments: Any) -> Rows:
        """Ask the catalogue, or ask it only whether its last answer holds, which begins the transaction."""
        recall = self._memory.recall
        if recall is None:
            return await self.fetch(question, *arguments)
        known = recall.find(question, arguments) if self._opening is not None else None
        if known is not None and await self._begin(known.still_holds) == _ONE_ROW:
            self._plans_for_values = True
            return known.rows
        rows = await self.fetch(question, *arguments)
        recall.keep(question, arguments, rows)
        return rows

    async def _begun(self) -> Connection:
        """The connection, in this transaction. Whatever uses it comes through here, or through `_begin`."""
        if self._opening is not None:
            await self._begin()
        return self._connection

    async def _begin(self, first: str = _PIN) -> str:
        """Open the transaction, and run a statement that pins the snapshot, in one round trip; its status."""
        opening, self._opening = self._opening, None
        return await self._connection.execute(f"{opening} {first}")
