"""Words and their weights: BM25 with constants that are the same everywhere.

A passage's weight of a word never depends on other passages; how rare a word is (IDF) the store counts when
it searches. So every store gives the same score: sum over the query's words of `idf(word) * weight(word)`,
with `idf = ln(1 + (N - n + 0.5) / (n + 0.5))` for N passages, n of which have the word. N and n count all
passages of the collection, whatever the filter and the tenant.
"""

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

TOKENIZER = "ringmain-words-1"
K1, B, AVERAGE_LENGTH = 1.2, 0.75, 120.0

_WORD = re.compile(r"\w+", re.UNICODE)
_MOST_LETTERS = 40
# Words that stand in every text and cost the most to look up. They count in no language but English.
_STOP = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by for from has have in is it its of on or that the this to was were will "
        "with",
    )
)


def words(text: str) -> list[str]:
    """The words of a text: folded, without accents, without those that stand everywhere.

    A compound like `max_bytes` or `readFile` is also its parts.
    """
    found: list[str] = []
    for match in _WORD.finditer(text):
        word = match[0]
        for part in (word, *_parts(word)):
            folded = _folded(part)[:_MOST_LETTERS]
            if folded and folded not in _STOP:
                found.append(folded)
    return found


def weights(text: str) -> dict[int, float]:
    """The words of a passage by their numbers, each with its weight."""
    counted = Counter(words(text))
    length = sum(counted.values())
    norm = K1 * (1 - B + B * length / AVERAGE_LENGTH)
    found: dict[int, float] = {}
    for word, count in counted.items():
        number = number_of(word)
        found[number] = found.get(number, 0.0) + count * (K1 + 1) / (count + norm)
    return found


def query_terms(text: str) -> dict[int, float]:
    """The words of a query by their numbers, each counting once."""
    return {number_of(word): 1.0 for word in words(text)}


def number_of(word: str) -> int:
    """A word as a number below 2^31, the same everywhere and always."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big") & 0x7FFF_FFFF


def idf(passages: int, with_word: int) -> float:
    """How much a rare word tells."""
    return math.log(1 + (passages - with_word + 0.5) / (with_word + 0.5))


def score(query: Mapping[int, float], passage: Mapping[int, float], rarity: Mapping[int, float]) -> float:
    """How well a passage has the words of a query."""
    return sum(rarity[term] * passage[term] for term in query if term in passage)


def _folded(word: str) -> str:
    spread = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in spread if not unicodedata.combining(letter))


def _parts(word: str) -> list[str]:
    parts = [part for part in re.split(r"_|(?<=[a-z])(?=[A-Z])", word) if part]
    return parts if len(parts) > 1 else []
