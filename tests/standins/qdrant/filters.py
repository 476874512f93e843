"""Which points a filter means, and which indexes it needs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from standins.qdrant.state import Collection, Json, Kept, Refused, id_of

_STEP = re.compile(r'"([^"]*)"|([^."\[\]]+)')
_EQUALS = {str: "keyword", bool: "bool", int: "integer"}


def holds(where: Json | None, point: Kept, indexes: Mapping[str, str]) -> bool:
    """Whether a point is meant."""
    if where is None:
        return True

    def met(key: str) -> Iterator[bool]:
        return (_holds(one, point, indexes) for one in where.get(key) or ())

    return all(met("must")) and not any(met("must_not")) and (not where.get("should") or any(met("should")))


def require_indexes(collection: Collection, where: Json | None, setting: str) -> None:
    """Refuse a filter by what is not indexed, where strict mode says so."""
    if where is None or not collection.strict(setting):
        return
    for condition in _conditions(where):
        key = condition.get("key")
        kinds = _kinds(condition)
        if key is not None and collection.indexes.get(key) not in kinds:
            raise Refused(
                400,
                f'Bad request: Index required but not found for "{key}" of one of the following types: '
                f"[{', '.join(kinds)}]. Help: Create an index for this key or use a different filter.",
            )


def at(payload: Any, key: str) -> Any:
    """What is at a path of a payload."""
    for quoted, plain in _STEP.findall(key):
        payload = payload.get(quoted or plain) if isinstance(payload, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return payload  # pyright: ignore[reportUnknownVariableType]


def _conditions(where: Json) -> Iterator[Json]:
    for key in ("must", "must_not", "should"):
        for one in where.get(key) or ():
            yield one
            yield from _conditions(one)


def _kinds(condition: Json) -> list[str]:
    if condition.get("range") is not None:
        return ["float", "integer"]
    match: Json = condition.get("match") or {}
    values = [match["value"]] if "value" in match else list(match.get("any") or [""])
    return [_EQUALS[type(values[0])]]


def _holds(condition: Json, point: Kept, indexes: Mapping[str, str]) -> bool:
    if "has_id" in condition:
        return point.id in {id_of(one) for one in condition["has_id"]}
    if "key" not in condition:
        return holds(condition, point, indexes)
    value = at(point.payload, condition["key"])
    if condition.get("range") is not None:
        return _within(value, condition["range"], whole=indexes.get(condition["key"]) == "integer")
    match = condition["match"]
    wanted = [match["value"]] if "value" in match else match["any"]
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in wanted)


def _within(value: Any, ends: Json, *, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # The ends of a range are cut off at the point where an index of integers is asked.
    given = {key: int(end) if whole else end for key, end in ends.items() if end is not None}
    return (
        value >= given.get("gte", value)
        and value <= given.get("lte", value)
        and ("gt" not in given or value > given["gt"])
        and ("lt" not in given or value < given["lt"])
    )
