"""What stands before every method: its arguments, the token, the token's scopes."""

import json
from collections.abc import Sequence
from typing import Any, cast

from standins.slack.channel import PREFIXES, TYPES
from standins.slack.published import Argument, Method
from standins.slack.web import Asked, Refusal

_UNKNOWN: Any = object()


def typed(asked: Asked, method: Method) -> None:
    """Read the arguments after the published table, and note what is against it.

    Raises:
        Refusal: `invalid_arguments` where a required one is missing or one has the wrong kind.
    """
    wrong: list[str] = []
    for name, value in asked.arguments.items():
        if name == "token":
            continue
        argument = method.arguments.get(name)
        if argument is None:
            asked.fake.violations.append(f"{method.name}: no argument `{name}`")
            continue
        read = _read(argument, value)
        if read is _UNKNOWN:
            wrong.append(f"[ERROR] must be a valid {argument.kind} [json-pointer:/{name}]")
        elif read is not None:
            asked.values[name] = read
    missing = [name for name, one in method.arguments.items() if one.required and name not in asked.values]
    wrong += [f"[ERROR] missing required field: {name}" for name in missing]
    if wrong:
        asked.fake.violations += [f"{method.name}: {one}" for one in wrong]
        raise Refusal("invalid_arguments", response_metadata={"messages": wrong})


def _read(argument: Argument, value: Any) -> Any:
    if value is None:
        return None
    if argument.kind == "bool":
        known = {"1": True, "0": False, "true": True, "false": False}
        return value if isinstance(value, bool) else known.get(str(value).lower(), _UNKNOWN)
    if argument.kind == "int":
        whole = str(value).lstrip("-").isdigit() and not isinstance(value, bool)
        return int(value) if whole else _UNKNOWN
    if argument.kind == "list":
        return _listed(value)
    if argument.kind == "json":
        return _parsed(value) if isinstance(value, str) else value
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else _UNKNOWN


def _parsed(value: str) -> Any:
    try:
        return json.loads(value) if value.strip() else None
    except ValueError:
        return _UNKNOWN


def _listed(value: Any) -> Any:
    if isinstance(value, list):
        return cast("list[Any]", value)
    if isinstance(value, str) and value.startswith("["):
        return _parsed(value)
    return [one.strip() for one in value.split(",") if one.strip()] if isinstance(value, str) else _UNKNOWN


def known_token(asked: Asked) -> None:
    """Find whose token a request carries.

    Raises:
        Refusal: `not_authed`, `invalid_auth`, `token_revoked`, `token_expired`.
    """
    if asked.method in {"api.test", "oauth.v2.access"}:
        return
    kind, _, given = asked.headers.get("authorization", "").partition(" ")
    value = given if kind.lower() == "bearer" else str(asked.arguments.get("token", ""))
    if not value:
        raise Refusal("not_authed")
    token = asked.fake.tokens.get(value)
    if token is None:
        raise Refusal("invalid_auth")
    asked.token = token
    if token.revoked:
        raise Refusal("token_revoked")
    if token.expired:
        raise Refusal("token_expired")
    author = asked.team.find_user(token.user)
    if author is not None and author.deleted:
        raise Refusal("account_inactive")


def admit(asked: Asked, method: Method) -> None:
    """See that the token may call this method.

    Raises:
        Refusal: `not_allowed_token_type`, `missing_scope` with `needed` and `provided`.
    """
    if asked.token is None:
        return
    if (asked.token.kind == "xapp") != (method.name == "apps.connections.open"):
        raise Refusal("not_allowed_token_type")
    wanted = method.bot if asked.token.is_bot else method.user
    if wanted is None:
        raise Refusal("not_allowed_token_type")
    if not wanted:
        return
    if "*" not in wanted[0]:
        require(asked, wanted)
        return
    every = [one for kind in PREFIXES for one in _of(asked, wanted, kind)]
    if not set(every) & set(asked.token.scopes):
        require(asked, every)
    for kind in _kinds(asked, method.name):
        require(asked, _of(asked, wanted, kind))


def _of(asked: Asked, wanted: Sequence[str], kind: str) -> list[str]:
    made: list[str] = []
    for one in wanted:
        if one == "*:manage":
            bot = asked.mine.is_bot and kind == "public"
            made.append("channels:manage" if bot else f"{PREFIXES[kind]}:write")
        else:
            made.append(one.replace("*", PREFIXES[kind]))
    return made


def _kinds(asked: Asked, name: str) -> list[str]:
    """The kinds of conversation that a request is about, as far as the token may know."""
    if name in {"conversations.list", "users.conversations"}:
        wanted = asked.strings("types") or ["public_channel"]
        if not set(wanted) <= TYPES.keys():
            raise Refusal("invalid_types")
        return [TYPES[one] for one in wanted]
    if name == "conversations.create":
        return ["private" if asked.flag("is_private") else "public"]
    if name == "conversations.open" and "users" in asked.values:
        return ["im" if len(asked.strings("users")) == 1 else "mpim"]
    found = asked.team.find_channel(asked.text("channel"))
    return [found.kind] if found is not None and asked.sees(found) else []


def require(asked: Asked, any_of: Sequence[str]) -> None:
    """Refuse a token that has none of these scopes."""
    have = asked.mine.scopes
    if not set(any_of) & set(have):
        raise Refusal("missing_scope", needed=",".join(any_of), provided=",".join(have))
