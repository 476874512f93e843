"""Which scopes each tool needs, and which of them a token lacks."""

from collections.abc import Mapping, Sequence

from ringmain_slack.identity import Identity

Scopes = Sequence[str]
"""Each entry one scope, or several that do as well, with `|` between them."""

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
_ANY_HISTORY = "|".join(_HISTORY)

_BOT: Mapping[str, Scopes] = {
    "whoami": (),
    "search": (*_READ, *_HISTORY, "users:read"),
    "list_channels": _READ,
    "get_channel": (*_READ, "pins:read", "bookmarks:read", "users:read"),
    "read_channel": (*_READ, *_HISTORY, "users:read"),
    "read_thread": (*_READ, *_HISTORY, "users:read"),
    "catch_up": (*_READ, *_HISTORY, "users:read"),
    "find_users": ("users:read", "users:read.email"),
    "read_file": ("files:read", "canvases:read"),
    "send_message": ("chat:write",),
    "edit_message": ("chat:write", _ANY_HISTORY),
    "delete_message": ("chat:write", _ANY_HISTORY),
    "react": ("reactions:write",),
    "upload_file": ("files:write", "files:read"),
    "save_canvas": ("canvases:write", "canvases:read", "files:read"),
    "manage_channel": ("channels:manage", "groups:write", "channels:join", "im:write", "mpim:write"),
    "mark_read": ("channels:manage", "groups:write", "im:write", "mpim:write"),
}
_USER: Mapping[str, Scopes] = {
    **_BOT,
    "search": ("search:read|search:read.public",),
    "manage_channel": ("channels:write", "groups:write", "im:write", "mpim:write"),
    "mark_read": ("channels:write", "groups:write", "im:write", "mpim:write"),
}
_ALSO = (
    "reactions:read",
    "team:read",
    "usergroups:read",
)  # events of reactions come only with it


def needs(*, is_bot: bool) -> Mapping[str, Scopes]:
    """The scopes of each tool for one kind of token. Kinds of conversation that are not used need none."""
    return _BOT if is_bot else _USER


def every_scope(*, is_bot: bool) -> list[str]:
    """All scopes that the tools use, for the app's manifest and for accounts."""
    wanted = {scope.partition("|")[0] for scopes in needs(is_bot=is_bot).values() for scope in scopes}
    return sorted(wanted | set(_ALSO))


def lacking(about: Identity) -> list[str]:
    """What a token does not allow, as “tool: scope, scope”."""
    found: list[str] = []
    for tool, scopes in needs(is_bot=about.is_bot).items():
        missing = [scope for scope in scopes if not about.scopes.intersection(scope.split("|"))]
        if missing:
            found.append(f"{tool}: {', '.join(missing)}")
    return found
