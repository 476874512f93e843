"""A store in Postgres: pgvector for the meaning, a table of postings for the words."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ringmain_core.errors import UpstreamRefused
from ringmain_vector.domain import NOBODY, Document, FieldType, Key, Manifest, Passage, Scored, Stats, Where
from ringmain_vector.stores import pgvector_schema as schema
from ringmain_vector.stores import pgvector_sql as sql
from ringmain_vector.stores.pgvector_adopted import AdoptedTable, Adoption
from ringmain_vector.stores.pgvector_connections import Connections, Limits, Transaction
from ringmain_vector.stores.pgvector_filters import Parameters, conditions_sql
from ringmain_vector.stores.pgvector_rows import (
    document_of,
    passage_of,
    rarity_of,
    row_of,
    scored,
    whole_passage_of,
)
from ringmain_vector.stores.pgvector_schema import ALL, MOST_INDEXED, Tables

if TYPE_CHECKING:
    from ringmain_core.upstream.guards import Guards
    from ringmain_vector.domain import Vector
    from ringmain_vector.stores.embedded_postgres import EmbeddedPostgres

_INDEX_ABOVE = 20_000
_MOST_WATCHED = 1_000  # candidates that an index of pgvector can keep in view


class PgVectorCollection:
    """One collection.

    Args:
        index_above: Passages from which on an index finds vectors faster than looking at all of them.
    """

    is_read_only = False

    def __init__(
        self, name: str, manifest: Manifest, tables: Tables, connections: Connections, index_above: int
    ) -> None:
        self.name = name
        self.manifest = manifest
        self._tables = tables
        self._connections = connections
        self._index_above = index_above

    async def declare(self, fields: Mapping[str, FieldType]) -> None:
        self.manifest = await self._connections.write(
            "declare", lambda transaction: schema.declare(transaction, self.name, fields), builds=True
        )

    async def replace(self, document: Document, passages: Sequence[Passage]) -> None:
        if not passages:
            await self.delete(document.tenant, [document.id])
            return
        metadata = json.dumps(dict(document.metadata), ensure_ascii=False)

        async def work(transaction: Transaction) -> None:
            key = await transaction.fetchval(
                self._tables.sql(sql.PUT_DOCUMENT),
                document.tenant,
                document.id,
                document.title,
                document.uri,
                document.digest,
                document.length,
                document.passages,
                metadata,
            )
            counts = await self._drop_passages(transaction, [key])
            counts.update(await self._put_passages(transaction, key, document.tenant, metadata, passages))
            await self._count(transaction, counts)

        await self._connections.write("replace", work)

    async def delete(self, tenant: str, ids: Sequence[str]) -> int:
        async def work(transaction: Transaction) -> int:
            found = await transaction.fetch(self._tables.sql(sql.LOCK_DOCUMENTS), tenant, list(ids))
            keys = [int(row["key"]) for row in found]
            if keys:
                counts = await self._drop_passages(transaction, keys)
                await transaction.execute(self._tables.sql(sql.DROP_DOCUMENTS), keys)
                await self._count(transaction, counts)
            return len(keys)

        return await self._connections.write("delete", work)

    async def dense(self, vector: "Vector", k: int, where: Where, *, exact: bool) -> list[Scored]:
        parameters: Parameters = [where.tenant, k, vector.tolist()]
        conditions = conditions_sql(where.conditions, "p.metadata", parameters)

        async def nearest(transaction: Transaction, order: str) -> list[Scored]:
            statement = self._tables.sql(sql.DENSE, distance=sql.DISTANCE, order=order, conditions=conditions)
            return scored(await transaction.fetch(statement, *parameters))

        async def work(transaction: Transaction) -> list[Scored]:
            if not exact and not await self._lets_few_through(transaction, where):
                found = await nearest(transaction, sql.DISTANCE)
                if len(found) >= k or not await schema.has_vector_index(transaction, self._tables):
                    return found  # otherwise the index may have given up before enough passed the filter
            return await nearest(transaction, sql.WITHOUT_INDEX)

        watched = min(max(100, 4 * k), _MOST_WATCHED)
        return await self._connections.read("dense", work, f"SET LOCAL hnsw.ef_search = {watched};")

    async def _lets_few_through(self, transaction: Transaction, where: Where) -> bool:
        """Whether all that pass a filter are soon compared: far from the query the index finds ever less."""
        if not where.conditions:
            return False
        parameters: Parameters = [where.tenant, self._index_above + 1]
        conditions = conditions_sql(where.conditions, "p.metadata", parameters)
        statement = self._tables.sql(sql.PASSING, conditions=conditions)
        passing = await transaction.fetchval(statement, *parameters)
        return passing <= self._index_above

    async def lexical(self, terms: Mapping[int, float], k: int, where: Where) -> list[Scored]:
        parameters: Parameters = [where.tenant, k, [], []]
        conditions = conditions_sql(where.conditions, "p.metadata", parameters)

        async def work(transaction: Transaction) -> list[Scored]:
            parameters[2:4] = await self._rarity(transaction, terms)
            statement = self._tables.sql(sql.LEXICAL, conditions=conditions)
            return scored(await transaction.fetch(statement, *parameters))

        return await self._connections.read("lexical", work) if terms else []

    async def measured(
        self, tenant: str, keys: Sequence[Key], vector: "Vector", terms: Mapping[int, float]
    ) -> tuple[list[Scored], list[Scored]]:
        ids, numbers = [one for one, _ in keys], [number for _, number in keys]

        async def work(transaction: Transaction) -> tuple[list[Scored], list[Scored]]:
            statement = self._tables.sql(sql.THESE_BY_MEANING)
            by_meaning = await transaction.fetch(statement, tenant, ids, vector.tolist(), numbers)
            known, rarity = await self._rarity(transaction, terms)
            statement = self._tables.sql(sql.THESE_BY_WORDS)
            by_words = await transaction.fetch(statement, tenant, ids, known, numbers, rarity)
            return scored(by_meaning), scored(by_words)

        return await self._connections.read("measured", work)

    async def _rarity(
        self, transaction: Transaction, terms: Mapping[int, float]
    ) -> tuple[list[int], list[float]]:
        """The words of a query that there are at all, and how much each tells."""
        return rarity_of(await transaction.fetch(self._tables.sql(sql.FREQUENCIES), [ALL, *terms]), ALL)

    async def fetch(self, tenant: str, keys: Sequence[Key]) -> list[Passage]:
        ids, numbers = [one for one, _ in keys], [number for _, number in keys]
        rows = await self._connections.read(
            "fetch", lambda transaction: transaction.fetch(self._tables.sql(sql.FETCH), tenant, ids, numbers)
        )
        return [passage_of(row) for row in rows]

    async def documents(self, where: Where, after: str, limit: int) -> list[Document]:
        parameters: Parameters = [where.tenant, after, limit]
        conditions = conditions_sql(where.conditions, "p.metadata", parameters)
        statement = self._tables.sql(sql.DOCUMENTS, conditions=conditions)
        rows = await self._connections.read(
            "documents", lambda transaction: transaction.fetch(statement, *parameters)
        )
        return [document_of(row) for row in rows]

    async def passages(self, tenant: str, document_id: str, *, whole: bool = False) -> list[Passage]:
        statement = self._tables.sql(sql.WHOLE_PASSAGES if whole else sql.PASSAGES)
        rows = await self._connections.read(
            "passages", lambda transaction: transaction.fetch(statement, tenant, document_id)
        )
        return [whole_passage_of(row) if whole else passage_of(row) for row in rows]

    async def tenants(self) -> list[str]:
        rows = await self._connections.read(
            "tenants", lambda transaction: transaction.fetch(self._tables.sql(sql.TENANTS))
        )
        return [str(row["tenant"]) for row in rows]

    async def stats(self, tenant: str) -> Stats:
        async def work(transaction: Transaction) -> Stats:
            (row,) = await transaction.fetch(self._tables.sql(sql.STATS), tenant, ALL)
            lacking = await self._lacks_index(transaction, row["everywhere"])
            return Stats(row["documents"], row["passages"], [self._advice()] if lacking else [])

        return await self._connections.read("stats", work)

    async def optimize(self) -> None:
        """Build the index of vectors if there are enough passages and it is not there.

        To be called when much was taken in, or when `stats` says that the index is missing. Searches go on
        meanwhile, writes wait; it takes about a minute for 100,000 passages.
        """

        async def work(transaction: Transaction) -> None:
            (row,) = await transaction.fetch(self._tables.sql(sql.STATS), NOBODY, ALL)
            if await self._lacks_index(transaction, row["everywhere"]):
                megabytes = row["everywhere"] * (self.manifest.dimension * 4 + 512) // 1_000_000
                await schema.build_vector_index(transaction, self._tables, min(max(megabytes, 64), 1_024))

        if self.manifest.dimension <= MOST_INDEXED:
            await self._connections.write("optimize", work, builds=True)

    async def _lacks_index(self, transaction: Transaction, passages: int) -> bool:
        return passages > self._index_above and not await schema.has_vector_index(transaction, self._tables)

    def _advice(self) -> str:
        if self.manifest.dimension > MOST_INDEXED:
            return f"Vectors of more than {MOST_INDEXED} dimensions have no index: searches look at all."
        return "The index of vectors is missing: each search looks at all passages until it is built."

    async def _drop_passages(self, transaction: Transaction, documents: list[int]) -> Counter[int]:
        """Remove what documents have; how the counts change."""
        found = await transaction.fetch(self._tables.sql(sql.DROP_PASSAGES), documents)
        keys = [int(row["key"]) for row in found]
        if not keys:
            return Counter()
        lost = await transaction.fetch(self._tables.sql(sql.DROP_POSTINGS), keys)
        return Counter({row["term"]: -row["passages"] for row in lost} | {ALL: -len(keys)})

    async def _put_passages(
        self,
        transaction: Transaction,
        document: int,
        tenant: str,
        metadata: str,
        passages: Sequence[Passage],
    ) -> Counter[int]:
        """Add what a document has; how the counts change."""
        rows = [(document, tenant, *row_of(one, metadata)) for one in passages]
        keys = [row["key"] for row in await transaction.fetchmany(self._tables.sql(sql.PUT_PASSAGE), rows)]
        postings = [
            (key, term, weight)
            for key, one in zip(keys, passages, strict=True)
            for term, weight in one.terms.items()
        ]
        if postings:
            columns = [list(column) for column in zip(*postings, strict=True)]
            await transaction.execute(self._tables.sql(sql.PUT_POSTINGS), *columns)
        return Counter({ALL: len(keys)} | Counter(term for _, term, _ in postings))

    async def _count(self, transaction: Transaction, changes: Counter[int]) -> None:
        """Keep the counts, last of all: their rows are everybody's, and locked until the end."""
        real = {term: change for term, change in changes.items() if change}
        await transaction.execute(self._tables.sql(sql.COUNT), list(real), list(real.values()))


class PgVectorStore:
    """Collections in a database's schema `ringmain_vector`, and tables of others that are only searched.

    Args:
        url: As asyncpg takes it, TLS included; or a server that is started when first wanted.
        guards: Where there are any, one of theirs watches over the database.
        adopted: By the name of the collection.
        index_above: As for a collection.
    """

    kind = "pgvector"

    def __init__(
        self,
        url: "str | EmbeddedPostgres",
        guards: "Guards | None" = None,
        limits: Limits | None = None,
        *,
        adopted: Mapping[str, Adoption] | None = None,
        index_above: int = _INDEX_ABOVE,
    ) -> None:
        self._connections = Connections(url, guards, limits or Limits())
        self._adopted = adopted or {}
        self._index_above = index_above

    async def names(self) -> list[str]:
        return sorted({*await self._connections.read("names", schema.names), *self._adopted})

    async def open(self, name: str) -> PgVectorCollection | AdoptedTable | None:
        adoption = self._adopted.get(name)
        if adoption is not None:
            return await AdoptedTable.open(name, adoption, self._connections)
        found = await self._connections.read("open", lambda transaction: schema.find(transaction, name))
        if found is None:
            return None
        tables, manifest = found
        return PgVectorCollection(name, manifest, tables, self._connections, self._index_above)

    async def create(self, name: str, manifest: Manifest) -> PgVectorCollection:
        if name in self._adopted:
            raise UpstreamRefused(f"`{name}` is a table of others, which is only searched. Choose another.")

        async def work(transaction: Transaction) -> tuple[Tables, Manifest]:
            await schema.set_up(self._connections, transaction)
            return await schema.add(transaction, name, manifest)

        tables, made = await self._connections.write("create", work)
        return PgVectorCollection(name, made, tables, self._connections, self._index_above)

    async def close(self) -> None:
        await self._connections.close()
