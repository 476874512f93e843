"""Requests as they go over the wire, for what no client would send."""

from typing import Any

import httpx2

_ACCEPT = "application/json, text/event-stream"


def call_tool(url: str, tool: str, *, key: str, **params: Any) -> httpx2.Response:
    """Call a tool in the way of 2026-07-28: one request, and nothing before or after it."""
    version = "2026-07-28"
    meta: dict[str, Any] = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
    }
    return httpx2.post(
        url,
        json=_request("tools/call", {"name": tool, "arguments": {}, "_meta": meta, **params}),
        headers={
            "accept": _ACCEPT,
            "authorization": f"Bearer {key}",
            "mcp-protocol-version": version,
            "mcp-method": "tools/call",
            "mcp-name": tool,
        },
    )


class Session:
    """A session in the way of 2025-11-25."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._headers = {"accept": _ACCEPT, "authorization": f"Bearer {key}"}
        client = {"name": "test", "version": "1"}
        answer = self.send(
            "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo=client
        ).raise_for_status()
        self._headers |= {
            "mcp-session-id": answer.headers["mcp-session-id"],
            "mcp-protocol-version": "2025-11-25",
        }

    def send(self, method: str, **params: Any) -> httpx2.Response:
        return httpx2.post(self._url, json=_request(method, params), headers=self._headers)


def _request(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
