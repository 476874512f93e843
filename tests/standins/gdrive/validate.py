"""JSON bodies against the schemas of the vendor's description, compiled once; told in words."""

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, cast

from standins.gdrive.described import schema

Check = Callable[[Any, str], Iterator[str]]

_INT64 = re.compile(r"-?\d{1,19}")
_KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


def wrong(name: str, value: Any) -> list[str]:
    """What is wrong with this value of a named schema."""
    return list(_named(name)(value, name))


@cache
def _named(name: str) -> Check:
    made: list[Check] = []

    def check(value: Any, at: str) -> Iterator[str]:  # compiled at its first use: schemas refer to themselves
        if not made:
            made.append(_compiled(schema(name)))
        return made[0](value, at)

    return check


def _compiled(of: Mapping[str, Any]) -> Check:
    if "$ref" in of:
        return _named(of["$ref"])
    kind = of.get("type", "any")
    if kind == "object":
        return _object(of)
    if kind == "array":
        return _array(_compiled(of["items"]))
    return _scalar(kind, of.get("format", ""), of.get("enum"))


def _object(of: Mapping[str, Any]) -> Check:
    known = {name: _compiled(one) for name, one in of.get("properties", {}).items()}
    others = _compiled(of["additionalProperties"]) if "additionalProperties" in of else None

    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{at}: {value!r} is no object"
            return
        for name, one in cast("dict[str, Any]", value).items():
            below = known.get(name, others)
            if below is None:
                yield f"{at}: no field `{name}`"
            else:
                yield from below(one, f"{at}.{name}")

    return check


def _array(below: Check) -> Check:
    def check(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{at}: {value!r} is no array"
            return
        for one in cast("list[Any]", value):
            yield from below(one, f"{at}[]")

    return check


def _scalar(kind: str, form: str, choices: list[str] | None) -> Check:
    expected = _KINDS.get(kind)
    fits = _FORMATS.get(form)

    def check(value: Any, at: str) -> Iterator[str]:
        if expected is None:
            return
        if not isinstance(value, expected) or (isinstance(value, bool) and kind != "boolean"):
            yield f"{at}: {value!r} is no {kind}"
        elif fits is not None and not fits(value):
            yield f"{at}: {value!r} is no {form}"
        elif choices is not None and value not in choices:
            yield f"{at}: {value!r} is not one of {choices}"

    return check


def _is_moment(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_base64(value: str) -> bool:
    try:
        urlsafe_b64decode(value)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_int64(value: str) -> bool:
    return _INT64.fullmatch(value) is not None


_FORMATS: Mapping[str, Callable[[Any], bool]] = {
    "date-time": _is_moment,
    "byte": _is_base64,
    "int64": _is_int64,
}


@cache
def read_only(name: str) -> frozenset[str]:
    """The fields of a schema that only the server writes."""
    found: set[str] = set()
    for field, one in schema(name).get("properties", {}).items():
        text = one.get("description", "")
        if one.get("readOnly") or "Output only." in text:
            found.add(field)
    return frozenset(found)
