"""A read-only transaction: statements are judged in it, analysed in it, and run in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from ringmain_core.errors import ToolFailure
from ringmain_postgres.parameters import TEXTUAL_TYPES, to_postgres
from ringmain_postgres.rowtext import Column
from ringmain_postgres.sql import Checked, Guard, SqlRefused

Rows = Sequence[Mapping[str, Any]]


class Connection(Protocol):
    """What of an asyncpg connection is used here; the library is imported when the first one is opened."""

    async def execute(self, query: str) -> str: ...
    async def fetch(self, query: str, *args: Any) -> Rows: ...
    async def fetchval(self, query: str) -> Any: ...
    async def prepare(self, query: str, *, name: str) -> Any: ...
    async def set_type_codec(self, typename: str, **how: Any) -> None: ...
    async def reload_schema_state(self) -> None: ...
    def is_closed(self) -> bool: ...
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
    """What a statement returns, and the types of its parameters."""

    columns: tuple[Column, ...]
    parameters: tuple[str, ...]


Signatures = WeakKeyDictionary[Checked, Signature]
"""As long as a statement's judgement holds, so does what it returns: both rest on the same facts."""


class Session:
    """A read-only transaction: everything in it sees one snapshot, and at its end it is rolled back."""

    def __init__(self, connection: Connection, guard: Guard, signatures: Signatures) -> None:
        self._connection = connection
        self._guard = guard
        self._signatures = signatures

    async def check(self, sql: str) -> Checked:
        """Judge a statement against the catalogue as this transaction sees it.

        Raises:
            StatementRefused: With the reason, and what to do instead.
        """
        try:
            return await self._guard.check(sql, self.fetch)
        except SqlRefused as refused:
            raise StatementRefused(str(refused), reason=refused.code) from refused

    async def fetch(self, sql: str, *parameters: Any) -> Rows:
        """Run a statement of our own and return its rows."""
        return await self._connection.fetch(sql, *parameters)

    async def describe(self, checked: Checked) -> Signature:
        """What a statement returns and takes; it is analysed, not run."""
        known = self._signatures.get(checked)
        if known is not None:
            return known
        statement = await self._connection.prepare(checked.sql, name="")  # unnamed: nothing to close later
        columns = (
            Column(attribute.name, attribute.type.name, attribute.type.schema == "pg_catalog")
            for attribute in statement.get_attributes()
        )
        parameters = (parameter.name for parameter in statement.get_parameters())
        self._signatures[checked] = Signature(tuple(columns), tuple(parameters))
        return self._signatures[checked]

    async def run(self, sql: str, parameters: Sequence[Any], types: Sequence[str]) -> Rows:
        """Run a checked statement, with values that came as JSON for parameters of these types."""
        values = to_postgres(parameters, types)
        textual = {kind.removesuffix("[]") for kind in types} & TEXTUAL_TYPES
        for kind in sorted(textual):
            await self._connection.set_type_codec(
                kind, schema="pg_catalog", encoder=str, decoder=str, format="text"
            )
        if values:  # a plan made for them is worth its time
            await self._connection.execute("SET LOCAL plan_cache_mode = auto")
        return await self._connection.fetch(sql, *values)
