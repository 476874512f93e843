"""Each image at work over HTTP: a real client, a user with nothing to lose, health, and an end in time."""

import re
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest
from mcp.client import Client

from images.archive import archive_of
from images.behind import Behind, behind
from images.engine import HARDENED, PROGRAM, Container, engine, options, serving
from images.served import KEY, POLICY, Served, free_port, operated, served
from standins.asking import ask

pytestmark = pytest.mark.anyio

STOPS_WITHIN = 25.0
LISTENS = "0A"


@pytest.fixture(scope="module")
def check(image: str) -> Sequence[str]:
    """The command that the image has for its health."""
    return archive_of(image).config["Healthcheck"]["Test"][1:]


async def asked(client: Client, system: Behind) -> None:
    tools = {tool.name for tool in (await client.list_tools()).tools}
    assert {call.tool for call in system.calls} <= tools
    for call in system.calls:
        assert call.says in await ask(client, call.tool, **call.arguments)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_lists_and_calls(server: Served, system: Behind, mode: str) -> None:
    async with server.client(mode=mode) as client:
        await asked(client, system)
    assert "records verified" in server.container.does("ringmain", "audit", "verify")


async def test_it_has_a_user_of_its_own_no_capability_and_no_way_to_more(server: Served) -> None:
    status = dict(
        line.split(":\t", 1)
        for line in server.container.does("cat", "/proc/1/status").splitlines()
        if ":\t" in line
    )
    assert status["Uid"].split() == ["10001"] * 4
    assert status["Gid"].split() == ["10001"] * 4
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"


async def test_secrets_from_files_are_nowhere_else(server: Served, system: Behind) -> None:
    secrets = [*system.secrets.values(), KEY]
    seen = engine("inspect", server.container.name) + "".join(server.container.log)
    seen += server.container.does("sh", "-c", "cat /proc/1/environ; find /data -type f -exec cat {} +")
    assert [number for number, secret in enumerate(secrets) if secret in seen] == []


async def test_it_is_healthy_while_it_answers_and_ends_in_order_with_a_stream_open(
    image: str, system: Behind, check: Sequence[str], tmp_path: Path
) -> None:
    with served(image, system, tmp_path) as server:
        assert server.container.is_healthy(check)
        server.container.signal("STOP")
        assert not server.container.is_healthy(check)
        server.container.signal("CONT")
        assert server.container.is_healthy(check)
        async with server.client() as client, client.listen(tools_list_changed=True) as stream:
            status, took = await anyio.to_thread.run_sync(server.container.stop)
            with anyio.fail_after(5):
                assert [event async for event in stream] == []
    assert status == 0
    assert took < STOPS_WITHIN


def test_without_any_network_it_starts_and_one_port_listens(
    image: str, system: Behind, check: Sequence[str], tmp_path: Path
) -> None:
    given = operated(system, tmp_path, dict(system.settings))
    with serving(image, "--network=none", *given) as container:
        assert listening(container) == ["0.0.0.0:8080"]
        assert container.is_healthy(check)


def listening(container: Container) -> list[str]:
    """The TCP addresses that a container takes connections at."""
    found: list[str] = []
    for line in container.does("cat", "/proc/net/tcp", "/proc/net/tcp6").splitlines():
        _, local, _, state, *_ = line.split()
        if state == LISTENS:
            address, _, port = local.partition(":")
            found.append(
                f"{'.'.join(str(byte) for byte in reversed(bytes.fromhex(address)))}:{int(port, 16)}"
            )
    return found


async def test_whoever_has_no_key_yet_is_told_the_way_to_one(tmp_path: Path) -> None:
    image = "ringmain-vector"  # it needs nothing behind it
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY, encoding="utf-8")
    with_policy = options(
        {"RINGMAIN_POLICY": "/etc/ringmain/policy.toml"}, [f"{policy}:/etc/ringmain/policy.toml:ro"]
    )
    assert "there is no policy. Set RINGMAIN_POLICY" in refusal(image)
    assert "Make one with `keys create AGENT`" in refusal(image, *with_policy)
    volume = f"ringmain-{uuid.uuid4().hex}"
    kept = f"--volume={volume}:/data"
    try:
        said = engine("run", "--rm", *HARDENED, *with_policy, kept, image, "keys", "create", "tester")
        made = re.search(r"\brm_\S+", said)
        assert made is not None, said
        port = free_port()
        where = options({"RINGMAIN_HOST": "127.0.0.1", "RINGMAIN_PORT": str(port)})
        with (
            behind("vector") as system,
            serving(image, "--network=host", *with_policy, kept, *where) as container,
        ):
            async with Served(container, port).client(made[0]) as client:
                await asked(client, system)
    finally:
        engine("volume", "rm", "--force", volume)


def refusal(image: str, *given: str) -> str:
    """What a container says that does not start to serve."""
    done = subprocess.run(
        [PROGRAM, "run", "--rm", "--network=none", *HARDENED, *given, image, "serve"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    return done.stderr
