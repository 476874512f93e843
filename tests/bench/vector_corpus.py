"""Passages about invented topics, as many as are wanted, and questions that some of them answer."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ringmain_vector.domain import Document, Passage
from ringmain_vector.embedders.minilm import MiniLm
from ringmain_vector.lexical import weights

TOPICS, VOCABULARY, A_DOCUMENT, FIELD = 400, 20_000, 10, "number"
_WORDS, _OF_A_TOPIC, _NOISE = 100, 40, 0.8


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what that means."""

    text: str
    vector: Any


class Corpus:
    """Vectors lie around the centres of topics; words are rare or common as in a language (Zipf).

    The same each time.
    """

    def __init__(self, dimension: int) -> None:
        self._random = np.random.default_rng(7)
        self._centres = self._directions(TOPICS, dimension)
        ranks = np.arange(1, VOCABULARY + 1)
        self._chance = (1 / ranks) / (1 / ranks).sum()
        self._topics = self._random.integers(500, VOCABULARY, (TOPICS, _OF_A_TOPIC))

    def documents(self, passages: int) -> Iterator[tuple[Document, Sequence[Passage]]]:
        """Documents of ten passages; `number` of their metadata is between 0 and 99, whatever the topic."""
        for number in range(passages // A_DOCUMENT):
            topic = number % TOPICS
            name = f"document {number:06}"
            length = A_DOCUMENT * _WORDS * 6
            document = Document(
                name, "", name, "", str(number), length, A_DOCUMENT, {FIELD: int(self._random.integers(100))}
            )
            vectors = self._around(topic, A_DOCUMENT)
            texts = [self._text(topic) for _ in range(A_DOCUMENT)]
            yield (
                document,
                [
                    Passage(document, at, text, at * 600, weights(text), vector)
                    for at, (text, vector) in enumerate(zip(texts, vectors, strict=True))
                ],
            )

    def questions(self, count: int) -> list[Question]:
        """Questions of four words, three of them of one topic; no two alike."""
        found: list[Question] = []
        for topic in itertools.islice(itertools.cycle(range(TOPICS)), count):
            said = self._random.choice(self._topics[topic], 3, replace=False).tolist()
            common = int(self._random.choice(VOCABULARY, p=self._chance))
            text = " ".join(f"word{one}" for one in [*said, common])
            found.append(Question(text, self._around(topic, 1)[0]))
        return found

    def _text(self, topic: int) -> str:
        common = self._random.choice(VOCABULARY, _WORDS * 2 // 3, p=self._chance)
        own = self._random.choice(self._topics[topic], _WORDS - len(common))
        return " ".join(f"word{one}" for one in [*common.tolist(), *own.tolist()])

    def _around(self, topic: int, count: int) -> Any:
        near = self._centres[topic] + _NOISE * self._directions(count, self._centres.shape[1])
        return near / np.linalg.norm(near, axis=1, keepdims=True)

    def _directions(self, count: int, dimension: int) -> Any:
        made = self._random.standard_normal((count, dimension), dtype=np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)


class Known(MiniLm):
    """Knows what the questions mean, so that only searching is measured; a server takes it for its model."""

    def __init__(self, questions: Sequence[Question]) -> None:
        super().__init__()
        self._vectors = {one.text: one.vector for one in questions}

    @property
    def is_ready(self) -> bool:
        return True

    async def query(self, text: str) -> Any:
        return self._vectors[text]
