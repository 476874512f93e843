"""Documents and queries for every store: made by a seed, the same each time."""

import random
import zlib
from collections.abc import Mapping, Sequence

from ringmain_vector.domain import Condition, Document, Manifest, Passage, Value, Where
from ringmain_vector.embedders.hashed import HashEmbedder
from ringmain_vector.lexical import AVERAGE_LENGTH, K1, TOKENIZER, B, weights
from ringmain_vector.stores.base import Collection

WORDS = [
    "cache",
    "cold",
    "warm",
    "server",
    "deploy",
    "friday",
    "review",
    "risk",
    "owner",
    "budget",
    "coffee",
    "cost",
    "month",
    "roadmap",
    "search",
    "vector",
    "index",
    "passage",
    "score",
    "model",
    "token",
    "query",
    "filter",
    "tenant",
    "store",
    "agent",
    "policy",
    "fence",
    "audit",
    "record",
    "limit",
    "page",
    "cursor",
    "größe",
    "façade",
    "naïve",
    "日本",
    "résumé",
    "max_bytes",
    "readFile",
    "v2",
    "http",
    "json",
]
FIELDS = {"kind": "keyword", "year": "integer", "weight": "float", "draft": "boolean"}
MANIFEST = Manifest(
    model=HashEmbedder.name,
    dimension=HashEmbedder.dimension,
    tokenizer=TOKENIZER,
    k1=K1,
    b=B,
    average_length=AVERAGE_LENGTH,
)
QUERIES = (
    "cold cache",
    "who owns the budget",
    "deploy on friday after the review",
    "GRÖSSE façade",
    "max bytes",
    "nothing of this is in there zzz",
    "coffee",
)
FILTERS: Sequence[Where] = (
    Where(),
    Where("other"),
    Where(conditions=(Condition("kind", ("note", "mail")),)),
    Where(conditions=(Condition("kind", ("note",), negated=True),)),
    Where(conditions=(Condition("year", least=2022, most=2024, most_counts=False),)),
    Where(conditions=(Condition("year", least=2022, least_counts=False), Condition("draft", (True,)))),
    Where(conditions=(Condition("weight", most=0.5, negated=True),)),
    Where(conditions=(Condition("draft", (False,)), Condition("kind", ("note", "plan")))),
    Where(conditions=(Condition("kind", ("no such kind",)),)),
)


async def document(
    number: int, text_of: Sequence[str], tenant: str = "", metadata: Mapping[str, Value] | None = None
) -> tuple[Document, list[Passage]]:
    """A document with these passages."""
    whole = "\n\n".join(text_of)
    made = Document(
        id=f"doc-{number:04d}",
        tenant=tenant,
        title=f"Document {number}",
        uri=f"https://docs.example.com/{number}",
        digest=f"{zlib.crc32(whole.encode()):x}",
        length=len(whole),
        passages=len(text_of),
        metadata=metadata or {},
    )
    vectors = await HashEmbedder().documents(text_of)
    starts = [sum(len(text) + 2 for text in text_of[:at]) for at in range(len(text_of))]
    return made, [
        Passage(made, at, text, starts[at], weights(text), vectors[at]) for at, text in enumerate(text_of)
    ]


async def corpus(count: int = 120) -> list[tuple[Document, list[Passage]]]:
    """Documents of one to five passages, some of another tenant, some without metadata."""
    chance = random.Random(7)  # noqa: S311 (the same documents each time)
    made: list[tuple[Document, list[Passage]]] = []
    for number in range(count):
        texts = [
            " ".join(chance.choices(WORDS, k=chance.randint(3, 40))) for _ in range(chance.randint(1, 5))
        ]
        metadata: dict[str, Value] = {}
        if number % 7:
            metadata = {
                "kind": chance.choice(["note", "mail", "plan"]),
                "year": chance.randint(2020, 2026),
                "weight": round(chance.random(), 3),
                "draft": chance.random() < 0.5,
            }
        made.append(await document(number, texts, "other" if number % 11 == 3 else "", metadata))
    return made


async def filled(collection: Collection, count: int = 120) -> Collection:
    """The collection with the corpus in it."""
    await collection.declare(dict(FIELDS))  # pyright: ignore[reportArgumentType]
    for one, passages in await corpus(count):
        await collection.replace(one, passages)
    return collection
