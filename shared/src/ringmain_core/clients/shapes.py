"""What an entry looks like: most clients took over one form, and changed it a little."""

from typing import Any

from ringmain_core.clients.launch import Launch

Entry = dict[str, Any]


def plain(launch: Launch) -> Entry:
    """The form of Claude Desktop, which most clients read."""
    entry: Entry = {"command": launch.command, "args": list(launch.args)}
    return entry | ({"env": dict(launch.env)} if launch.env else {})


def typed(launch: Launch) -> Entry:
    return {"type": "stdio", **plain(launch)}


def copilot(launch: Launch) -> Entry:
    return {"type": "local", **plain(launch), "tools": ["*"]}


def opencode(launch: Launch) -> Entry:
    entry: Entry = {"type": "local", "command": [launch.command, *launch.args]}
    return entry | ({"environment": dict(launch.env)} if launch.env else {})


def goose(launch: Launch) -> Entry:
    return {
        "enabled": True,
        "type": "stdio",
        "cmd": launch.command,
        "args": list(launch.args),
        "envs": dict(launch.env),
        "timeout": 300,
    }


def goose_remote(url: str, authorization: str | None) -> Entry:
    entry: Entry = {"enabled": True, "type": "streamable_http", "uri": url, "timeout": 300}
    return entry | _headers(authorization)


def codex_remote(url: str, variable: str | None) -> Entry:
    return {"url": url} | ({"bearer_token_env_var": variable} if variable else {})


class Remote:
    """A server at a URL: under which name the URL stands, and what stands beside it."""

    def __init__(self, url: str, first: Entry | None = None, last: Entry | None = None) -> None:
        self._url, self._first, self._last = url, first or {}, last or {}

    def __call__(self, url: str, authorization: str | None) -> Entry:
        return {**self._first, self._url: url, **_headers(authorization), **self._last}


def _headers(authorization: str | None) -> Entry:
    return {"headers": {"Authorization": authorization}} if authorization else {}
