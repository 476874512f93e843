"""The language of `q`: `name contains 'plan' and not ('root' in parents or trashed = true)`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from standins.gdrive.errors import Refusal, invalid_value

_TOKEN = re.compile(r"\s*(?:('(?:[^'\\]|\\.)*')|(<=|>=|!=|[=<>(){}])|([A-Za-z]+(?:\.[A-Za-z]+)*))")
_EQUAL = ("=", "!=")
_ORDER = ("=", "!=", "<", "<=", ">", ">=")
_TIME, _TEXT, _FLAG, _LIST, _PAIR = "time", "text", "flag", "list", "pair"
FILE_TERMS: Mapping[str, tuple[str, Sequence[str]]] = {
    "name": (_TEXT, ("contains", *_EQUAL)),
    "fullText": (_TEXT, ("contains",)),
    "mimeType": (_TEXT, ("contains", *_EQUAL)),
    "modifiedTime": (_TIME, _ORDER),
    "viewedByMeTime": (_TIME, _ORDER),
    "createdTime": (_TIME, _ORDER),
    "trashed": (_FLAG, _EQUAL),
    "starred": (_FLAG, _EQUAL),
    "sharedWithMe": (_FLAG, _EQUAL),
    "parents": (_LIST, ()),
    "owners": (_LIST, ()),
    "writers": (_LIST, ()),
    "readers": (_LIST, ()),
    "properties": (_PAIR, ("has",)),
    "appProperties": (_PAIR, ("has",)),
    "visibility": (_TEXT, _EQUAL),
    "shortcutDetails.targetId": (_TEXT, _EQUAL),
}
DRIVE_TERMS: Mapping[str, tuple[str, Sequence[str]]] = {
    "name": (_TEXT, ("contains", *_EQUAL)),
    "createdTime": (_TIME, _ORDER),
    "hidden": (_FLAG, _EQUAL),
}


@dataclass(frozen=True)
class Term:
    """Attributes: value: Text; a pair is (key, value), a flag a truth."""

    name: str
    operator: str
    value: str | bool | tuple[str, str]


@dataclass(frozen=True)
class Not:
    of: "Node"


@dataclass(frozen=True)
class And:
    of: "tuple[Node, ...]"


@dataclass(frozen=True)
class Or:
    of: "tuple[Node, ...]"


Node = Term | Not | And | Or


@lru_cache(maxsize=512)
def parsed(text: str, *, drives: bool = False) -> Node:
    """What a query means.

    Raises:
        Refusal: `invalid` with the location q.
    """
    return _Parser(_tokens(text), DRIVE_TERMS if drives else FILE_TERMS).whole()


def refused() -> Refusal:
    return invalid_value("q")


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise refused()
        found.append(match[0].strip() if match[1] is None else match[1])
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[str], terms: Mapping[str, tuple[str, Sequence[str]]]) -> None:
        self._tokens, self._terms, self._at = tokens, terms, 0

    def whole(self) -> Node:
        made = self._either()
        if self._at != len(self._tokens):
            raise refused()
        return made

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._next()
        if not token or (wanted and token != wanted):
            raise refused()
        self._at += 1
        return token

    def _taken(self, wanted: str) -> bool:
        if self._next() != wanted:
            return False
        self._at += 1
        return True

    def _either(self) -> Node:
        some = [self._both()]
        while self._taken("or"):
            some.append(self._both())
        return some[0] if len(some) == 1 else Or(tuple(some))

    def _both(self) -> Node:
        some = [self._one()]
        while self._taken("and"):
            some.append(self._one())
        return some[0] if len(some) == 1 else And(tuple(some))

    def _one(self) -> Node:
        if self._taken("not"):
            return Not(self._one())
        if self._taken("("):
            made = self._either()
            self._take(")")
            return made
        if self._next().startswith("'"):
            value = self._text()
            self._take("in")
            return Term(self._name({_LIST}), "in", value)
        return self._term()

    def _name(self, kinds: set[str]) -> str:
        name = self._take()
        if name not in self._terms or self._terms[name][0] not in kinds:
            raise refused()
        return name

    def _term(self) -> Term:
        name = self._name({_TEXT, _TIME, _FLAG, _PAIR})
        kind, operators = self._terms[name]
        if name == "sharedWithMe" and self._next() not in _EQUAL:
            return Term(name, "=", value=True)
        operator = self._take()
        if operator not in operators:
            raise refused()
        if kind == _FLAG:
            word = self._take()
            if word not in {"true", "false"}:
                raise refused()
            return Term(name, operator, word == "true")
        return Term(name, operator, self._pair() if kind == _PAIR else self._text())

    def _text(self) -> str:
        token = self._take()
        if not token.startswith("'"):
            raise refused()
        return re.sub(r"\\(.)", r"\1", token[1:-1])

    def _pair(self) -> tuple[str, str]:
        self._take("{")
        self._take("key")
        self._take("=")
        key = self._text()
        self._take("and")
        self._take("value")
        self._take("=")
        value = self._text()
        self._take("}")
        return key, value
