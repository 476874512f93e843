"""Words as the search index knows them: what is put into it, and what is asked of it."""

import re
from collections.abc import Sequence

from ringmain_core.text import clean

_PIECE = re.compile(r'"([^"]*)"?|(\S+)')
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_MODIFIER = re.compile(r"-?(?:in|from|to|with|before|after|on|during|has|is):\S", re.IGNORECASE)
_MOST_PIECES = 40


def spaced(text: str) -> str:
    """A text with each sign of a script that puts no spaces between words as a word of its own."""
    return text if text.isascii() else _UNSPACED.sub(r" \g<0> ", text)


def expression(query: str) -> str:
    """What the index is asked for: all words, phrases as they stand, the last word as a beginning.

    Whatever is in the query, this can be read by SQLite's FTS5; it is empty where the query has no word.
    """
    pieces = _PIECE.findall(spaced(clean(query)).casefold())
    wanted = [(phrase or word, word != "") for phrase, word in pieces]
    said = [f'"{_words(text)}"{"*" if is_word else ""}' for text, is_word in wanted if _words(text)]
    said = said[:_MOST_PIECES]
    return " AND ".join([*(one.removesuffix("*") for one in said[:-1]), *said[-1:]])


def words_of(query: str) -> Sequence[str]:
    """The words of a query, for finding them in a text."""
    return re.findall(r"\w+", clean(query).casefold())


def has_modifiers(query: str) -> bool:
    """Whether a query holds what only Slack's own search understands, such as `from:`."""
    return any(_MODIFIER.match(piece) for piece in query.split())


def _words(text: str) -> str:
    """Only letters and digits, as FTS5 takes them for words."""
    return " ".join("".join(sign if sign.isalnum() else " " for sign in text).split())
