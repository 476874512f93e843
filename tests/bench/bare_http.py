"""Serves a bare SDK server over HTTP, with the same event loop, parser and logging as ours."""

import socket
import sys
from collections.abc import Sequence

import uvicorn
from mcp.server.mcpserver import MCPServer


def serve(server: MCPServer[None], options: Sequence[str]) -> None:
    """Listen on a free port until told to stop; the option `json` answers with one JSON body always."""
    app = server.streamable_http_app(json_response="json" in options)
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
    )
    sys.stderr.write(f"http://127.0.0.1:{listener.getsockname()[1]}/mcp\n")
    sys.stderr.flush()
    uvicorn.Server(config).run(sockets=[listener])
