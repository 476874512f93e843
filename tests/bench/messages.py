"""The messages that both sides are sent, in both eras of the protocol."""

import json
from collections.abc import Mapping
from typing import Any, Literal

Era = Literal["2026-07-28", "2025-11-25"]
MODERN: Era = "2026-07-28"
LEGACY: Era = "2025-11-25"

_CLIENT = {"name": "bench", "version": "1.0"}
_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": _CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
}
INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'


def request(number: int, method: str, params: Mapping[str, Any], era: Era = LEGACY) -> bytes:
    """One request, as clients write it."""
    sent = {**params, "_meta": _META} if era == MODERN else params
    body = {"jsonrpc": "2.0", "id": number, "method": method, "params": sent}
    return json.dumps(body, separators=(",", ":")).encode()


def initialize() -> bytes:
    return request(0, "initialize", {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": _CLIENT})


def call(number: int, tool: str, arguments: Mapping[str, Any], era: Era) -> bytes:
    return request(number, "tools/call", {"name": tool, "arguments": arguments}, era)
