"""`Index`: what makes search fast in a big drive: files by the words of name and content, and by type."""

import re
from bisect import bisect_left
from collections.abc import Iterator

from standins.gdrive.file import File

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


class Index:
    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}
        self._texts: dict[str, set[str]] = {}
        self._types: dict[str, set[str]] = {}
        self._known: dict[str, tuple[frozenset[str], frozenset[str], str]] = {}
        self._sorted: list[str] = []

    def put(self, file: File) -> None:
        self.drop(file.id)
        names = frozenset(words(file.name))
        texts = names | frozenset(words(file.description)) | frozenset(words(file.text))
        self._known[file.id] = (names, texts, file.mime_type)
        for word in names:
            self._names.setdefault(word, set()).add(file.id)
        for word in texts:
            self._texts.setdefault(word, set()).add(file.id)
        self._types.setdefault(file.mime_type, set()).add(file.id)

    def drop(self, file_id: str) -> None:
        names, texts, kind = self._known.pop(file_id, (frozenset[str](), frozenset[str](), ""))
        for word in names:
            self._names[word].discard(file_id)
        for word in texts:
            self._texts[word].discard(file_id)
        self._types.get(kind, set()).discard(file_id)

    def named(self, prefix: str) -> set[str]:
        """Files with a word in their name that begins so."""
        return set[str]().union(*(self._names[word] for word in self._beginning(prefix)))

    def at_most_named(self, prefix: str) -> int:
        """How many those could be."""
        return sum(len(self._names[word]) for word in self._beginning(prefix))

    def _beginning(self, prefix: str) -> Iterator[str]:
        if len(self._sorted) != len(self._names):
            self._sorted = sorted(self._names)
        for at in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            if not self._sorted[at].startswith(prefix):
                return
            yield self._sorted[at]

    def holding(self, word: str) -> set[str]:
        """Files with this word in name, description or content."""
        return self._texts.get(word, set())

    def of_type(self, mime_type: str) -> set[str]:
        return self._types.get(mime_type, set())
