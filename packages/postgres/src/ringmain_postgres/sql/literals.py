"""Arguments that decide what a function does: the names of settings, and sizes."""

import json
from collections.abc import Mapping
from typing import Any

from ringmain_postgres.sql import families
from ringmain_postgres.sql.parse import Tree
from ringmain_postgres.sql.refused import SqlRefused


def _constant(argument: Mapping[str, Any]) -> Any:
    """Return a literal's value, or None."""
    while "TypeCast" in argument:
        argument = argument["TypeCast"]["arg"]
    constant = argument.get("A_Const", {})
    if "ival" in constant:
        return constant["ival"].get("ival", 0)
    if "sval" in constant:
        return constant["sval"].get("sval", "")
    return None


def check_setting(arguments: list[Tree]) -> None:
    name = _constant(arguments[0]) if arguments else None
    if not isinstance(name, str):
        raise SqlRefused(
            "setting",
            "`current_setting` is allowed only with the setting's name written out.",
            "Write e.g. `current_setting('TimeZone')`.",
        )
    check_setting_name(name)


def check_selections(names: list[str]) -> None:
    """Raise for `(name).current_setting`, which is a call."""
    if "current_setting" in names:
        check_setting([])


def check_setting_name(name: str) -> None:
    """Raise unless a setting may be shown: some hold passwords or say how to reach other machines."""
    if not families.is_public_setting(name):
        raise SqlRefused(
            "setting",
            f"The setting `{name}` is not on the list of those that may be read.",
            "Settings about time, memory, planning and connections can be read, e.g. `SHOW server_version`.",
        )


def _mentions_data(tree: Tree) -> bool:
    text = json.dumps(tree)  # node kinds are keys, and no literal looks like one: its quotes are escaped
    return '"ColumnRef":' in text or '"ParamRef":' in text


def growth(name: str, argument: Tree, around: int) -> int:
    """Return by how much a call multiplies its input: the server computes constant calls while it plans."""
    value = _constant(argument)
    if value is None and not _mentions_data(argument):
        raise SqlRefused(
            "too_large", f"The size given to `{name}` is a computed constant.", "Write it as a plain number."
        )
    factor = max(1, value) if isinstance(value, int) else families.MAX_SIZE + 1 if value is not None else 1
    if factor * around > families.MAX_SIZE:
        raise SqlRefused(
            "too_large",
            f"`{name}` would build a value of more than {families.MAX_SIZE} characters.",
            "Ask for a smaller one.",
        )
    return factor
