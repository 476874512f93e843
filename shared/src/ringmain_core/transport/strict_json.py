"""JSON that every reader reads alike: what parsers disagree about is refused before anybody acts on it."""

import json
import math
import re
from itertools import islice
from typing import Any, NoReturn

_MOST_DEPTH = 64
WRONG_ID = "The `id` of a request is a text or a whole number."
_PART = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[,\[{]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class NotStrictJson(ValueError):
    """The text is not JSON, or is JSON that readers disagree about; the message says which."""


def loads_strict(body: bytes) -> Any:
    """Read JSON that is UTF-8, without duplicate keys, NaN, huge numbers, half characters and deep nesting.

    Raises:
        NotStrictJson: With the reason.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotStrictJson(f"not UTF-8 at byte {error.start}") from None
    try:
        value = _decode(text)
    except NotStrictJson:
        raise
    except RecursionError:
        raise NotStrictJson(f"nested deeper than {_MOST_DEPTH} levels") from None
    except ValueError as error:
        raise NotStrictJson(str(error)) from None
    if text.count("[") + text.count("{") > _MOST_DEPTH and _depth_exceeds(value, _MOST_DEPTH):
        raise NotStrictJson(f"nested deeper than {_MOST_DEPTH} levels")
    if _SURROGATE.search(text) and _has_lone_surrogate(value):
        raise NotStrictJson("a string has half a surrogate pair")
    return value


def has_more_parts(body: bytes, most: int) -> bool:
    """Whether JSON is made of more strings, commas and opening brackets than that."""
    return next(islice(_PART.finditer(body), most, None), None) is not None


def has_wrong_id(message: Any) -> bool:
    """Whether a JSON-RPC request has an `id` that nobody could answer to; some readers take it for none."""
    if not isinstance(message, dict) or "method" not in message or "id" not in message:
        return False
    named: object = message["id"]  # pyright: ignore[reportUnknownVariableType] (JSON)
    return isinstance(named, bool) or not isinstance(named, str | int)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJson("an object has the same key twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise NotStrictJson(f"{name} is not JSON")


def _bounded_integer(digits: str) -> int:
    value = int(digits) if len(digits) <= 20 else 1 << 64
    if not -(1 << 63) <= value < 1 << 64:
        raise NotStrictJson("a number has more digits than 64 bits hold; send it as a string")
    return value


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise NotStrictJson("a number is larger than a double holds; send it as a string")
    return value


_decode = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_constant=_refuse_constant,
    parse_int=_bounded_integer,
    parse_float=_finite,
).decode


def _has_lone_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _depth_exceeds(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list):
                below += item
        if not below:
            return False
        level = below
    return any(isinstance(item, dict | list) for item in level)
