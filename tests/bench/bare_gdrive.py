"""Google's client without us: files by id, in a tool of the bare SDK or by a loop of its own.

`python -m bench.bare_gdrive URL TOKEN IDS http` serves the tool; `… loop` takes lines with a number N
from stdin, reads N files for each, and answers with a line. IDS is a file with one id a line.
"""

import json
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer

from bench.gdrive_load import FIELDS

_SHOWN = ("id", "name", "mimeType", "modifiedTime", "size", "owners", "webViewLink")


_own = threading.local()


def connection(token: str) -> Any:
    """A connection of this thread's own: the vendor's is for one at a time, as its documentation says."""
    if not hasattr(_own, "http"):
        credentials: Any = import_module("google.oauth2.credentials").Credentials(token)
        _own.http = import_module("google_auth_httplib2").AuthorizedHttp(credentials)
    return _own.http


def service(url: str, token: str) -> Any:
    """Google's client as its documentation has it."""
    discovery: Any = import_module("googleapiclient.discovery")
    vendored = Path(str(import_module("googleapiclient.discovery_cache").__file__)).parent
    document = json.loads((vendored / "documents" / "drive.v3.json").read_text("utf-8"))
    document |= {"rootUrl": f"{url}/", "baseUrl": f"{url}/drive/v3/"}
    document.pop("mtlsRootUrl", None)
    return discovery.build_from_document(document, http=connection(token))


def read(drive: Any, token: str, name: str) -> str:
    asked = drive.files().get(fileId=name, fields=FIELDS, supportsAllDrives=True)
    told = asked.execute(http=connection(token))
    return json.dumps({key: told.get(key) for key in _SHOWN})


def build(url: str, token: str) -> MCPServer[None]:
    server: MCPServer[None] = MCPServer("bare-gdrive", log_level="WARNING")
    drive = service(url, token)

    @server.tool(structured_output=False)
    def get_file(file: str) -> str:  # pyright: ignore[reportUnusedFunction]
        """Show a file."""
        return read(drive, token, file)

    return server


def loop(url: str, token: str, names: list[str]) -> None:
    """Read as many files as each line of stdin says."""
    drive = service(url, token)
    number = 0
    for line in sys.stdin:
        for _ in range(int(line)):
            number = (number + 1) % len(names)
            read(drive, token, names[number])
        print("done", flush=True)


if __name__ == "__main__":
    address, secret, where, how = sys.argv[1:5]
    if how == "http":
        from bench.bare_http import serve

        serve(build(address, secret), sys.argv[5:])
    else:
        loop(address, secret, Path(where).read_text("utf-8").split())
