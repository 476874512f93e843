"""HTTP by hand: each header as often and in whatever form a test wants it, in both protocol eras."""

import base64
import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MODERN, LEGACY = "2026-07-28", "2025-11-25"
ERAS = (MODERN, LEGACY)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
Headers = Sequence[tuple[str, str]]

_META = "io.modelcontextprotocol/"
_NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
_WITHIN = 10.0  # seconds for one answer


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)

    @property
    def json(self) -> Any:
        """The body, or the last event of a stream."""
        if self.header("content-type") == "application/json":
            return json.loads(self.body)
        return json.loads([line for line in self.body.splitlines() if line.startswith(b"data: {")][-1][6:])

    @property
    def refusal(self) -> str:
        """The stable code of a refusal by a gate."""
        return self.json["error"]["data"]["code"]

    @property
    def text(self) -> str:
        """The one text of a tool's result."""
        (block,) = self.json["result"]["content"]
        return block["text"]

    def without_ids(self) -> tuple[int, Any]:
        """The answer but for what is new in every one."""
        said = self.json
        for at in (said.get("error", {}).get("data"), *said.get("result", {}).get("_meta", {}).values()):
            if isinstance(at, dict):
                at.pop("call_id", None)  # pyright: ignore[reportUnknownMemberType]
        return self.status, said


class Line:
    """A connection that is kept alive."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=_WITHIN)

    def send(self, method: str, path: str, headers: Headers, body: bytes = b"") -> Answer:
        """Send these headers and no others, but for the body's length."""
        self._http.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            self._http.putheader(name, value.encode("latin-1"))
        if body or method == "POST":
            self._http.putheader("Content-Length", str(len(body)))
        self._http.endheaders(body)
        response = self._http.getresponse()
        content = response.read()
        return Answer(
            response.status, [(name.lower(), value) for name, value in response.getheaders()], content
        )

    def close(self) -> None:
        self._http.close()


def send(port: int, method: str, path: str, headers: Headers, body: bytes = b"") -> Answer:
    """One request on a connection of its own."""
    line = Line(port)
    try:
        return line.send(method, path, headers, body)
    finally:
        line.close()


def in_header(value: str) -> str:
    """A value as the protocol's headers carry it, whatever is in it."""
    if value.isascii() and value.isprintable() and value == value.strip() and not value.startswith("=?"):
        return value
    return f"=?base64?{base64.b64encode(value.encode('utf-8', 'surrogatepass')).decode()}?="


@dataclass
class Caller:
    """A client of one server: its credential, its era, and its session where it has one.

    Attributes:
        capabilities: What it says it can do.
        more: Headers beside the usual ones.
    """

    port: int
    key: str
    era: str = MODERN
    path: str = "/v1/mcp"
    session: str | None = None
    capabilities: dict[str, Any] = field(default_factory=dict[str, Any])
    more: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def shake_hands(self) -> "Caller":
        """Open a session, as clients of 2025-11-25 do."""
        about = {"name": "test", "version": "1"}
        params = {"protocolVersion": LEGACY, "capabilities": self.capabilities, "clientInfo": about}
        self.session = self.ask("initialize", params).header("mcp-session-id")
        assert self.session is not None
        self.send(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode())
        return self

    def headers(self, method: str, params: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What goes with a request in this era."""
        headers = [
            ("Host", f"127.0.0.1:{self.port}"),
            ("Authorization", f"Bearer {self.key}"),
            ("Accept", "application/json, text/event-stream"),
            ("Content-Type", "application/json"),
            ("MCP-Protocol-Version", self.era),
        ]
        if self.session is not None:
            headers.append(("Mcp-Session-Id", self.session))
        if self.era == MODERN:
            headers.append(("Mcp-Method", method))
            name = params.get(_NAMED_BY.get(method, ""))
            if isinstance(name, str):
                headers.append(("Mcp-Name", in_header(name)))
        return headers + self.more

    def message(self, method: str, params: Mapping[str, Any], id_: object = 1) -> dict[str, Any]:
        """A request as this era wants it."""
        said = dict(params)
        if self.era == MODERN:
            said["_meta"] = {
                f"{_META}protocolVersion": self.era,
                f"{_META}clientInfo": {"name": "test", "version": "1"},
                f"{_META}clientCapabilities": self.capabilities,
            }
        return {"jsonrpc": "2.0", "id": id_, "method": method, "params": said}

    def send(
        self, body: bytes, method: str = "tools/call", params: Mapping[str, Any] | None = None
    ) -> Answer:
        """Send a body as it is; method and parameters are what the headers say."""
        return send(self.port, "POST", self.path, self.headers(method, params or {}), body)

    def ask(self, method: str, params: Mapping[str, Any] | None = None, id_: object = 1) -> Answer:
        body = json.dumps(self.message(method, params or {}, id_)).encode()
        return self.send(body, method, params)

    def tool(self, name: str, /, **arguments: Any) -> Answer:
        """Call a tool, in a session if the era wants one."""
        if self.era == LEGACY and self.session is None:
            self.shake_hands()
        return self.ask("tools/call", {"name": name, "arguments": arguments})
