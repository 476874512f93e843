"""The tables of collections: a schema of their own, a list of manifests, four tables for each."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from ringmain_core.errors import UpstreamRefused
from ringmain_vector.domain import FieldType, Manifest
from ringmain_vector.fields import merged
from ringmain_vector.stores.pgvector_connections import Connections, Row, Transaction
from ringmain_vector.stores.pgvector_filters import indexed

FORMAT = 1
ALL = -1
"""In the place of a word, the count of all passages: one statement keeps all counts."""
MOST_INDEXED = 2_000
"""Dimensions that an index of vectors can have."""

_LOCK = int.from_bytes(hashlib.blake2b(b"ringmain_vector", digest_size=7).digest(), "big")
_MOST_PLAIN = 1_800  # dimensions of a vector that fits into a page, beside the rest of its row

_IS_SET_UP = "SELECT to_regclass('ringmain_vector.manifests') IS NOT NULL"
_SET_UP = """
    CREATE SCHEMA IF NOT EXISTS ringmain_vector;
    CREATE TABLE IF NOT EXISTS ringmain_vector.manifests (
        number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text COLLATE "C" NOT NULL UNIQUE,
        format integer NOT NULL,
        manifest jsonb NOT NULL
    );
"""
_ADD = """
    INSERT INTO ringmain_vector.manifests (name, format, manifest) VALUES ($1, $2, $3)
    ON CONFLICT (name) DO NOTHING RETURNING number
"""
_FIND = "SELECT number, name, format, manifest FROM ringmain_vector.manifests WHERE name = $1"
_NAMES = "SELECT name FROM ringmain_vector.manifests ORDER BY name"
_DECLARE = "UPDATE ringmain_vector.manifests SET manifest = $2 WHERE number = $1"

# A document's metadata is kept as it came, for people; a passage has it once more, for filters, beside the
# vector: whoever goes along an index of vectors then sees at once what passes. Vectors stay in their rows:
# scans would have to fetch each by itself.
_TABLES = """
    CREATE TABLE {documents} (
        key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        title text NOT NULL,
        uri text NOT NULL,
        digest text NOT NULL,
        length bigint NOT NULL,
        passages integer NOT NULL,
        metadata json NOT NULL,
        UNIQUE (tenant, id)
    );
    CREATE TABLE {passages} (
        key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        document bigint NOT NULL REFERENCES {documents},
        tenant text COLLATE "C" NOT NULL,
        number integer NOT NULL,
        start bigint NOT NULL,
        text text NOT NULL,
        metadata jsonb NOT NULL,
        embedding vector({dimension}),
        UNIQUE (document, number)
    );
    CREATE INDEX ON {passages} (tenant);
    CREATE TABLE {postings} (
        term integer NOT NULL,
        passage bigint NOT NULL,
        weight double precision NOT NULL
    );
    CREATE INDEX ON {postings} (term) INCLUDE (passage, weight);
    CREATE INDEX ON {postings} (passage);
    CREATE TABLE {frequencies} (term integer PRIMARY KEY, passages bigint NOT NULL) WITH (fillfactor = 50);
"""
_PLAIN = "ALTER TABLE {passages} ALTER COLUMN embedding SET STORAGE PLAIN"
# %L: the server writes the names of fields as literals, which they have to be here.
_FIELD_INDEX = (
    "SELECT format('CREATE INDEX IF NOT EXISTS {index} ON {passages} (tenant, ({value}))', $1::text)"
)
_VECTOR_INDEX = """
    CREATE INDEX IF NOT EXISTS {vector_index} ON {passages}
    USING hnsw (embedding vector_ip_ops) WITH (m = 16, ef_construction = 64)
"""


@dataclass(frozen=True, slots=True)
class Tables:
    """The names of a collection's tables, which go by its number: its own name can be anything."""

    number: int

    def sql(self, statement: str, **parts: str | int) -> str:
        """A statement about these tables, which it names in braces."""
        names = {
            one: f"ringmain_vector.{one}_{self.number}"
            for one in ("documents", "passages", "postings", "frequencies")
        }
        return statement.format_map(names | {"vector_index": f"vectors_{self.number}"} | parts)


async def set_up(connections: Connections, transaction: Transaction) -> None:
    """Have the extension, the schema and the list, whoever else is about it at the same time."""
    await transaction.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    if not await connections.find_extension(transaction):
        await _create_extension(transaction)
        await connections.find_extension(transaction)
    if not await transaction.fetchval(_IS_SET_UP):
        await transaction.execute(_SET_UP)


async def names(transaction: Transaction) -> list[str]:
    """Of all collections; none where nothing is set up, for which who only reads has no rights."""
    if not await transaction.fetchval(_IS_SET_UP):
        return []
    return [str(row["name"]) for row in await transaction.fetch(_NAMES)]


async def find(transaction: Transaction, name: str) -> tuple[Tables, Manifest] | None:
    """A collection's tables, and how it was made."""
    if not await transaction.fetchval(_IS_SET_UP):
        return None
    row = await transaction.fetchrow(_FIND, name)
    return None if row is None else (Tables(row["number"]), _manifest(row))


async def add(transaction: Transaction, name: str, manifest: Manifest) -> tuple[Tables, Manifest]:
    """Make a collection's tables, unless they are there; the tables, and how they were made."""
    number = await transaction.fetchval(_ADD, name, FORMAT, json.dumps(asdict(manifest)))
    if number is None:
        return await _known(transaction, name)
    tables = Tables(number)
    await transaction.execute(tables.sql(_TABLES, dimension=manifest.dimension))
    if manifest.dimension <= _MOST_PLAIN:
        await transaction.execute(tables.sql(_PLAIN))
    await _index_fields(transaction, tables, manifest.fields)
    return tables, manifest


async def declare(transaction: Transaction, name: str, fields: Mapping[str, FieldType]) -> Manifest:
    """Add fields to a manifest, and an index for each."""
    await transaction.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    tables, before = await _known(transaction, name)
    manifest = replace(before, fields=merged(before.fields, fields))
    if manifest != before:
        await transaction.execute(_DECLARE, tables.number, json.dumps(asdict(manifest)))
        await _index_fields(transaction, tables, fields)
    return manifest


async def build_vector_index(transaction: Transaction, tables: Tables, megabytes: int) -> None:
    """Make the index of vectors, and let the planner know what there is.

    One process makes it: several would share memory, of which a container has less than they ask for.
    """
    await transaction.execute(
        f"SET LOCAL maintenance_work_mem = '{megabytes}MB'; SET LOCAL max_parallel_maintenance_workers = 0"
    )
    await transaction.execute(tables.sql(_VECTOR_INDEX))
    await transaction.execute(tables.sql("ANALYZE {documents}, {passages}, {postings}"))


async def has_vector_index(transaction: Transaction, tables: Tables) -> bool:
    """Whether the nearest passages can be found without looking at all."""
    return bool(
        await transaction.fetchval(
            tables.sql("SELECT to_regclass('ringmain_vector.{vector_index}') IS NOT NULL")
        )
    )


async def _known(transaction: Transaction, name: str) -> tuple[Tables, Manifest]:
    found = await find(transaction, name)
    if found is None:
        raise UpstreamRefused(f"The collection `{name}` is not there any more.")
    return found


async def _create_extension(transaction: Transaction) -> None:
    try:
        await transaction.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except Exception as error:
        match getattr(error, "sqlstate", ""):
            case "42501":
                raise UpstreamRefused(
                    "The database has no extension `vector`, and this login may not add it. Ask the "
                    "owner of the database to run `CREATE EXTENSION vector` in it."
                ) from error
            case "0A000" | "58P01":
                raise UpstreamRefused(
                    "The database's server has no pgvector. Ask its operator to install 0.8 or newer."
                ) from error
            case _:
                raise


async def _index_fields(transaction: Transaction, tables: Tables, fields: Mapping[str, FieldType]) -> None:
    for field, kind in fields.items():
        digest = hashlib.blake2b(f"{kind} {field}".encode(), digest_size=8).hexdigest()
        statement = tables.sql(
            _FIELD_INDEX, index=f"field_{tables.number}_{digest}", value=indexed(kind, "(metadata -> %1$L)")
        )
        await transaction.execute(await transaction.fetchval(statement, field))


def _manifest(row: Row) -> Manifest:
    if row["format"] != FORMAT:
        raise UpstreamRefused(
            f"The collection `{row['name']}` is kept in format {row['format']}; this version reads "
            f"{FORMAT}. Use the version that made it, or migrate the collection."
        )
    return Manifest(**json.loads(row["manifest"]))
