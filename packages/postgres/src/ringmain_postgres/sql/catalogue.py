"""What the server's catalogue says about the names in a statement, as plain data."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ringmain_postgres.sql import families
from ringmain_postgres.sql.lookup import BUILT_INS

Fetch = Callable[..., Awaitable[Sequence[Mapping[str, Any]]]]
"""`await fetch(sql, *parameters)`: rows as mappings, parameters as $1, $2 … (lists for arrays)."""

FIRST_USER_OID = 16384
"""Postgres gives lower numbers only to what it ships."""


@dataclass(frozen=True, slots=True)
class Function:
    oid: int
    schema: str
    name: str
    kind: str
    arguments: tuple[int, ...]
    defaults: int
    variadic: bool
    types: tuple[int, ...]
    """Types of arguments (in and out) and result: what calling it brings into play."""
    takes_row: bool
    volatile: bool
    language: str
    security_definer: bool
    config: tuple[str, ...]
    body: str
    default_values: str
    extension: str
    support: tuple[int, ...]
    """An aggregate's functions."""

    @property
    def title(self) -> str:
        return f"{self.schema}.{self.name}"

    def accepts(self, arity: int) -> bool:
        """Whether a call with so many arguments (-1: unknown) could mean this function."""
        most = len(self.arguments)
        least = most - self.defaults - self.variadic
        return arity < 0 or (least <= arity and (self.variadic or arity <= most))


@dataclass(frozen=True, slots=True)
class Relation:
    oid: int
    schema: str
    name: str
    kind: str
    row_type: int
    types: tuple[int, ...]
    """User-defined types of its columns."""
    definition: str
    foreign: bool
    """A foreign table, or the parent of one."""
    support: tuple[int, ...]
    """Functions of operator classes that its indexes and partition keys bring along."""
    heirs: tuple[str, ...]
    """Tables of their own that inherit from it, and whose rows are read with its rows."""


@dataclass(frozen=True, slots=True)
class Operator:
    oid: int
    schema: str
    name: str
    operands: tuple[int, ...]
    result: int
    functions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    oid: int
    source: int
    target: int
    implicit: bool
    function: int


@dataclass(frozen=True, slots=True)
class UserType:
    """A type in play, with what Postgres may call on its behalf."""

    oid: int
    schema: str
    name: str
    parts: tuple[int, ...]
    functions: tuple[int, ...]
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuiltIns:
    """The functions and types that the server ships: which exist, and which are refused and why."""

    version: int
    functions: frozenset[str]
    types: dict[str, tuple[int, int]]
    """By name: number, and that of its elements (0 if it is not an array)."""
    elements: dict[int, int]
    refused: dict[str, list[tuple[int, int, str, str]]]
    """By name: fewest and most arguments, what is wrong, what to do instead."""
    refused_oids: dict[int, tuple[str, str, str]]
    """By number: name, what is wrong, what to do. Input and output functions are not among these."""


@dataclass(slots=True)
class Facts:
    """What was found so far, by name and by number."""

    asked: set[tuple[str, str | int]] = field(default_factory=set[tuple[str, "str | int"]])
    relations: dict[str, list[Relation]] = field(default_factory=dict[str, list[Relation]])
    named_functions: dict[str, list[Function]] = field(default_factory=dict[str, list[Function]])
    functions: dict[int, Function] = field(default_factory=dict[int, Function])
    operators: dict[str, list[Operator]] = field(default_factory=dict[str, list[Operator]])
    named_types: dict[str, list[tuple[str, int]]] = field(default_factory=dict[str, list[tuple[str, int]]])
    types: dict[int, UserType] = field(default_factory=dict[int, UserType])
    casts: dict[int, Cast] = field(default_factory=dict[int, Cast])
    implied_types: set[int] = field(default_factory=set[int])
    """Types that a value of a built-in type turns into without being asked."""


async def load_built_ins(fetch: Fetch) -> BuiltIns:
    """Read what the server ships; it stays the same until the server is upgraded. About 20 ms."""
    functions: set[str] = set()
    refused: dict[str, list[tuple[int, int, str, str]]] = {}
    refused_oids: dict[int, tuple[str, str, str]] = {}
    version = 0
    types: dict[str, tuple[int, int]] = {}
    for row in await fetch(BUILT_INS):
        item = json.loads(row["item"])
        if row["kind"] == "types":
            version = item["version"]
            types = {name: (oid, element) for name, oid, element in item["types"]}
            continue
        oid, name, least, most, volatile, internal = item
        functions.add(name)
        family: tuple[str, str] | None = families.refused_built_in(name)
        if name == "ts_rewrite" and most == 2:
            family = ("runs SQL that is given to it as text", "Use ts_rewrite(query, target, substitute).")
        elif internal:
            refused.setdefault(name, []).append(
                (least, most, "is a part of the server's inner machinery", "Use a cast (`x::type`) instead.")
            )
            continue
        elif family is None and volatile and name not in families.VOLATILE_BUILT_INS:
            family = ("is volatile: it may change something or only waits", "Leave it out.")
        if family is not None:
            does, hint = family
            refused.setdefault(name, []).append((least, most, does, hint))
            refused_oids[oid] = (name, does, hint)
    elements = {oid: element for oid, element in types.values() if element}
    return BuiltIns(version, frozenset(functions), types, elements, refused, refused_oids)


def absorb(facts: Facts, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add what a look-up returned."""
    for row in rows:
        item = json.loads(row["item"])
        match row["kind"]:
            case "relation":
                found = _relation(item)
                facts.relations.setdefault(found.name, []).append(found)
            case "function":
                _add_function(facts, _function(item))
            case "operator":
                operator = _operator(item)
                facts.operators.setdefault(operator.name, []).append(operator)
            case "type_name":
                facts.named_types.setdefault(item[1], []).append((item[0], item[2]))
            case "cast":
                facts.casts[item[0]] = Cast(*item)
            case "implied_type":
                facts.implied_types.add(item)
            case _:
                facts.types[item["oid"]] = _type(item)


def _add_function(facts: Facts, function: Function) -> None:
    if function.oid not in facts.functions:
        facts.functions[function.oid] = function
        facts.named_functions.setdefault(function.name, []).append(function)


def _oids(numbers: list[int | None] | None) -> tuple[int, ...]:
    return tuple(number for number in numbers or () if number)


def _relation(item: dict[str, Any]) -> Relation:
    del item["columns"]  # asked for so that a change of them shows
    item["types"] = _oids(item["types"])
    item["support"] = _oids(item["support"])
    item["definition"] = item["definition"] or ""
    item["heirs"] = tuple(item["heirs"])
    return Relation(**item)


def _function(item: dict[str, Any]) -> Function:
    result = item.pop("result")
    del item["names"]  # like a relation's columns
    item["types"] = _oids([*(item["types"] or item["arguments"]), result])
    item["arguments"] = tuple(item["arguments"])
    item["config"] = tuple(item["config"] or ())
    item["support"] = _oids(item["support"])
    for text in ("body", "default_values", "extension"):
        item[text] = item[text] or ""
    return Function(**item)


def _operator(item: dict[str, Any]) -> Operator:
    return Operator(
        item["oid"],
        item["schema"],
        item["name"],
        _oids([item["left"], item["right"]]),
        item["result"],
        _oids(item["functions"]),
    )


def _type(item: dict[str, Any]) -> UserType:
    return UserType(
        item["oid"],
        item["schema"],
        item["name"],
        _oids(item["parts"]),
        _oids(item["functions"]),
        tuple(item["checks"]),
    )
