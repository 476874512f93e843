"""GitHub's search of issues: AND between everything, also places; OR, NOT and parentheses."""

import re
from collections.abc import Callable

from standins.github.web import Refusal

_TOKEN = re.compile(r'\(|\)|-?(?:[\w-]+:)?(?:"[^"]*"|[^\s()"]+)|-(?=\()|"')
_TERM = re.compile(r'(-?)(?:([\w-]+):)?("[^"]*"|.*)')
Term = Callable[[str, str], bool]
"""Whether a qualifier (empty for a word) with a value fits."""
Fits = Callable[[Term], bool]


def compiled(query: str) -> Fits:
    """What a query wants.

    Raises:
        Refusal: 422, where it cannot be read.
    """
    tokens = _TOKEN.findall(query)[::-1]
    wanted = _either(tokens)
    if tokens:
        raise _unreadable()
    return wanted


def _either(tokens: list[str]) -> Fits:
    found = [_all(tokens)]
    while tokens and tokens[-1] == "OR":
        tokens.pop()
        found.append(_all(tokens))
    return lambda term: any(each(term) for each in found)


def _all(tokens: list[str]) -> Fits:
    found: list[Fits] = []
    while tokens and tokens[-1] not in {"OR", ")"}:
        if tokens[-1] == "AND":
            tokens.pop()
            continue
        found.append(_one(tokens))
    if not found:
        raise _unreadable()
    return lambda term: all(each(term) for each in found)


def _one(tokens: list[str]) -> Fits:
    if not tokens:
        raise _unreadable()
    token = tokens.pop()
    if token in {"NOT", "-"}:
        inner = _one(tokens)
        return lambda term: not inner(term)
    if token == "(":
        inner = _either(tokens)
        if not tokens or tokens.pop() != ")":
            raise _unreadable()
        return inner
    found = _TERM.fullmatch(token)
    assert found is not None
    minus, name, value = found[1], (found[2] or "").lower(), found[3].strip('"')
    return lambda term: term(name, value) is not bool(minus)


def _unreadable() -> Refusal:
    return Refusal(422, "Validation Failed", [{"message": "The search cannot be read.", "code": "invalid"}])
