"""Without a server: pages on loopback while somebody connects, and the commands."""

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr, ValidationError

from ringmain_core import cli
from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.accounts import loopback
from ringmain_core.identity.accounts.accounts import Accounts
from ringmain_core.identity.accounts.opened import local_accounts, served_accounts
from ringmain_core.identity.accounts.stores.sqlite import SqliteStore
from ringmain_core.identity.accounts.vault import Vault
from ringmain_core.settings import CoreSettings
from unit.core.accounts.connector import DeskSettings, connector
from unit.core.accounts.desk import ANN, RING, at_desk

SETTINGS = DeskSettings(client_id="ringmain", client_secret=SecretStr("hush"))


@asynccontextmanager
async def local(core: CoreSettings | None = None) -> AsyncGenerator[Accounts]:
    async with local_accounts(connector, core or CoreSettings(), SETTINGS, RING) as accounts:
        assert accounts is not None
        yield accounts


async def is_listening(url: str) -> bool:
    try:
        async with httpx2.AsyncClient() as browser:
            await browser.get(url)
    except httpx2.TransportError:  # refused, or cut off at the end
        return False
    return True


@pytest.mark.anyio
async def test_nothing_listens_before_there_is_a_link_and_after_the_end() -> None:
    before = asyncio.all_tasks()
    async with local() as accounts:
        assert asyncio.all_tasks() == before
        link = await accounts.link("local:local")
        assert link.startswith("http://127.0.0.1:")
        async with httpx2.AsyncClient() as browser:
            page = await browser.get(link)
        assert (page.status_code, "the programs that you run on this computer" in page.text) == (200, True)
        assert (await accounts.link("local:local")).partition("?")[0] == link.partition("?")[0]
    assert not await is_listening(link)
    assert asyncio.all_tasks() == before


@pytest.mark.anyio
@pytest.mark.parametrize("lives", [0.0, 0.05], ids=["at once", "soon"])
async def test_the_listener_ends_with_the_links_and_comes_back_with_the_next(
    monkeypatch: pytest.MonkeyPatch, lives: float
) -> None:
    async with local() as accounts:
        monkeypatch.setattr(loopback, "LIVES", lives)
        link = await accounts.link("local:local")
        async with asyncio.timeout(20):
            while await is_listening(link):  # noqa: ASYNC110 (only asking it can tell)
                await asyncio.sleep(0.01)
        monkeypatch.setattr(loopback, "LIVES", 600.0)
        assert await is_listening(await accounts.link("local:local"))


@pytest.mark.anyio
async def test_requests_in_other_names_and_from_other_pages_are_refused() -> None:
    async with local() as accounts, httpx2.AsyncClient() as browser:
        link = await accounts.link("local:local")
        rebound = await browser.get(link, headers={"host": "evil.example"})
        foreign = await browser.get(link, headers={"origin": "https://evil.example"})
        assert (rebound.status_code, foreign.status_code) == (421, 403)


@pytest.mark.anyio
async def test_a_port_can_be_chosen_and_a_taken_one_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with local(CoreSettings(accounts_port=port)) as accounts:
            with pytest.raises(ConfigurationError, match=f"port {port} cannot be listened on.*ACCOUNTS_PORT"):
                await accounts.link("local:local")
            taken.close()
            assert await accounts.redirect_uri() == f"http://127.0.0.1:{port}/accounts/desk/callback"


@pytest.mark.anyio
async def test_a_connector_without_a_registration_has_no_accounts() -> None:
    async with local_accounts(connector, CoreSettings(), DeskSettings(), RING) as accounts:
        assert accounts is None
    async with served_accounts(connector, CoreSettings(), DeskSettings(), RING, 1) as (accounts, routes):
        assert (accounts, routes) == (None, [])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("core", "redirect_uri"),
    [
        ({}, "http://127.0.0.1:8080/accounts/desk/callback"),
        ({"host": "::1"}, "http://[::1]:8080/accounts/desk/callback"),
        (
            {"host": "0.0.0.0", "public_url": "https://mcp.example.com/desk/"},  # noqa: S104
            "https://mcp.example.com/desk/accounts/desk/callback",
        ),
    ],
    ids=["loopback", "IPv6", "public"],
)
async def test_browsers_come_back_to_where_the_server_is(core: dict[str, Any], redirect_uri: str) -> None:
    async with served_accounts(connector, CoreSettings(**core), SETTINGS, RING, 8080) as (accounts, routes):
        assert accounts is not None
        assert await accounts.redirect_uri() == redirect_uri
        assert [(route.path, route.methods) for route in routes] == [
            ("/accounts/desk/connect", {"GET", "HEAD"}),
            ("/accounts/desk/connect", {"POST"}),
            ("/accounts/desk/callback", {"GET", "HEAD"}),
        ]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "core",
    [{"host": "0.0.0.0"}, {"public_url": "http://mcp.example.com"}],  # noqa: S104
    ids=["anywhere", "without TLS"],
)
async def test_a_server_that_browsers_cannot_reach_in_secret_does_not_start(core: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="RINGMAIN_PUBLIC_URL"):
        async with served_accounts(connector, CoreSettings(**core), SETTINGS, RING, 1):
            pass


def test_where_accounts_are_is_one_of_three() -> None:
    for good in ("sqlite", "redis"):
        assert CoreSettings.model_validate({"accounts": good}).accounts == good
    url = CoreSettings.model_validate({"accounts": "postgresql://u:hush@h/d"}).accounts
    assert isinstance(url, SecretStr)
    for bad in ("", "mysql://hush@h/d", "Sqlite"):
        with pytest.raises(ValidationError) as error:
            CoreSettings.model_validate({"accounts": bad})
        (fault,) = error.value.errors(include_input=False, include_url=False, include_context=False)
        assert fault == {
            "type": "value_error",
            "loc": ("accounts",),
            "msg": "Value error, write `sqlite`, `redis`, or a URL that begins with postgresql://",
        }


def _command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setenv("RINGMAIN_DESK_CLIENT_ID", "ringmain")
    monkeypatch.setenv("RINGMAIN_DESK_CLIENT_SECRET", "hush-hush")
    monkeypatch.setenv("RINGMAIN_SECRET_KEY", "k" * 32)
    return cli.run(connector, ["accounts", *arguments])


def _give(owner: str, state: Path) -> None:
    async def give() -> None:
        async with at_desk() as at:
            account = await at.has(ANN)
        store = SqliteStore(state / "accounts.sqlite")
        await Vault(store, RING, "desk").put(owner, account)
        await store.close()

    asyncio.run(give())


def test_the_list_says_whose_account_there_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _give("jwt:corp/ann", tmp_path / "state")
    assert _command(monkeypatch, "list") == 0
    assert capsys.readouterr().out == (
        "local:local has no Desk account here. Connect one with `accounts connect`.\n"
    )
    assert _command(monkeypatch, "list", "--as", "jwt:corp/ann") == 0
    assert capsys.readouterr().out == (
        "jwt:corp/ann  Desk  ann@example.com  works\n  since 2026-11-22T12:00:00+00:00, scopes: files mail\n"
    )
    assert _command(monkeypatch, "list", "--as", "nobody") == 2
    assert "there is no agent 'nobody' (known: local)" in capsys.readouterr().err


def test_disconnecting_without_the_provider_says_what_is_left_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RINGMAIN_DESK_ISSUER", "http://127.0.0.1:9")
    _give("local:local", tmp_path / "state")
    assert _command(monkeypatch, "disconnect") == 0
    said = capsys.readouterr()
    assert said.out == "Disconnected: ann@example.com of local:local.\n"
    assert said.err == (
        "Desk has not taken the access back (it cannot be reached (ConnectError)): end it in the settings "
        "there.\n"
    )
    assert _command(monkeypatch, "disconnect") == 1
    assert capsys.readouterr().err == "local:local has no Desk account here.\n"


def test_without_a_registration_the_commands_say_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(connector, ["accounts", "list"]) == 2
    assert "set RINGMAIN_DESK_OAUTH_CLIENT_ID first" in capsys.readouterr().err


def test_stores_that_are_not_installed_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module, setting, extra in (
        ("asyncpg", "postgresql://u:hush@h/d", "ringmain-core[postgres]"),
        ("redis.asyncio", "redis", "ringmain-core[redis]"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        monkeypatch.setenv("RINGMAIN_ACCOUNTS", setting)
        monkeypatch.setenv("RINGMAIN_REDIS_URL", "redis://h/0")
        assert _command(monkeypatch, "list") == 2
        said = capsys.readouterr().err
        assert (extra in said, "hush" in said) == (True, False)
    monkeypatch.delenv("RINGMAIN_REDIS_URL")
    assert _command(monkeypatch, "list") == 2
    assert "RINGMAIN_ACCOUNTS=redis needs RINGMAIN_REDIS_URL" in capsys.readouterr().err
