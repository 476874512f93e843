"""Reads the policy file, and refuses one that names something unknown, with file, line and reason."""

import re
import tomllib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ringmain_core.errors import ConfigurationError
from ringmain_core.policy import Policy, PolicyFile, locate

_CONNECTOR = re.compile(r"[a-z0-9_*-]+")
_TOML_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


def load_policy(path: Path, connector: str, names: Iterable[str]) -> Policy:
    """Read a policy file.

    Args:
        path: The TOML file.
        connector: This connector; of others' names the file may say what it likes.
        names: Every tool, resource and prompt of this connector.

    Raises:
        ConfigurationError: With file, line and reason, where it cannot be read or names something unknown.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8 at byte {error.start}") from error
    return parse_policy(text, str(path), connector, names)


def parse_policy(text: str, source: str, connector: str, names: Iterable[str]) -> Policy:
    """Like `load_policy`, from a text; errors and explanations call it `source`."""
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, at = str(error), _TOML_LINE.search(str(error))
        where = f"{source}:{at[1] or len(text.splitlines())}" if at else source
        raise ConfigurationError(f"{where}: not valid TOML: {_TOML_LINE.sub('', reason)}") from error
    try:
        content = PolicyFile.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        reason = "is not a known setting" if first["type"] == "extra_forbidden" else first["msg"]
        raise ConfigurationError(_complaint(source, text, first["loc"], reason)) from error
    _check_names(source, text, content, connector, set(names))
    return Policy(content, source=Path(source).name, text=text)


def _check_names(source: str, text: str, content: PolicyFile, connector: str, names: set[str]) -> None:
    def refuse(location: tuple[str | int, ...], reason: str) -> None:
        raise ConfigurationError(_complaint(source, text, location, reason))

    for role_name, role in content.roles.items():
        for key in ("allow", "deny"):
            entries: list[str] = getattr(role, key)
            for index, entry in enumerate(entries):
                reason = _entry_fault(entry, connector, names)
                if reason:
                    refuse(("roles", role_name, key, index), reason)
        for kind in role.fence:
            if "." not in kind:
                refuse(("roles", role_name, "fence", kind), f"{kind!r} must be written `<connector>.<kind>`")
    for pattern in content.limits:
        reason = None if pattern == "*" else _limits_fault(pattern, connector, names)
        if reason:
            refuse(("limits", pattern), reason)
    seen: set[str] = set()
    for index, agent in enumerate(content.agents):
        if agent.id in seen:
            refuse(("agents", index, "id"), f"agent {agent.id!r} is there twice")
        if agent.key is not None and agent.key in seen:
            refuse(("agents", index, "key"), "another agent has the same key")
        seen |= {agent.id, agent.key or agent.id}
        for role_name in agent.roles:
            if role_name not in content.roles:
                known = ", ".join(sorted(content.roles)) or "none"
                refuse(("agents", index, "roles"), f"there is no role {role_name!r} (known: {known})")


def _entry_fault(entry: str, connector: str, names: set[str]) -> str | None:
    of_connector, mark, name = entry.partition(":" if ":" in entry else ".")
    if not mark or not _CONNECTOR.fullmatch(of_connector):
        return f"{entry!r} must be written `<connector>:<access>` or `<connector>.<name>`"
    if mark == ":":
        known_access = name in ("*", "read", "write", "destructive")
        return None if known_access else f"{entry!r}: the access is read, write, destructive or *"
    if of_connector == connector and not any(fnmatchcase(known, name) for known in names):
        return f"{entry!r}: {connector} has no {name!r} (it has {', '.join(sorted(names))})"
    return None


def _limits_fault(entry: str, connector: str, names: set[str]) -> str | None:
    if "*" in entry or "." not in entry:
        return f'{entry!r} must be "*" or one tool, written `<connector>.<tool>`'
    return _entry_fault(entry, connector, names)


def _complaint(source: str, text: str, location: tuple[str | int, ...], reason: str) -> str:
    line = locate(text, location)
    keys = ".".join(str(part) for part in location)
    return f"{source}{f':{line}' if line else ''}: {keys}: {reason}"
