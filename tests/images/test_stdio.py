"""Each image as a desktop client starts it: `run -i --rm`, and gone with the client."""

import os

import anyio
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from images.archive import archive_of
from images.behind import Behind
from images.engine import HARDENED, PROGRAM, ended, engine, options
from standins.asking import ask

pytestmark = pytest.mark.anyio


async def test_a_client_that_starts_it_lists_and_calls_and_leaves_nothing(image: str, system: Behind) -> None:
    name = f"{image}-stdio-{os.getpid()}"
    by_name = [f"--env={secret}" for secret in system.secrets]  # the value stays off the command line
    given = ["--network=host", *HARDENED, *options(system.settings, system.volumes), *by_name]
    parameters = StdioServerParameters(
        command=PROGRAM,
        args=["run", "-i", "--rm", f"--name={name}", *given, image],
        env={**os.environ, **system.secrets},
    )
    with anyio.fail_after(60):
        async with Client(stdio_client(parameters)) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            assert {call.tool for call in system.calls} <= tools
            for call in system.calls:
                assert call.says in await ask(client, call.tool, **call.arguments)
            command = archive_of(image).config["Healthcheck"]["Test"][1:]
            engine("exec", name, *command)  # healthy, for as long as there is a client
    assert ended(name)


def test_it_says_its_version_and_does_what_operators_ask(connector: str, image: str) -> None:
    said = engine("run", "--rm", "--network=none", *HARDENED, image, "--version")
    assert said.startswith(f"ringmain-{connector} ")
