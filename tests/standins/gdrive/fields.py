"""`fields`: which parts of an answer are wanted. `files(id,owners/emailAddress)`, `*`, `a/b`."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

from standins.gdrive.described import schema
from standins.gdrive.errors import Refusal

_TOKEN = re.compile(r"[^\s,/()]+|[,/()]")


class Mask:
    """What is wanted of an object: everything, or these fields and of each of them so much."""

    __slots__ = ("_below",)

    def __init__(self, below: "Mapping[str, Mask] | None" = None) -> None:
        self._below = below

    def wants(self, name: str) -> bool:
        return self._below is None or name in self._below

    def of(self, name: str) -> "Mask":
        return self if self._below is None else self._below[name]

    def names(self, every: Mapping[str, Any]) -> list[str]:
        """Those of these names that are wanted."""
        return list(every) if self._below is None else [one for one in every if one in self._below]

    def shown(self, value: Any) -> Any:
        """What is left of this value."""
        if self._below is None:
            return value
        if isinstance(value, list):
            return [self.shown(one) for one in cast("list[Any]", value)]
        if isinstance(value, dict):
            some = cast("dict[str, Any]", value)
            return {name: self._below[name].shown(one) for name, one in some.items() if name in self._below}
        return value

    def made(self, parts: "Mapping[str, Part]") -> dict[str, Any]:
        """An object of those parts that are wanted; a function makes its part of the mask for it."""
        made: dict[str, Any] = {}
        for name in self.names(parts):
            part = parts[name]
            value = part(self.of(name)) if callable(part) else part
            if value is not None:
                made[name] = value if callable(part) else self.of(name).shown(value)
        return made


EVERYTHING = Mask()
Part = Callable[[Mask], Any] | str | int | bool | list[Any] | dict[str, Any] | None


@lru_cache(maxsize=1024)
def parsed(text: str, name: str) -> Mask:
    """The mask that a text means for the answers of a named schema.

    Raises:
        Refusal: `invalidParameter` where it has a field that is not there, or is not well formed.
    """
    tokens = _TOKEN.findall(text)
    if not tokens or "".join(tokens) != re.sub(r"\s+", "", text):
        raise _refused(text)
    tree, rest = _list(tokens, text)
    if rest:
        raise _refused(rest[0])
    return _mask(tree, {"$ref": name}, "")


def _refused(what: str) -> Refusal:
    return Refusal(400, "invalidParameter", f"Invalid field selection {what}", location="fields")


def _list(tokens: list[str], text: str) -> tuple[dict[str, Any], list[str]]:
    made: dict[str, Any] = {}
    while True:
        tokens = _one(made, tokens, text)
        if not tokens or tokens[0] != ",":
            return made, tokens
        tokens = tokens[1:]


def _one(into: dict[str, Any], tokens: list[str], text: str) -> list[str]:
    if not tokens or tokens[0] in {",", "/", "(", ")"}:
        raise _refused(tokens[0] if tokens else text)
    below: dict[str, Any] = into.setdefault(tokens[0], {})
    rest = tokens[1:]
    if rest and rest[0] == "/":
        return _one(below, rest[1:], text)
    if rest and rest[0] == "(":
        some, rest = _list(rest[1:], text)
        if not rest or rest[0] != ")":
            raise _refused(text)
        below |= some
        return rest[1:]
    below["*"] = {}
    return rest


def _mask(tree: Mapping[str, Any], of: Mapping[str, Any], at: str) -> Mask:
    if "*" in tree and len(tree) == 1:
        return EVERYTHING
    of = _object(of)
    known: Mapping[str, Any] = of.get("properties", {})
    others = of.get("additionalProperties")
    made: dict[str, Mask] = {}
    if "*" in tree:  # `*` beside fields of fields, as in `*,owners(emailAddress)`
        made = dict.fromkeys(known, EVERYTHING)
    for name, below in tree.items():
        if name == "*":
            continue
        one = known.get(name, others)
        if one is None:
            raise _refused(f"{at}{name}")
        made[name] = _mask(below, one, f"{at}{name}/")
    return Mask(made)


def _object(of: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in of or of.get("type") == "array":
        of = schema(of["$ref"]) if "$ref" in of else of["items"]
    return of
