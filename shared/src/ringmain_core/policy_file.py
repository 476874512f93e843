"""Reads the policy file, and refuses one that names something unknown, with file, line and reason."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ringmain_core.errors import ConfigurationError
from ringmain_core.policy import Policy, PolicyFile, locate

_Location = tuple[str | int, ...]
_Refuse = Callable[[_Location, str], None]
_CONNECTOR = re.compile(r"[a-z0-9_*-]+")
_TOML_LINE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a policy file can name of a connector; of others' names it may say what it likes.

    Attributes:
        connector: Its name.
        names: Every tool, resource and prompt.
        kinds: The kinds of object that a fence can be put around.
    """

    connector: str
    names: frozenset[str]
    kinds: frozenset[str]


def load_policy(path: Path, vocabulary: Vocabulary) -> Policy:
    """Read a policy file.

    Raises:
        ConfigurationError: With file, line and reason, where it cannot be read or names something unknown.
    """
    try:
        text = path.read_bytes().decode()  # as it is, for its digest
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8 at byte {error.start}") from error
    return parse_policy(text, str(path), vocabulary)


def parse_policy(text: str, source: str, vocabulary: Vocabulary) -> Policy:
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
    _check_names(source, text, content, vocabulary)
    return Policy(content, source=Path(source).name, text=text)


def _check_names(source: str, text: str, content: PolicyFile, vocabulary: Vocabulary) -> None:
    def refuse(location: _Location, reason: str) -> None:
        raise ConfigurationError(_complaint(source, text, location, reason))

    for role_name, role in content.roles.items():
        for key in ("allow", "deny", "confirm"):
            entries: list[str] = getattr(role, key)
            for index, entry in enumerate(entries):
                reason = _entry_fault(entry, vocabulary)
                if reason:
                    refuse(("roles", role_name, key, index), reason)
        for kind in role.fence:
            reason = _fence_fault(kind, vocabulary)
            if reason:
                refuse(("roles", role_name, "fence", kind), reason)
    for pattern in content.limits:
        reason = None if pattern == "*" else _limits_fault(pattern, vocabulary)
        if reason:
            refuse(("limits", pattern), reason)
    _check_agents(content, refuse)
    _check_issuers(content, refuse)


def _check_agents(content: PolicyFile, refuse: _Refuse) -> None:
    seen: set[str] = set()
    for index, agent in enumerate(content.agents):
        if agent.id in seen:
            refuse(("agents", index, "id"), f"agent {agent.id!r} is there twice")
        if agent.key is not None and agent.key in seen:
            refuse(("agents", index, "key"), "another agent has the same key")
        seen |= {agent.id, agent.key or agent.id}
        for role_name in agent.roles:
            if role_name not in content.roles:
                refuse(("agents", index, "roles"), _no_such_role(role_name, content))


def _check_issuers(content: PolicyFile, refuse: _Refuse) -> None:
    seen: set[str] = set()
    for index, issuer in enumerate(content.issuers):
        if issuer.issuer in seen:
            refuse(("issuers", index, "issuer"), f"issuer {issuer.issuer!r} is there twice")
        if issuer.name in seen:
            refuse(("issuers", index, "name"), f"another issuer is named {issuer.name!r}; set `name`")
        seen |= {issuer.issuer, issuer.name}
        for nth, rule in enumerate(issuer.roles):
            if rule.role not in content.roles:
                refuse(("issuers", index, "roles", nth, "role"), _no_such_role(rule.role, content))


def _no_such_role(name: str, content: PolicyFile) -> str:
    return f"there is no role {name!r} (known: {', '.join(sorted(content.roles)) or 'none'})"


def _entry_fault(entry: str, vocabulary: Vocabulary) -> str | None:
    of_connector, mark, name = entry.partition(":" if ":" in entry else ".")
    if not mark or not _CONNECTOR.fullmatch(of_connector):
        return f"{entry!r} must be written `<connector>:<access>` or `<connector>.<name>`"
    if mark == ":":
        known_access = name in ("*", "read", "write", "destructive")
        return None if known_access else f"{entry!r}: the access is read, write, destructive or *"
    ours = of_connector == vocabulary.connector
    if ours and not any(fnmatchcase(known, name) for known in vocabulary.names):
        return f"{entry!r}: {of_connector} has no {name!r} (it has {', '.join(sorted(vocabulary.names))})"
    return None


def _fence_fault(kind: str, vocabulary: Vocabulary) -> str | None:
    of_connector, dot, name = kind.partition(".")
    if not dot:
        return f"{kind!r} must be written `<connector>.<kind>`"
    if of_connector == vocabulary.connector and name not in vocabulary.kinds:
        known = ", ".join(sorted(vocabulary.kinds)) or "none"
        return f"{kind!r}: {of_connector} has no such kind of object (it has {known})"
    return None


def _limits_fault(entry: str, vocabulary: Vocabulary) -> str | None:
    if "*" in entry or "." not in entry:
        return f'{entry!r} must be "*" or one tool, written `<connector>.<tool>`'
    return _entry_fault(entry, vocabulary)


def _complaint(source: str, text: str, location: _Location, reason: str) -> str:
    line = locate(text, location)
    keys = ".".join(str(part) for part in location)
    return f"{source}{f':{line}' if line else ''}: {keys}: {reason}"
