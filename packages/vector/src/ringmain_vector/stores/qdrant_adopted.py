"""Collections that others have made, searched as they are: a mapping says where what is in their points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, cast
from uuid import UUID

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
from ringmain_vector.stores.qdrant_filters import conditions_of
from ringmain_vector.stores.qdrant_rest import Rest
from ringmain_vector.stores.qdrant_shapes import Described, Filter, Id, Point
from ringmain_vector.vectors import digest_of, unit_vector_of

if TYPE_CHECKING:
    from ringmain_vector.domain import Vector

_KINDS: Mapping[str, FieldType] = {
    "keyword": "keyword",
    "uuid": "keyword",
    "integer": "integer",
    "float": "float",
    "bool": "boolean",
}
_MOST_ID, _DIGITS = 2**64 - 1, 21
_NO_WORDS = "it was made by others, without the words of its passages: only meaning is searched"


@dataclass(frozen=True, slots=True)
class Adopted:
    """How a collection of others is read. Paths are keys with dots between them; empty ones are nowhere.

    Attributes:
        collection: Its name at the server.
        model: Name of the embedder that its vectors were made with.
        vector: Name of its vector; empty where that has none.
        text: Path of the passage's text.
        title: Path of a title.
        uri: Path of an address.
        metadata: Path of an object with the rest; empty where it is the payload itself.
    """

    collection: str
    model: str
    vector: str = ""
    text: str = "text"
    title: str = ""
    uri: str = ""
    metadata: str = ""


class AdoptedCollection:
    """One collection; each point is a document of one passage, and its id is the document's.

    Documents come in Qdrant's order of ids: numbers by their size, then UUIDs. It has no tenants: only
    who has none sees it.
    """

    is_read_only = True

    def __init__(self, rest: Rest, name: str, adopted: Adopted, described: Described) -> None:
        self.name = name
        self.manifest = Manifest(
            model=adopted.model,
            dimension=described.vectors[adopted.vector][0],
            tokenizer="",
            k1=0.0,
            b=0.0,
            average_length=0.0,
            fields=_fields(described.indexes, adopted.metadata),
        )
        self._rest = rest
        self._adopted = adopted

    @classmethod
    async def open(cls, rest: Rest, name: str, adopted: Adopted) -> "AdoptedCollection | None":
        """The collection; `None` where it is not there.

        Raises:
            UpstreamRefused: Where it has no such vector, or compares vectors otherwise than by cosine.
        """
        described = await rest.describe(adopted.collection)
        if described is None:
            return None
        _, measure = described.vectors.get(adopted.vector, (0, ""))
        if measure != "Cosine":
            known = ", ".join(f"`{one}` ({how})" for one, (_, how) in described.vectors.items()) or "none"
            raise UpstreamRefused(
                f"The collection `{name}` has no vector `{adopted.vector}` that is compared by cosine. "
                f"Its vectors are: {known}. The operator names one of them when adopting it."
            )
        return cls(rest, name, adopted, described)

    async def declare(self, fields: Mapping[str, FieldType]) -> None:
        self._refuse(fields)

    async def replace(self, document: Document, passages: Sequence[Passage]) -> None:
        self._refuse(document, passages)

    async def delete(self, tenant: str, ids: Sequence[str]) -> int:
        self._refuse(tenant, ids)

    async def dense(self, vector: "Vector", k: int, where: Where, *, exact: bool) -> list[Scored]:
        if where.tenant != NOBODY:
            return []
        return await self._ranked(vector, self._meant(where), k, exact=exact)

    async def lexical(self, terms: Mapping[int, float], k: int, where: Where) -> list[Scored]:  # noqa: ARG002
        return []

    async def measured(
        self,
        tenant: str,
        keys: Sequence[Key],
        vector: "Vector",
        terms: Mapping[int, float],  # noqa: ARG002
    ) -> tuple[list[Scored], list[Scored]]:
        ids = _ids(tenant, [document_id for document_id, number in keys if number == 0])
        these: Filter = {"must": [{"has_id": ids}]}
        return await self._ranked(vector, these, len(ids), exact=True) if ids else [], []

    async def fetch(self, tenant: str, keys: Sequence[Key]) -> list[Passage]:
        wanted = _ids(tenant, [document_id for document_id, number in keys if number == 0])
        return [self._passage(one) for one in await self._rest.read(self._adopted.collection, wanted)]

    async def documents(self, where: Where, after: str, limit: int) -> list[Document]:
        if where.tenant != NOBODY:
            return []
        begin = _id(after) if after else None
        found, _ = await self._rest.page(
            self._adopted.collection, self._meant(where), limit + 1, begin, vectors=True
        )
        return [self._passage(one).document for one in found if one.id != begin][:limit]

    async def passages(self, tenant: str, document_id: str, *, whole: bool = False) -> list[Passage]:
        wanted = _ids(tenant, [document_id])
        found = await self._rest.read(self._adopted.collection, wanted, vectors=whole)
        return [self._passage(one) for one in found]

    async def tenants(self) -> list[str]:
        return [NOBODY]

    async def stats(self, tenant: str) -> Stats:
        if tenant != NOBODY:
            return Stats(0, 0)
        count = await self._rest.count(self._adopted.collection, {})
        return Stats(count, count, (_NO_WORDS,))

    async def optimize(self) -> None:
        """Whoever fills it sees to that."""

    async def _ranked(self, vector: "Vector", meant: Filter, k: int, *, exact: bool) -> list[Scored]:
        kept_as, using = self._adopted.collection, self._adopted.vector
        found = await self._rest.rank(kept_as, vector.tolist(), using, meant, k, (), exact=exact)
        return [Scored(str(one.id), 0, one.score) for one in found]

    def _meant(self, where: Where) -> Filter:
        return conditions_of(where, self._adopted.metadata, self.manifest.fields)

    def _passage(self, point: Point) -> Passage:
        text, title, uri = (
            _text(point.payload, path)
            for path in (self._adopted.text, self._adopted.title, self._adopted.uri)
        )
        metadata = self._metadata(point.payload)
        numbers = point.vectors.get(self._adopted.vector)
        given = numbers if isinstance(numbers, Sequence) else None
        document = Document(
            id=str(point.id),
            tenant=NOBODY,
            title=title,
            uri=uri,
            digest=digest_of(text, title, uri, metadata, given),
            length=len(text),
            passages=1,
            metadata=metadata,
        )
        return Passage(document, 0, text, 0, vector=None if given is None else unit_vector_of(given))

    def _metadata(self, payload: Mapping[str, Any]) -> dict[str, Value]:
        found = _at(payload, self._adopted.metadata)
        own = {self._adopted.text, self._adopted.title, self._adopted.uri}
        begin = f"{self._adopted.metadata}." if self._adopted.metadata else ""
        return {
            key: value
            for key, value in (cast("Mapping[str, Any]", found).items() if isinstance(found, Mapping) else ())
            if f"{begin}{key}" not in own and isinstance(value, str | int | float | bool)
        }

    def _refuse(self, *_: object) -> NoReturn:
        raise UpstreamRefused(f"The collection `{self.name}` was made by others: it is only searched.")


def _ids(tenant: str, given: Sequence[str]) -> list[Id]:
    """Those that there can be."""
    known = map(_id, given if tenant == NOBODY else ())
    return [one for one in known if one is not None]


def _fields(indexes: Mapping[str, str], path: str) -> dict[str, FieldType]:
    begin = f"{path}." if path else ""
    return {
        key.removeprefix(begin): _KINDS[kind]
        for key, kind in indexes.items()
        if kind in _KINDS and key.startswith(begin)
    }


def _at(payload: Mapping[str, Any], path: str) -> Any:
    found: Any = payload
    for key in path.split(".") if path else ():
        found = cast("Mapping[str, Any]", found).get(key) if isinstance(found, Mapping) else None
    return found


def _text(payload: Mapping[str, Any], path: str) -> str:
    found = _at(payload, path) if path else None
    return found if isinstance(found, str) else ""


def _id(given: str) -> Id | None:
    """A document's id as Qdrant has it; `None` where it has no such ids."""
    if given.isdecimal() and given.isascii():
        return int(given) if int(given[:_DIGITS]) <= _MOST_ID and len(given) < _DIGITS else None
    try:
        return str(UUID(given))
    except ValueError:
        return None
