"""The setting of the store names one place, and a key goes to that place only."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ringmain_core.errors import ConfigurationError
from ringmain_core.upstream.guards import Guards
from ringmain_vector.settings import VectorSettings
from ringmain_vector.stores.opening import folder_of, store_named

pytestmark = pytest.mark.anyio


@contextmanager
def server(keys: list[str | None]) -> Generator[str]:
    """A server that has no collection, and remembers the keys that it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys.append(self.headers.get("api-key"))
            content = json.dumps({"status": {"error": "Not found"}}).encode()
            self.send_response(404)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        try:
            yield f"qdrant+http://127.0.0.1:{running.server_port}"
        finally:
            running.shutdown()


@pytest.mark.parametrize("other", [None, "key of the other"])
async def test_each_server_is_sent_its_own_key(other: str | None) -> None:
    ours: list[str | None] = []
    theirs: list[str | None] = []
    with server(ours) as store, server(theirs) as target:
        given = {"store": store, "store_key": "ours", "other_store_key": other}
        settings = VectorSettings.model_validate(given)
        for one in (store, target):
            opened = store_named(one, settings, Guards())
            assert await opened.open("docs") is None
            await opened.close()
    assert (ours, theirs) == (["ours"], [other])


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ("edge:///data/vectors", Path("/data/vectors")),
        ("edge:///a%3Fb%23c", Path("/a?b#c")),
        ("edge://~/data", Path.home() / "data"),
        ("edge:///~/data", Path.home() / "data"),
    ],
)
def test_a_folder_is_written_with_three_slashes(given: str, folder: Path) -> None:
    assert folder_of(given) == folder


@pytest.mark.parametrize("given", ["edge://data/vectors", "edge://./data", "edge:///a#b", "edge:///a?b"])
def test_what_would_be_lost_of_a_folder_is_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match="three slashes, `edge:///folder`"):
        folder_of(given)
