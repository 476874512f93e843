"""The scopes of the methods that the fake knows, by kind of token."""

_KINDS = ("channels", "groups", "im", "mpim")
_BOTH = (
    *(f"{kind}:{access}" for kind in _KINDS for access in ("read", "history")),
    *(f"{kind}:write" for kind in _KINDS[1:]),
    "bookmarks:read",
    "canvases:read",
    "canvases:write",
    "chat:write",
    "files:read",
    "files:write",
    "pins:read",
    "reactions:read",
    "reactions:write",
    "search:read.files",
    "search:read.public",
    "search:read.users",
    "team:read",
    "usergroups:read",
    "users:read",
    "users:read.email",
)
_BOT = ("channels:join", "channels:manage")
_USER = ("channels:write", "search:read", "search:read.im", "search:read.mpim", "search:read.private")


def every_scope(kind: str) -> tuple[str, ...]:
    """All that a token of this kind (xoxb, xoxp, xapp) can have."""
    if kind == "xapp":
        return ("connections:write",)
    return (*_BOTH, *(_BOT if kind == "xoxb" else _USER))
