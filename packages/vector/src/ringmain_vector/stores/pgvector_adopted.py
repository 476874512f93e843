"""Tables of others, searched as they are: each row is a document of one passage. Nothing is written."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn, cast

from ringmain_core.errors import UpstreamRefused
from ringmain_vector.domain import (
    NOBODY,
    Document,
    FieldType,
    Key,
    Manifest,
    Passage,
    Scored,
    Stats,
    Value,
    Where,
)
from ringmain_vector.stores.pgvector_connections import Connections, Row, Transaction
from ringmain_vector.stores.pgvector_filters import Parameters, conditions_sql
from ringmain_vector.stores.pgvector_rows import scored
from ringmain_vector.vectors import digest_of, unit_vector_of

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector

_COLUMNS = """
    SELECT a.attname AS name, t.typname AS type, a.atttypmod AS size
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
"""
_DIMENSION = "SELECT vector_dims({vector}) FROM {table} WHERE {vector} IS NOT NULL LIMIT 1"
_KINDS = ("vector", "halfvec")
_NOTE = (
    "A table of others has no index of words, so only its vectors are searched. Migrate it to search by "
    "words, too."
)

_DENSE = """
    SELECT r.id, r.number, r.score FROM (
        SELECT {id} AS id, 0 AS number, 1 - ({distance}) AS score FROM {table}
        WHERE {tenant} = ANY($1::text[]) AND {vector} IS NOT NULL {conditions} ORDER BY {order} LIMIT $2
    ) r ORDER BY r.score DESC
"""
_DISTANCE = "{vector} <=> $3::real[]::{kind}"
_ROW = """
    SELECT {id} AS id, coalesce({title}, '') AS title, coalesce({uri}, '') AS uri,
        length({text}) AS length, 1 AS passages, {metadata} AS metadata, {text} AS text,
        {vector}::real[] AS vector
    FROM {table} WHERE {tenant} = ANY($1::text[]) AND {text} IS NOT NULL
"""
_DOCUMENTS = _ROW + " AND {id} > $2 {conditions} ORDER BY {id} LIMIT $3"
_FETCH = _ROW + " AND {id} = ANY($2::text[])"
_THESE = """
    SELECT {id} AS id, 0 AS number, 1 - ({distance}) AS score FROM {table}
    WHERE {tenant} = ANY($1::text[]) AND {vector} IS NOT NULL AND {id} = ANY($2::text[])
"""
_TENANTS = "SELECT DISTINCT {tenant} AS tenant FROM {table} WHERE {tenant} IS NOT NULL"
_STATS = "SELECT count(*) FROM {table} WHERE {tenant} = ANY($1::text[]) AND {text} IS NOT NULL"


def _itself(name: str) -> Sequence[str]:
    return [name]


@dataclass(frozen=True, slots=True)
class Adoption:
    """Where in a table of others what is.

    Attributes:
        manifest: Who knows the table says with which model its vectors were made, and what to filter by.
        table: With its schema: `public.articles`.
        id: The column of the ids, which are unique; so with the others.
        metadata: One column of the type jsonb, or those whose values are the metadata.
        tenant: Without such a column, all rows are nobody's; with it, those without a value are not found.
        tenant_named: The tenant that a value in that column means.
        names_of: All values that mean a tenant.
    """

    manifest: Manifest
    table: str
    id: str
    text: str
    vector: str
    title: str | None = None
    uri: str | None = None
    metadata: str | Sequence[str] = ()
    tenant: str | None = None
    tenant_named: Callable[[str], str] = str
    names_of: Callable[[str], Sequence[str]] = _itself

    def columns(self) -> set[str]:
        """All that the table has to have."""
        metadata = [self.metadata] if isinstance(self.metadata, str) else self.metadata
        named = (self.id, self.text, self.vector, self.title, self.uri, self.tenant, *metadata)
        return {one for one in named if one is not None}


class AdoptedTable:
    """A table as a collection. It is searched by meaning only, since nobody has counted its words.

    Args:
        kind: The type of its vectors.
        dimension: Of them; 0 where it has none yet.
    """

    is_read_only = True

    def __init__(
        self, name: str, adoption: Adoption, connections: Connections, kind: str, dimension: int
    ) -> None:
        self.name = name
        self.manifest = replace(adoption.manifest, dimension=dimension)
        self._adoption = adoption
        self._connections = connections
        self._expressions = _expressions(adoption) | {"kind": kind}

    @classmethod
    async def open(cls, name: str, adoption: Adoption, connections: Connections) -> "AdoptedTable":
        """The table, if it is as it is said to be.

        Raises:
            UpstreamRefused: With what it lacks.
        """
        table = _qualified(adoption.table)
        rows = await connections.read("adopt", lambda transaction: transaction.fetch(_COLUMNS, table))
        kinds: dict[str, str] = {row["name"]: row["type"] for row in rows}
        if not kinds:
            raise UpstreamRefused(f"There is no table {table}, or this login may not see it.")
        lacking = sorted(adoption.columns() - kinds.keys())
        if lacking:
            raise UpstreamRefused(f"The table {table} has no column {', '.join(lacking)}.")
        kind = kinds[adoption.vector]
        if kind not in _KINDS:
            raise UpstreamRefused(f"{table}.{adoption.vector} is a {kind}, not a {' or a '.join(_KINDS)}.")
        dimension = await _dimension(adoption, connections, rows)
        said = adoption.manifest.dimension
        if said and dimension and said != dimension:
            raise UpstreamRefused(f"{table}.{adoption.vector} has {dimension} dimensions, not {said}.")
        return cls(name, adoption, connections, kind, dimension or said)

    async def declare(self, fields: Mapping[str, FieldType]) -> None:
        self._refuse(fields)

    async def replace(self, document: Document, passages: Sequence[Passage]) -> None:
        self._refuse(document, passages)

    async def delete(self, tenant: str, ids: Sequence[str]) -> int:
        self._refuse(tenant, ids)

    async def dense(self, vector: "Vector", k: int, where: Where, *, exact: bool) -> list[Scored]:
        parameters: Parameters = [self._names(where.tenant), k, vector.tolist()]
        conditions = conditions_sql(where.conditions, self._expressions["metadata"], parameters)
        distance = self._sql(_DISTANCE)
        orders = [f"({distance}) + 0"] if exact else [distance, f"({distance}) + 0"]

        async def work(transaction: Transaction) -> list[Scored]:
            found: list[Scored] = []
            for order in orders:  # what an index has kept back is only seen by asking without it
                statement = self._sql(_DENSE, distance=distance, order=order, conditions=conditions)
                found = scored(await transaction.fetch(statement, *parameters))
                if len(found) >= k:
                    break
            return found

        return await self._connections.read("dense", work)

    async def lexical(self, terms: Mapping[int, float], k: int, where: Where) -> list[Scored]:  # noqa: ARG002
        return []

    async def measured(
        self,
        tenant: str,
        keys: Sequence[Key],
        vector: "Vector",
        terms: Mapping[int, float],  # noqa: ARG002
    ) -> tuple[list[Scored], list[Scored]]:
        statement = self._sql(_THESE, distance=self._sql(_DISTANCE))
        ids = [one for one, number in keys if number == 0]
        return scored(await self._fetch(statement, self._names(tenant), ids, vector.tolist())), []

    async def fetch(self, tenant: str, keys: Sequence[Key]) -> list[Passage]:
        ids = [one for one, number in keys if number == 0]
        rows = await self._fetch(self._sql(_FETCH), self._names(tenant), ids)
        return [_passage_of(row, tenant) for row in rows]

    async def documents(self, where: Where, after: str, limit: int) -> list[Document]:
        parameters: Parameters = [self._names(where.tenant), after, limit]
        conditions = conditions_sql(where.conditions, self._expressions["metadata"], parameters)
        rows = await self._fetch(self._sql(_DOCUMENTS, conditions=conditions), *parameters)
        return [_document_of(row, where.tenant) for row in rows]

    async def passages(self, tenant: str, document_id: str, *, whole: bool = False) -> list[Passage]:
        rows = await self._fetch(self._sql(_FETCH), self._names(tenant), [document_id])
        read = _whole_passage_of if whole else _passage_of
        return [read(row, tenant) for row in rows]

    async def tenants(self) -> list[str]:
        rows = await self._fetch(self._sql(_TENANTS))
        return sorted({self._adoption.tenant_named(row["tenant"]) for row in rows})

    async def stats(self, tenant: str) -> Stats:
        (row,) = await self._fetch(self._sql(_STATS), self._names(tenant))
        return Stats(row["count"], row["count"], [_NOTE])

    async def optimize(self) -> None:
        """Whoever made it sees to its indexes."""

    async def _fetch(self, statement: str, *parameters: Any) -> Sequence[Row]:
        return await self._connections.read(
            self.name, lambda transaction: transaction.fetch(statement, *parameters)
        )

    def _names(self, tenant: str) -> list[str]:
        return list(self._adoption.names_of(tenant))

    def _sql(self, statement: str, **parts: str) -> str:
        return statement.format_map(self._expressions | parts)

    def _refuse(self, *_: object) -> NoReturn:
        raise UpstreamRefused(f"`{self.name}` is a table of others, which is only searched.")


def _expressions(adoption: Adoption) -> dict[str, str]:
    """What statements call the parts. Ids go by their code points, as in every store."""
    if isinstance(adoption.metadata, str):
        metadata = f"{_quoted(adoption.metadata)}::jsonb"
    else:
        pairs = ", ".join(f"{_literal(one)}, {_quoted(one)}" for one in adoption.metadata)
        metadata = f"jsonb_strip_nulls(jsonb_build_object({pairs}))"
    return {
        "table": _qualified(adoption.table),
        "id": f'({_quoted(adoption.id)}::text COLLATE "C")',
        "text": _quoted(adoption.text),
        "vector": _quoted(adoption.vector),
        "title": _column(adoption.title),
        "uri": _column(adoption.uri),
        "tenant": _column(adoption.tenant),
        "metadata": f"({metadata})",
    }


def _column(name: str | None) -> str:
    return f"'{NOBODY}'::text" if name is None else f"{_quoted(name)}::text"


def _qualified(table: str) -> str:
    """A table's name with its schema, as SQL has to have it."""
    schema, dot, name = table.partition(".")
    if not dot or not schema or not name:
        raise UpstreamRefused(f"Write the table {table!r} with its schema, like `public.articles`.")
    return f"{_quoted(schema)}.{_quoted(name)}"


def _quoted(name: str) -> str:
    if not name or "\0" in name:
        raise UpstreamRefused(f"{name!r} is no name of a table or a column.")
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _document_of(row: Row, tenant: str) -> Document:
    """Without what is no value to filter by, of which such a table may have anything."""
    found: object = json.loads(row["metadata"] or "{}")
    metadata = cast("dict[str, Any]", found) if isinstance(found, dict) else dict[str, Any]()
    plain: dict[str, Value] = {
        name: value for name, value in metadata.items() if isinstance(value, str | int | float)
    }
    digest = digest_of(row["text"], row["title"], row["uri"], plain, row["vector"])
    return Document(
        row["id"], tenant, row["title"], row["uri"], digest, row["length"], row["passages"], plain
    )


def _passage_of(row: Row, tenant: str) -> Passage:
    return Passage(_document_of(row, tenant), 0, row["text"], 0)


def _whole_passage_of(row: Row, tenant: str) -> Passage:
    """With a vector of length 1, as all others have."""
    vector = None if row["vector"] is None else unit_vector_of(row["vector"])
    return replace(_passage_of(row, tenant), vector=vector)


async def _dimension(adoption: Adoption, connections: Connections, columns: Sequence[Row]) -> int:
    """Of the vectors: as the column says, or else as the first one has; 0 where there is none."""
    size = next(int(row["size"]) for row in columns if row["name"] == adoption.vector)
    if size > 0:
        return size
    statement = _DIMENSION.format_map(_expressions(adoption))
    return await connections.read("dimension", lambda transaction: transaction.fetchval(statement)) or 0
