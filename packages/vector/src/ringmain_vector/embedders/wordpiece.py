"""BERT's way to cut text into tokens, uncased: words and marks, and of each the longest pieces."""

import unicodedata
from collections.abc import Iterator
from importlib.resources import files

_LONGEST_WORD = 100  # letters; beyond, a word is not looked at
_REMEMBERED = 10_000  # characters; a text of odd ones shall not fill the memory
_BLANKS = "\t\n\r"
_CJK = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPiece:
    """Texts as the numbers that the model was trained with.

    What looks like one of BERT's own marks, `[SEP]` for example, is text like any other: a text cannot
    say where it ends.

    Args:
        vocabulary: The pieces, each at its number.
        most: Tokens of a text, with the two that stand around it; what is beyond is left out.
    """

    def __init__(self, vocabulary: list[str], most: int) -> None:
        self._numbers = {piece: number for number, piece in enumerate(vocabulary)}
        self._unknown = [self._numbers["[UNK]"]]
        self._begin, self._end = self._numbers["[CLS]"], self._numbers["[SEP]"]
        self._most = most
        self._spread = _Spread()

    def ids(self, text: str) -> list[int]:
        """The numbers of a text's tokens, from `[CLS]` to `[SEP]`."""
        found = [self._begin]
        for word in self._words(text):
            found += self._pieces(word)
            if len(found) >= self._most:
                break
        return [*found[: self._most - 1], self._end]

    def _words(self, text: str) -> Iterator[str]:
        return iter(unicodedata.normalize("NFD", text).translate(self._spread).split())

    def _pieces(self, word: str) -> list[int]:
        whole = self._numbers.get(word)
        if whole is not None and len(word) <= _LONGEST_WORD:
            return [whole]
        if len(word) > _LONGEST_WORD:
            return self._unknown
        found: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                number = self._numbers.get(("##" if start else "") + word[start:end])
                if number is not None:
                    break
            else:
                return self._unknown
            found.append(number)
            start = end
        return found


def bert(most: int) -> WordPiece:
    """With the vocabulary of BERT's uncased English models, which comes with this package."""
    listed = (files("ringmain_vector.embedders") / "vocab.txt").read_text(encoding="utf-8")
    return WordPiece(listed.removesuffix("\n").split("\n"), most)


class _Spread(dict[int, str]):
    """What becomes of each character, for `str.translate` after the accents were taken apart."""

    def __missing__(self, code: int) -> str:
        made = _spread(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = made
        return made


def _spread(letter: str) -> str:
    if letter in _BLANKS:
        return " "
    category = unicodedata.category(letter)
    if category[0] == "C" or category == "Mn" or letter == "\ufffd":
        return ""
    if letter.isspace():
        return " "
    code = ord(letter)
    is_mark = category[0] == "P" or (code < 0x80 and not letter.isalnum())
    if is_mark or any(low <= code <= high for low, high in _CJK):
        return f" {letter} "
    return letter.lower()
