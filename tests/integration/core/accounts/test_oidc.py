"""Accounts at a real authorization server, connected in a browser, used through real clients."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import httpx2
import mcp_types as types
import pytest
import uvicorn
from mcp.client import Client, ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from pydantic import SecretStr

from ringmain_core.audit import AuditKey, AuditLog
from ringmain_core.cursors import Cursors
from ringmain_core.gates.audit import Trail
from ringmain_core.identity.accounts.account import Account
from ringmain_core.identity.accounts.accounts import Accounts
from ringmain_core.identity.accounts.opened import local_accounts, served_accounts
from ringmain_core.identity.accounts.stores.sqlite import SqliteStore
from ringmain_core.identity.accounts.vault import Vault
from ringmain_core.identity.api_keys import ApiKeys, KeyFile, hash_key
from ringmain_core.policy_file import parse_policy
from ringmain_core.principal import LOCAL, Principal
from ringmain_core.sealing import KeyRing
from ringmain_core.server import Runtime, build_server
from ringmain_core.services import Services
from ringmain_core.settings import CoreSettings
from ringmain_core.state.local import LocalState
from ringmain_core.testing import CapturedAudit, bench
from ringmain_core.transport.http import HttpApp
from standins.asking import ask, fault
from standins.oidc_accounts import CLIENT_ID, CLIENT_SECRET, Browser, running_provider
from unit.core.accounts.connector import DeskClient, DeskSettings, connector
from unit.core.accounts.desk import call_of

pytestmark = pytest.mark.anyio

OLD, NEW = b"o" * 32, b"n" * 32
ANN, BOB = Principal("ann", "api_key"), Principal("bob", "api_key")
POLICY = f"""
[roles.all]
allow = ["*:*"]
limits = {{ rate = "1000/s", burst = 1000, concurrency = 64 }}
[[agents]]
id = "ann"
key = "{hash_key("key-of-ann")}"
roles = ["all"]
[[agents]]
id = "bob"
key = "{hash_key("key-of-bob")}"
roles = ["all"]
"""


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with running_provider() as issuer:
        yield issuer


def settings_for(issuer: str) -> DeskSettings:
    return DeskSettings(issuer=issuer, client_id=CLIENT_ID, client_secret=SecretStr(CLIENT_SECRET))


@dataclass
class Person:
    """Somebody at a client, who opens every link in a browser and connects their account there."""

    name: str
    links: list[str] = field(default_factory=list[str])

    async def __call__(
        self, _: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult:
        assert isinstance(params, types.ElicitRequestURLParams)
        await self.open(params.url)
        return types.ElicitResult(action="accept")

    async def open(self, link: str) -> None:
        self.links.append(link)
        async with Browser(self.name) as browser:
            page = await browser.connect(link)
        assert "Connected" in page.text, page.text


@dataclass
class Served:
    """A server at work."""

    url: str
    accounts: Accounts
    vault: Vault
    audit: CapturedAudit

    @asynccontextmanager
    async def client(
        self, key: str, mode: str = "auto", person: Person | None = None
    ) -> AsyncGenerator[Client]:
        bearer = {"Authorization": f"Bearer {key}"}
        options: dict[str, Any] = {} if person is None else {"elicitation_callback": person}
        async with httpx2.AsyncClient(headers=bearer, timeout=30) as http:
            transport = streamable_http_client(f"{self.url}/v1/mcp", http_client=http)
            async with Client(transport, mode=mode, **options) as client:
                yield client

    async def account(self, principal: Principal) -> Account:
        kept = await self.vault.load(principal.owner)
        assert kept is not None
        return kept.account

    async def expire(self, principal: Principal) -> None:
        """As if the hour of an access token were over."""
        account = await self.account(principal)
        over = replace(account.tokens, expires_at=time.time() - 1, refresh_at=time.time() - 1)
        await self.vault.put(principal.owner, replace(account, tokens=over))


@asynccontextmanager
async def served(issuer: str, *keys: bytes) -> AsyncGenerator[Served]:
    """The demo connector over HTTP."""
    core, ring, settings = CoreSettings(), KeyRing(keys or [OLD]), settings_for(issuer)
    policy = parse_policy(POLICY, "policy.toml", connector.vocabulary())
    api_keys, audit = ApiKeys(KeyFile(core.state_dir / "keys.json")), CapturedAudit()

    async def authenticate(credential: str) -> Principal | None:
        return api_keys.recognise(credential, policy)

    async with AsyncExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listener.getsockname()[1]
        log = stack.enter_context(AuditLog(audit, sync_interval=1.0))
        state = LocalState()
        stack.push_async_callback(state.close)
        accounts, pages = await stack.enter_async_context(
            served_accounts(connector, core, settings, ring, port)
        )
        services = Services(Cursors(OLD), accounts=accounts)
        upstream = await stack.enter_async_context(connector.connect(settings, services))
        trail = Trail(connector.name, log, AuditKey(OLD).mac_of_answer, str)
        runtime = Runtime(core, lambda: policy, trail, None, ring, state)
        app = HttpApp(
            connector,
            build_server(connector, upstream, runtime),
            upstream,
            core,
            authenticate=authenticate,
            record=trail.write_unserved,
            audit_healthy=lambda: True,
            policy=lambda: policy,
            pages=pages,
        )
        server = uvicorn.Server(uvicorn.Config(app.asgi, log_config=None, timeout_graceful_shutdown=5))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        assert accounts is not None
        store = SqliteStore(core.state_dir / "accounts.sqlite")
        try:
            yield Served(f"http://127.0.0.1:{port}", accounts, Vault(store, ring, "desk"), audit)
        finally:
            app.drain()
            server.should_exit = True
            await serving
            await store.close()


async def counts(issuer: str) -> dict[str, int]:
    async with httpx2.AsyncClient() as http:
        return (await http.get(f"{issuer}/counts")).json()


async def refreshes(issuer: str) -> tuple[int, int]:
    """How many worked, and how many did not."""
    seen = await counts(issuer)
    return seen.get("refresh_token_ok", 0), seen.get("refresh_token_failed", 0)


async def test_a_person_connects_when_asked_and_the_call_goes_on(issuer: str) -> None:
    person = Person("ann-at-desk")
    async with served(issuer) as at, at.client("key-of-ann", person=person) as client:
        assert await ask(client, "whoami") == "ann-at-desk@example.com"
        assert await ask(client, "whoami") == "ann-at-desk@example.com"
        assert len(person.links) == 1
        assert person.links[0].startswith(f"{at.url}/accounts/desk/connect?ticket=")


async def test_a_client_of_2025_gets_an_error_with_the_link_and_calls_again(issuer: str) -> None:
    person = Person("ann-at-desk")
    async with served(issuer) as at, at.client("key-of-ann", "legacy", person) as client:
        with pytest.raises(MCPError) as error:
            await client.call_tool("whoami", {})
        assert error.value.code == types.URL_ELICITATION_REQUIRED
        await person.open(error.value.data["elicitations"][0]["url"])
        assert await ask(client, "whoami") == "ann-at-desk@example.com"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_that_asks_nobody_shows_the_link(issuer: str, mode: str) -> None:
    async with served(issuer) as at, at.client("key-of-ann", mode) as client:
        result = await client.call_tool("whoami", {})
        assert result.meta is not None
        await Person("ann-at-desk").open(result.meta["dev.ringmain/error"]["url"])
        assert await ask(client, "whoami") == "ann-at-desk@example.com"


async def test_who_says_no_at_the_provider_has_no_account(issuer: str) -> None:
    async with served(issuer) as at, at.client("key-of-ann") as client:
        result = await client.call_tool("whoami", {})
        assert result.meta is not None
        async with Browser("ann-at-desk") as browser:
            page = await browser.connect(result.meta["dev.ringmain/error"]["url"], agree=False)
        assert page.status_code == 400
        assert "Desk says: access_denied End-User aborted interaction" in page.text
        assert (await fault(client, "whoami"))[0] == "account_needed"


async def test_twenty_calls_after_the_hour_refresh_once_and_rotation_goes_on(issuer: str) -> None:
    async with served(issuer) as at, at.client("key-of-ann", person=Person("ann-at-desk")) as client:
        await ask(client, "whoami")
        for _ in range(3):
            before, (worked, failed) = await at.account(ANN), await refreshes(issuer)
            await at.expire(ANN)
            said = await asyncio.gather(*(ask(client, "whoami") for _ in range(20)))
            assert said == ["ann-at-desk@example.com"] * 20
            assert await refreshes(issuer) == (worked + 1, failed)
            assert (await at.account(ANN)).tokens.refresh != before.tokens.refresh


async def test_two_servers_on_one_store_never_use_a_refresh_token_twice(issuer: str) -> None:
    async with (
        served(issuer) as one,
        served(issuer) as two,
        one.client("key-of-ann", person=Person("ann-at-desk")) as client,
        two.client("key-of-ann") as other,
    ):
        await ask(client, "whoami")
        worked, failed = await refreshes(issuer)
        await one.expire(ANN)
        said = await asyncio.gather(*(ask(each, "whoami") for _ in range(8) for each in (client, other)))
        assert said == ["ann-at-desk@example.com"] * 16
        assert await refreshes(issuer) == (worked + 1, failed)


async def test_two_people_who_call_at_the_same_time_use_their_own_accounts(issuer: str) -> None:
    async with (
        served(issuer) as at,
        at.client("key-of-ann", person=Person("ann-at-desk")) as anns,
        at.client("key-of-bob", person=Person("bob-at-desk")) as bobs,
    ):
        assert await ask(anns, "whoami") == "ann-at-desk@example.com"
        assert await ask(bobs, "whoami") == "bob-at-desk@example.com"
        await at.expire(ANN)
        await at.expire(BOB)
        said = await asyncio.gather(*(ask(each, "whoami") for _ in range(15) for each in (anns, bobs)))
        assert said == ["ann-at-desk@example.com", "bob-at-desk@example.com"] * 15


async def test_a_link_for_one_that_another_opens_gives_the_account_to_the_one(issuer: str) -> None:
    async with served(issuer) as at, at.client("key-of-ann") as client, at.client("key-of-bob") as bobs:
        result = await client.call_tool("whoami", {})
        assert result.meta is not None
        link = result.meta["dev.ringmain/error"]["url"]
        async with Browser("bob-at-desk") as browser:
            assert "the agent “ann”" in (await browser.http.get(link)).text
            await browser.connect(link)
        assert await ask(client, "whoami") == "bob-at-desk@example.com"
        assert (await fault(bobs, "whoami"))[0] == "account_needed"


async def test_after_a_rotation_of_the_keys_accounts_work_and_the_old_key_can_go(issuer: str) -> None:
    async with served(issuer, OLD) as at, at.client("key-of-ann", person=Person("ann-at-desk")) as client:
        await ask(client, "whoami")
    for keys in ([NEW, OLD], [NEW]):
        async with served(issuer, *keys) as at, at.client("key-of-ann") as client:
            assert await ask(client, "whoami") == "ann-at-desk@example.com"
    async with served(issuer, OLD) as at, at.client("key-of-ann") as client:
        assert (await fault(client, "whoami"))[0] == "account_needed"


async def test_disconnecting_ends_the_access_at_the_provider_too(issuer: str) -> None:
    async with served(issuer) as at, at.client("key-of-ann", person=Person("ann-at-desk")) as client:
        await ask(client, "whoami")
        tokens = (await at.account(ANN)).tokens
        done = await at.accounts.disconnect(ANN.owner)
        assert done is not None
        assert done.revoked
        async with httpx2.AsyncClient() as http:
            bearer = {"Authorization": f"Bearer {tokens.access.get_secret_value()}"}
            assert (await http.get(f"{issuer}/me", headers=bearer)).status_code == 401
    async with served(issuer) as at, at.client("key-of-ann") as client:
        assert (await fault(client, "whoami"))[0] == "account_needed"


async def test_access_that_was_ended_at_the_provider_asks_to_connect_again(issuer: str) -> None:
    person = Person("ann-at-desk")
    async with served(issuer) as at, at.client("key-of-ann", person=person) as client:
        await ask(client, "whoami")
        await at.accounts._endpoints.revoke((await at.account(ANN)).tokens)  # pyright: ignore[reportPrivateUsage]
        await at.expire(ANN)
        assert await ask(client, "whoami") == "ann-at-desk@example.com"
        assert len(person.links) == 2


async def test_the_pages_stand_behind_the_same_front_as_everything_else(issuer: str) -> None:
    async with served(issuer) as at, httpx2.AsyncClient() as http:
        link = await at.accounts.link(ANN.owner)
        for headers, status in (
            ({"host": "evil.example"}, 421),
            ({"origin": "https://evil.example"}, 403),
            ({"origin": "null"}, 403),
            ({}, 200),
        ):
            assert (await http.get(link, headers=headers)).status_code == status, headers


async def test_over_stdio_the_link_leads_to_a_page_on_this_machine(issuer: str) -> None:
    core, settings, person = CoreSettings(), settings_for(issuer), Person("me-at-desk")
    async with local_accounts(connector, core, settings, KeyRing([OLD])) as accounts:
        assert accounts is not None
        desk = DeskClient(accounts)
        async with bench(connector, upstream=desk, principal=LOCAL, elicitation_callback=person) as at:
            assert await ask(at.client, "whoami") == "me-at-desk@example.com"
        await desk.close()
        page = person.links[0].partition("?")[0]
        with anyio.fail_after(20):
            while await _is_listening(page):  # noqa: ASYNC110 (only asking it can tell)
                await anyio.sleep(0.02)
        token = await accounts.token(call_of(LOCAL))
        assert token.identity.label == "me-at-desk@example.com"


async def _is_listening(url: str) -> bool:
    async with httpx2.AsyncClient() as http:
        try:
            await http.get(url)
        except httpx2.TransportError:  # refused, or cut off at the end
            return False
    return True


PROGRAM = (
    "import sys\nfrom ringmain_core.cli import run\nfrom unit.core.accounts.connector import connector\n"
)


async def test_the_command_connects_lists_and_disconnects(issuer: str, tmp_path: Path) -> None:
    program = tmp_path / "desk.py"
    program.write_text(f"{PROGRAM}sys.exit(run(connector))\n")
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "RINGMAIN_DESK_ISSUER": issuer,
        "RINGMAIN_DESK_CLIENT_ID": CLIENT_ID,
        "RINGMAIN_DESK_CLIENT_SECRET": CLIENT_SECRET,
    }

    async def run(*arguments: str) -> tuple[int, str]:
        done = await anyio.run_process(
            [sys.executable, str(program), "accounts", *arguments],
            env=environment,
            check=False,
            stderr=subprocess.STDOUT,
        )
        return done.returncode, done.stdout.decode()

    async with await anyio.open_process(
        [sys.executable, str(program), "accounts", "connect"], env=environment, stderr=None
    ) as connecting:
        assert connecting.stdout is not None
        said = ""
        with anyio.fail_after(30):
            async for part in connecting.stdout:
                said += part.decode()
                if "ticket=" in said and said.endswith("\n"):
                    break
            link = said.splitlines()[-1]
            await Person("me-at-desk").open(link)
            async for part in connecting.stdout:
                said += part.decode()
            assert await connecting.wait() == 0
    assert said.endswith("Connected: me-at-desk@example.com for local:local.\n")
    status, shown = await run("list")
    assert (status, "local:local  Desk  me-at-desk@example.com  works" in shown) == (0, True)
    assert await run("disconnect") == (0, "Disconnected: me-at-desk@example.com of local:local.\n")
    assert (await run("disconnect"))[0] == 1
