"""How often the right document is found: numpy's documentation, asked by its own first sentences.

Each function's documentation is a document, without the first sentence, which is the question. It is hard: a
sentence says in other words, and few of them, what the rest goes into.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from ringmain_vector.domain import Manifest, Where
from ringmain_vector.embedders.minilm import MiniLm
from ringmain_vector.intake import Intake
from ringmain_vector.lexical import AVERAGE_LENGTH, K1, TOKENIZER, B
from ringmain_vector.searching import Mode, Search, search
from ringmain_vector.stores.memory import MemoryStore

_SHORTEST, _LONGEST, _DEPTH = 400, 2_500, 10


@dataclass(frozen=True, slots=True)
class Quality:
    """Of all modes.

    Attributes:
        reciprocal_ranks: The mean over all questions, of the first ten hits.
        rate: Passages that were taken in a second, model and all.
    """

    questions: int
    reciprocal_ranks: Mapping[Mode, float]
    rate: float


def pairs(most: int) -> list[tuple[str, str, str]]:
    """Name, question and text of functions, one for each text."""
    found: dict[str, tuple[str, str, str]] = {}
    for module in (np, np.linalg, np.fft, np.random, np.ma, np.polynomial.polynomial):
        for name, function in _functions(module):
            question, _, text = (inspect.getdoc(function) or "").partition("\n\n")
            question = " ".join(question.split())
            if len(text) >= _SHORTEST and 20 <= len(question) <= 200 and "(" not in question:
                found.setdefault(text[:200], (f"{module.__name__}.{name}", question, text[:_LONGEST]))
    return list(found.values())[:most]


async def quality(clock: Any, *, most: int) -> Quality:
    """Take them in, and ask for each in every mode."""
    embedder = MiniLm()
    await embedder.load()
    manifest = Manifest(embedder.name, embedder.dimension, TOKENIZER, K1, B, AVERAGE_LENGTH)
    collection = await MemoryStore().create("quality", manifest)
    intake = Intake(embedder)
    asked = pairs(most)
    began = clock()
    for name, _, text in asked:
        await intake.take_in(collection, "", name, text)
    took = clock() - began
    passages = (await collection.stats("")).passages
    ranks: dict[Mode, float] = {}
    for mode in cast("tuple[Mode, ...]", ("keyword", "semantic", "hybrid")):
        total = 0.0
        for name, question, _ in asked:
            looked = Search(question, Where(), _DEPTH, mode, a_document=1)
            found = await search(collection, embedder, looked, passages=passages)
            names = [hit.passage.document.id for hit in found.hits]
            total += 1 / (names.index(name) + 1) if name in names else 0.0
        ranks[mode] = total / len(asked)
    await embedder.close()
    return Quality(len(asked), ranks, passages / took)


def _functions(module: Any) -> Iterator[tuple[str, Any]]:
    for name in sorted(dir(module)):
        function = getattr(module, name)
        if not name.startswith("_") and callable(function) and not inspect.isclass(function):
            yield name, function
