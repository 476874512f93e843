"""The words that label a measurement: only ones that were declared, so that nobody can make up new ones."""

from collections.abc import Iterator

from ringmain_core.call import Call
from ringmain_core.connector import AnyConnector
from ringmain_core.errors import RingmainError

OTHER = "_other"
"""Stands for every word that is not known."""

LISTEN = "subscriptions/listen"
"""The one method that lasts as long as the client likes: its time says nothing about the server."""

_METHODS = frozenset(
    {
        LISTEN,
        "initialize",
        "ping",
        "server/discover",
        "logging/setLevel",
        "tools/list",
        "tools/call",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "prompts/list",
        "prompts/get",
        "completion/complete",
    }
)
_PROTOCOL_CODES = {
    *("-32700", "-32600", "-32601", "-32602", "-32603"),  # JSON-RPC
    *("-32000", "-32002", "-32010", "-32042"),  # failed, no such resource, cancelled, a URL to visit first
}


class Names:
    """What the calls of a connector are called in measurements."""

    def __init__(self, connector: AnyConnector) -> None:
        self._targets = {"tools/call": connector.tools_by_name, "prompts/get": connector.prompts_by_name}

    def method(self, call: Call) -> str:
        """The method, where the protocol has it."""
        return call.method if call.method in _METHODS else OTHER

    def target(self, call: Call) -> str:
        """The name of the declaration that a call is about, never a URI; empty for what is about none."""
        if call.declaration is not None:
            return call.declaration.name
        if call.target is None or call.method == LISTEN:
            return ""
        return call.target if call.target in self._targets.get(call.method, ()) else OTHER


class Few:
    """Lets the first different words through, and makes the same of all that come after."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: set[str] = set()

    def __call__(self, word: str) -> str:
        if word in self._seen:
            return word
        if len(self._seen) >= self._most:
            return OTHER
        self._seen.add(word)
        return word


def known_codes() -> frozenset[str]:
    """The codes that a failure can have: those of every error class there is, and the protocol's."""
    return frozenset({"", "invalid_params", *_PROTOCOL_CODES, *_codes_below(RingmainError)})


def _codes_below(kind: type[RingmainError]) -> Iterator[str]:
    for below in kind.__subclasses__():
        if "code" in vars(below):
            yield below.code
        yield from _codes_below(below)
