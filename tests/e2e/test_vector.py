"""`ringmain-vector` as a user runs it: a folder is taken in, then old and new clients search side by side."""

import subprocess
from pathlib import Path

import pytest

from standins.inspector import inspect
from standins.serving import clean_environment, command, serving

PAGES = {
    "deploy.md": "# How we deploy\n\nThe cache has to be warm before we deploy on Friday.\n",
    "notes/budget.txt": "Servers cost 1500 a month.\n\nCoffee costs 95.\n",
    "code/warm.py": "def warm(cache):\n    for key in cache:\n        cache.load(key)\n",
    "page.html": "<title>Lunch</title><body><p>Lunch is at noon.</p><script>evil()</script></body>",
}


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Settings of a server whose collection has the pages, taken in by the command."""
    folder = tmp_path / "pages"
    for name, text in PAGES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    found = {
        "RINGMAIN_STATE_DIR": str(tmp_path / "state"),
        "RINGMAIN_VECTOR_STORE": f"edge://{tmp_path}/store",
    }
    for expected in ("4 added", "4 unchanged"):
        done = subprocess.run(
            [command("ringmain-vector"), "index", str(folder)],
            env=clean_environment(**found),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout
    return found


def test_the_inspector_searches_over_stdio(settings: dict[str, str]) -> None:
    environment = [part for name, value in settings.items() for part in ("-e", f"{name}={value}")]
    target = (command("ringmain-vector"), *environment)
    tools = {tool["name"] for tool in inspect(*target, "--method", "tools/list")["tools"]}
    assert {"search_documents", "get_document", "list_collections", "add_documents"} <= tools
    query = ("--tool-arg", "query=coffee costs")
    found = inspect(*target, "--method", "tools/call", "--tool-name", "search_documents", *query)
    assert "Coffee costs 95." in found["content"][0]["text"]
    assert found["structuredContent"]["hits"][0]["document_id"] == "notes/budget.txt"
    read = inspect(*target, "--method", "resources/read", "--uri", "vector://docs/documents/page.html")
    assert "Lunch is at noon." in read["contents"][0]["text"]
    assert "evil" not in read["contents"][0]["text"]


def test_an_old_and_a_new_client_share_one_server(settings: dict[str, str]) -> None:
    with serving("ringmain-vector", settings) as served:
        header = ("--transport", "http", "--header", f"Authorization: Bearer {served.key}")
        new, old = served.url, served.url.replace("/v2/", "/v1/")
        assert new != old
        asked = (
            "--method",
            "tools/call",
            "--tool-name",
            "search_documents",
            "--tool-arg",
            "query=coffee costs",
        )
        texts = inspect(old, *header, *asked, "--tool-arg", "top_k=2")["structuredContent"]
        assert "Coffee costs 95." in texts["result"][0]
        assert list(texts) == ["result"]
        rich = inspect(new, *header, *asked, "--tool-arg", "top_k=2")["structuredContent"]
        assert "Coffee costs 95." in rich["hits"][0]["text"]
        assert 0 < rich["hits"][0]["score"] <= 1
        (first,) = [
            tool
            for tool in inspect(old, *header, "--method", "tools/list")["tools"]
            if tool["name"] == "search_documents"
        ]
        assert set(first["inputSchema"]["properties"]) == {"query", "top_k"}
