"""One entry in the text of a file, set or taken away; that nothing else changed is proved, not hoped for."""

import json
from collections.abc import Callable
from typing import Any, Literal, cast

from ringmain_core.clients import json_text, toml_text, yaml_text
from ringmain_core.clients.unusable import Unusable

Form = Literal["json", "toml", "yaml"]

_EDITORS = {"json": json_text, "toml": toml_text, "yaml": yaml_text}


def load(form: Form, text: str) -> dict[str, Any]:
    """The data of a file.

    Raises:
        Unusable: Where it is broken, with line and column, or holds something else than names and values.
    """
    data: Any = _EDITORS[form].load(text) if text.strip() else {}
    if not isinstance(data, dict):
        raise Unusable("line 1, column 1: it holds something else than names and values")
    return cast("dict[str, Any]", data)


def entry_at(data: dict[str, Any], path: tuple[str, ...]) -> Any:
    """What stands at a path, `None` for nothing."""
    value: Any = data
    for key in path:
        value = cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
    return value


def put(form: Form, text: str, path: tuple[str, ...], entry: dict[str, Any]) -> str:
    """The text with an entry at a path."""

    def change(data: dict[str, Any]) -> None:
        for key in path[:-1]:
            if data.get(key) is None:
                data[key] = {}
            if not isinstance(data[key], dict):
                raise Unusable(f"`{key}` is something else than names and values")
            data = data[key]
        data[path[-1]] = entry

    return _proved(form, text, _EDITORS[form].put(text, path, entry), change)


def drop(form: Form, text: str, path: tuple[str, ...]) -> str:
    """The text without what stands at a path."""

    def change(data: dict[str, Any]) -> None:
        del entry_at(data, path[:-1])[path[-1]]

    return _proved(form, text, _EDITORS[form].drop(text, path), change, path[:-1])


def pruned(data: dict[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Data without what is empty on the way to some keys, which says nothing."""
    if not keys or keys[0] not in data:
        return data
    inner = data[keys[0]]
    if isinstance(inner, dict):
        inner = pruned(cast("dict[str, Any]", inner), keys[1:])
    if inner is None or inner in ({}, []):
        return {key: value for key, value in data.items() if key != keys[0]}
    return {**data, keys[0]: inner}


def put_item(text: str, key: str, item: dict[str, Any]) -> str:
    """The JSON text with a further item in an array at its top."""
    return _proved(
        "json",
        text,
        json_text.append(text, key, item),
        lambda data: data.setdefault(key, []).append(item),
    )


def drop_item(text: str, key: str, item: dict[str, Any]) -> str:
    """The JSON text without an item of an array at its top."""
    return _proved("json", text, json_text.drop_item(text, key, item), lambda data: data[key].remove(item))


def same(one: Any, other: Any) -> bool:
    """Whether data are the same, `1` and `true` not being so; in names and values no order counts."""
    return json.dumps(one, default=str, sort_keys=True) == json.dumps(other, default=str, sort_keys=True)


def _proved(
    form: Form,
    before: str,
    after: str,
    change: Callable[[dict[str, Any]], object],
    may_go: tuple[str, ...] = (),
) -> str:
    """The text after a change, if its data are what they should be; what may go if empty, may stay, too."""
    wanted = load(form, before)
    change(wanted)
    try:
        fine = same(pruned(load(form, after), may_go), pruned(wanted, may_go))
    except Unusable:
        fine = False
    if not fine:
        raise Unusable("its servers are written in a way that cannot be edited without touching more")
    return after
