"""Tokens are refreshed once, for their owner, and what the provider gives is never lost."""

import asyncio
import time
from dataclasses import replace

import anyio
import httpx2
import pytest
from pydantic import SecretStr

from ringmain_core.errors import AccountNeeded, UpstreamRefused, UpstreamUnavailable
from ringmain_core.identity.accounts import refreshing
from ringmain_core.principal import Principal
from unit.core.accounts.desk import ANN, BOB, CLIENT, DESK, at_desk, call_of

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "_BETWEEN_TRIES", 0.001)
    monkeypatch.setattr(refreshing, "_LOOK_AGAIN", 0.001)


async def test_a_token_that_works_is_used_as_it_is() -> None:
    async with at_desk() as at:
        await at.has(ANN)
        token = await at.accounts.token(call_of(ANN))
        assert token.value.get_secret_value() == "access-ann-1"
        assert (token.identity.label, token.scopes) == ("ann@example.com", {"files", "mail"})
        assert at.desk.asked == []


async def test_twenty_calls_at_once_refresh_once() -> None:
    async with at_desk() as at:
        await at.has(ANN, expired=True)
        tokens = await asyncio.gather(*(at.accounts.token(call_of(ANN)) for _ in range(20)))
        assert at.desk.refreshes == {"ann": 1}
        assert {token.value.get_secret_value() for token in tokens} == {"access-ann-2"}
        assert at.desk.works_for("access-ann-2") == "ann"


async def test_processes_that_share_a_store_refresh_once() -> None:
    async with at_desk() as at:
        await at.has(ANN, expired=True)
        replicas = [at.accounts, *(at.beside() for _ in range(4))]
        tokens = await asyncio.gather(
            *(replica.token(call_of(ANN)) for replica in replicas for _ in range(4))
        )
        assert at.desk.refreshes == {"ann": 1}
        assert {token.value.get_secret_value() for token in tokens} == {"access-ann-2"}


async def test_interleaved_calls_of_many_owners_get_their_own_tokens_only() -> None:
    people = [Principal(f"p{number}", "api_key") for number in range(12)]
    async with at_desk() as at:
        for person in people:
            await at.has(person, expired=True)
        replicas = [at.accounts, at.beside(), at.beside()]
        asked = [person for _ in range(6) for person in people]
        tokens = await asyncio.gather(
            *(replicas[number % 3].token(call_of(person)) for number, person in enumerate(asked))
        )
        owners = [token.value.get_secret_value().split("-")[1] for token in tokens]
        assert owners == [person.id for person in asked]
        assert [token.identity.id for token in tokens] == owners
        assert at.desk.refreshes == {person.id: 1 for person in people}


async def test_the_same_name_with_another_credential_is_another_owner() -> None:
    async with at_desk() as at:
        await at.has(ANN)
        with pytest.raises(AccountNeeded):
            await at.accounts.token(call_of(Principal("ann", "jwt")))


async def test_a_refresh_of_one_holds_nobody_else_up() -> None:
    async with at_desk() as at:
        await at.has(ANN, expired=True)
        await at.has(BOB)
        at.desk.hold = anyio.Event()
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            anns = tasks.create_task(at.accounts.token(call_of(ANN)))
            await at.desk.waiting.wait()
            bobs = await at.accounts.token(call_of(BOB))
            assert not anns.done()
            at.desk.hold.set()
        assert bobs.identity.id == "bob"
        assert anns.result().identity.id == "ann"


async def test_a_refresh_goes_on_when_the_call_that_wanted_it_is_cancelled() -> None:
    async with at_desk() as at:
        await at.has(ANN, expired=True)
        at.desk.hold = anyio.Event()
        call = asyncio.create_task(at.accounts.token(call_of(ANN)))
        async with asyncio.timeout(20):
            await at.desk.waiting.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            at.desk.hold.set()
            token = await at.accounts.token(call_of(ANN))
        assert token.value.get_secret_value() == "access-ann-2"
        assert at.desk.refreshes == {"ann": 1}


async def test_without_rotation_the_old_refresh_token_is_kept() -> None:
    async with at_desk() as at:
        at.desk.rotates = False
        before = await at.has(ANN, expired=True)
        await at.accounts.token(call_of(ANN))
        after = (await at.kept(ANN)).tokens
        assert after.refresh == before.tokens.refresh
        assert after.access.get_secret_value() == "access-ann-2"


@pytest.mark.parametrize(
    "trouble",
    [httpx2.ConnectError("no route"), httpx2.ReadTimeout("slow"), httpx2.Response(503), httpx2.Response(429)],
    ids=["no route", "slow", "503", "429"],
)
async def test_where_the_provider_is_away_the_account_stays(trouble: httpx2.Response | Exception) -> None:
    async with at_desk() as at:
        before = await at.has(ANN, expired=True)
        at.desk.answer = trouble
        with pytest.raises(UpstreamUnavailable, match="The account stays connected"):
            await at.accounts.token(call_of(ANN))
        assert await at.kept(ANN) == before
        at.desk.answer = None
        assert (await at.accounts.token(call_of(ANN))).value.get_secret_value() == "access-ann-2"


async def test_a_token_near_its_end_is_used_where_no_new_one_can_be_had() -> None:
    async with at_desk() as at:
        account = await at.has(ANN)
        now = time.time()
        soon = replace(account, tokens=replace(account.tokens, expires_at=now + 30, refresh_at=now - 30))
        await at.vault.put(ANN.owner, soon)
        at.desk.answer = httpx2.ConnectError("no route")
        assert (await at.accounts.token(call_of(ANN))).value.get_secret_value() == "access-ann-1"


async def test_one_invalid_grant_marks_the_account_and_deletes_nothing() -> None:
    async with at_desk() as at:
        before = await at.has(ANN, expired=True)
        at.desk.answer = httpx2.Response(400, json={"error": "invalid_grant"})
        with pytest.raises(AccountNeeded, match=r"ann@example.com has to be connected again: Desk has ended"):
            await at.accounts.token(call_of(ANN))
        assert await at.kept(ANN) == replace(before, dead=True)
        at.desk.answer = None
        with pytest.raises(AccountNeeded):
            await at.accounts.token(call_of(ANN))
        assert [path for path, _ in at.desk.asked] == ["/token"]


async def test_where_a_provider_is_known_to_err_the_second_invalid_grant_is_believed() -> None:
    client = replace(CLIENT, provider=replace(DESK, grace=600.0))
    async with at_desk(client=client) as at:
        await at.has(ANN, expired=True)
        at.desk.answer = httpx2.Response(400, json={"error": "invalid_grant"})
        for _ in range(2):
            with pytest.raises(UpstreamUnavailable, match="The account stays connected"):
                await at.accounts.token(call_of(ANN))
        at.desk.answer = None
        assert (await at.accounts.token(call_of(ANN))).value.get_secret_value() == "access-ann-2"
        assert (await at.kept(ANN)).refused_at is None

        await at.has(ANN, expired=True, refused_at=time.time() - 601)
        at.desk.answer = httpx2.Response(400, json={"error": "invalid_grant"})
        with pytest.raises(AccountNeeded, match="has to be connected again"):
            await at.accounts.token(call_of(ANN))
        assert (await at.kept(ANN)).dead


async def test_a_wrong_client_secret_is_no_reason_to_connect_again() -> None:
    async with at_desk() as at:
        before = await at.has(ANN, expired=True)
        at.desk.answer = httpx2.Response(401, json={"error": "invalid_client"})
        with pytest.raises(UpstreamRefused, match="invalid_client"):
            await at.accounts.token(call_of(ANN))
        assert await at.kept(ANN) == before


async def test_new_tokens_survive_a_store_that_is_away_for_a_while() -> None:
    async with at_desk() as at:
        await at.has(ANN, expired=True)
        at.store.broken_writes = 4
        assert (await at.accounts.token(call_of(ANN))).value.get_secret_value() == "access-ann-2"
        assert (await at.kept(ANN)).tokens.access.get_secret_value() == "access-ann-1"  # not kept yet
        at.store.broken_writes = 1
        assert (await at.accounts.token(call_of(ANN))).value.get_secret_value() == "access-ann-2"
        assert (await at.accounts.token(call_of(ANN))).value.get_secret_value() == "access-ann-2"
        assert (await at.kept(ANN)).tokens.access.get_secret_value() == "access-ann-2"
        assert at.desk.refreshes == {"ann": 1}


async def test_new_tokens_that_could_not_be_kept_are_kept_at_the_end() -> None:
    async with at_desk() as at:
        await at.has(ANN, expired=True)
        at.store.broken_writes = 4
        await at.accounts.token(call_of(ANN))
        await at.accounts.close()
        assert (await at.kept(ANN)).tokens.access.get_secret_value() == "access-ann-2"


async def test_a_used_up_refresh_token_is_not_sent_again_while_the_new_one_is_not_kept() -> None:
    async with at_desk() as at:
        await at.has(ANN, expired=True)
        at.desk.answer = httpx2.Response(
            200,
            json={"access_token": "short", "refresh_token": "next", "token_type": "bearer", "expires_in": 1},
        )
        at.store.broken_writes = 6
        await at.accounts.token(call_of(ANN))
        at.desk.asked.clear()
        with pytest.MonkeyPatch.context() as patch:
            then = time.time() + 60
            patch.setattr(time, "time", lambda: then)
            with pytest.raises(UpstreamUnavailable, match="Where accounts are kept"):
                await at.accounts.token(call_of(ANN))
        assert at.desk.asked == []


async def test_an_account_connected_anew_during_a_refresh_wins() -> None:
    async with at_desk() as at:
        await at.has(ANN, expired=True)
        at.desk.hold = anyio.Event()
        call = asyncio.create_task(at.accounts.token(call_of(ANN)))
        async with asyncio.timeout(20):
            await at.desk.waiting.wait()
            new = await at.has(ANN)
            at.desk.hold.set()
            token = await call
        assert token.value == new.tokens.access
        assert await at.kept(ANN) == new


async def test_an_account_of_another_app_is_not_refreshed_with_this_one() -> None:
    async with at_desk() as at:
        await at.has(ANN, expired=True, client_id="another")
        with pytest.raises(AccountNeeded, match="through another app"):
            await at.accounts.token(call_of(ANN))
        assert at.desk.asked == []


async def test_without_a_refresh_token_the_end_is_the_end() -> None:
    async with at_desk() as at:
        account = await at.has(ANN, expired=True)
        await at.vault.put(ANN.owner, replace(account, tokens=replace(account.tokens, refresh=None)))
        with pytest.raises(AccountNeeded, match="its access is over"):
            await at.accounts.token(call_of(ANN))


async def test_more_permissions_are_asked_for_with_those_there_are() -> None:
    async with at_desk() as at:
        await at.has(ANN)
        with pytest.raises(AccountNeeded, match="to allow more: admin") as needed:
            await at.accounts.token(call_of(ANN), ["mail", "admin"])
        link = needed.value.url.partition("ticket=")[2]
        assert at.accounts.flow.consent(link).ticket.scopes == ("files", "mail", "admin")


async def test_disconnecting_waits_for_a_refresh_and_ends_what_came_of_it() -> None:
    async with at_desk() as at:
        await at.has(ANN, expired=True)
        await at.has(BOB)
        at.desk.hold = anyio.Event()
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            refreshed = tasks.create_task(at.accounts.token(call_of(ANN)))
            await at.desk.waiting.wait()
            ended = tasks.create_task(at.beside().disconnect(ANN.owner))
            await anyio.lowlevel.checkpoint()
            at.desk.hold.set()
        done = ended.result()
        assert done is not None
        assert (done.revoked, done.account.identity.id) == (True, "ann")
        assert at.desk.asked[-1] == (
            "/revoke",
            {"token": "refresh-ann-3", "token_type_hint": "refresh_token"},
        )
        assert at.desk.works_for(refreshed.result().value.get_secret_value()) is None
        assert list(at.store.rows) == [(BOB.owner, "desk")]
        assert await at.accounts.disconnect(ANN.owner) is None


async def test_an_account_is_forgotten_even_where_the_provider_cannot_be_told() -> None:
    async with at_desk() as at:
        await at.has(ANN)
        at.desk.answer = httpx2.ConnectError("no route")
        done = await at.accounts.disconnect(ANN.owner)
        assert done is not None
        assert (done.revoked, done.why_not) == (False, "it cannot be reached (ConnectError)")
        assert at.store.rows == {}


async def test_whoever_waits_too_long_for_another_process_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refreshing, "_WAIT_FOR_OTHERS", 0.01)
    async with at_desk() as at:
        await at.has(ANN, expired=True)
        await at.store.claim(f"refresh desk {ANN.owner}", "a process that hangs", 60)
        with pytest.raises(UpstreamUnavailable, match="being refreshed elsewhere") as away:
            await at.accounts.token(call_of(ANN))
        assert away.value.fields()["retry_after_ms"] == 5_000
        assert at.desk.asked == []


def test_no_token_shows_in_what_is_printed() -> None:
    from ringmain_core.identity.accounts.account import Tokens

    tokens = Tokens(SecretStr("hush"), SecretStr("hush"), frozenset(), None, None)
    assert "hush" not in repr(tokens)
