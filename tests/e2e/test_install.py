"""The real command on a user's file, and then what the file says, started by a real client."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from standins.asking import ask, rows_of
from standins.serving import clean_environment, command, serving

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        sys.platform != "linux", reason="the paths are those of Linux; unit tests have the others"
    ),
]

COMMAND = "ringmain-postgres"
FILESYSTEM = {"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/data"]}


class Home:
    """A user's home on this system."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / ".config" / "Claude" / "claude_desktop_config.json"

    def install(self, *arguments: str, **settings: str) -> tuple[int, str]:
        """Run `install`; its exit status and what it said."""
        environment = clean_environment(HOME=str(self.folder), XDG_CONFIG_HOME=str(self.folder / ".config"))
        done = subprocess.run(
            [command(COMMAND), "install", *arguments],
            env=environment | settings | {"XDG_STATE_HOME": str(self.folder / "state")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def servers(self, path: Path | None = None) -> dict[str, Any]:
        return json.loads((path or self.config).read_text(encoding="utf-8"))["mcpServers"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path)
    found.config.parent.mkdir(parents=True)
    found.config.write_text(
        json.dumps({"mcpServers": {"filesystem": FILESYSTEM}}, indent="\t"), encoding="utf-8"
    )
    return found


async def test_what_was_installed_starts_and_answers(home: Home, shop: str) -> None:
    before = home.config.read_bytes()
    client = ("--client", "claude-desktop")
    status, said = home.install(*client, RINGMAIN_POSTGRES_URL=shop)
    assert (status, "Nothing was written" in said) == (2, True)
    assert home.config.read_bytes() == before

    status, said = home.install(*client, "--yes", RINGMAIN_POSTGRES_URL=shop)
    assert (status, shop in said) == (0, False)
    assert shop not in home.config.read_text(encoding="utf-8")
    assert home.servers()["filesystem"] == FILESYSTEM
    entry = home.servers()[COMMAND]
    assert Path(entry["command"]).is_absolute()
    nothing_else = {"HOME": str(home.folder), "RINGMAIN_STATE_DIR": str(home.folder / "its-state")}
    parameters = StdioServerParameters(
        command=entry["command"], args=entry["args"], env=nothing_else | entry["env"], cwd="/"
    )
    async with Client(stdio_client(parameters)) as session:
        assert rows_of(await ask(session, "query", sql="SELECT 7 AS seven")) == [[7]]

    status, said = home.install(*client, "--yes")
    assert (status, "nothing changes, the entry is there." in said) == (0, True)
    status, said = home.install(*client, "--remove", "--yes")
    assert (status, "Removed." in said) == (0, True)
    assert home.config.read_bytes() == before


async def test_a_remote_server_is_reached_by_what_was_installed(home: Home, settings: dict[str, str]) -> None:
    with serving(COMMAND, settings) as served:
        arguments = ("--client", "cursor", "--http", served.url, "--secret", "SHOP_KEY", "--yes")
        status, said = home.install(*arguments, SHOP_KEY=served.key)
        assert (status, served.key in said) == (0, False)
        path = home.folder / ".cursor" / "mcp.json"
        assert served.key not in path.read_text(encoding="utf-8")
        entry = home.servers(path)[COMMAND]
        headers = {
            name: text.replace("${env:SHOP_KEY}", served.key) for name, text in entry["headers"].items()
        }
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(entry["url"], http_client=http)) as session,
        ):
            assert rows_of(await ask(session, "query", sql="SELECT 8 AS eight")) == [[8]]


def test_two_at_once_both_get_in(home: Home) -> None:
    arguments = [command(COMMAND), "install", "--client", "claude-desktop", "--yes", "--name"]
    environment = clean_environment(
        HOME=str(home.folder),
        XDG_CONFIG_HOME=str(home.folder / ".config"),
        RINGMAIN_STATE_DIR=str(home.folder / "state"),
    )
    names = ["shop", "books", "flights"]
    running = [
        subprocess.Popen(
            [*arguments, name], env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        for name in names
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert sorted(home.servers()) == sorted(["filesystem", *names])
