"""What is kept can be read by its owner's calls only, under the keys there are."""

import json
import logging

import pytest

from ringmain_core.errors import AccountNeeded
from ringmain_core.identity.accounts.account import Account
from ringmain_core.identity.accounts.vault import Vault
from ringmain_core.sealing import KeyRing
from unit.core.accounts.desk import ANN, BOB, RING, MemoryStore, at_desk, call_of, secrets_of

pytestmark = pytest.mark.anyio

OLD, NEW = b"k" * 32, b"n" * 32


async def test_nothing_of_an_account_is_readable_in_the_store() -> None:
    async with at_desk() as at:
        account = await at.has(ANN)
        (row,) = at.store.rows.values()
        for secret in (*secrets_of(account), "ann@example.com", "mail"):
            assert secret.encode() not in row
        assert Account.from_json(account.as_json()) == account


async def test_a_row_that_is_moved_to_somebody_else_does_not_open(caplog: pytest.LogCaptureFixture) -> None:
    async with at_desk() as at:
        await at.has(ANN)
        at.store.rows[BOB.owner, "desk"] = at.store.rows[ANN.owner, "desk"]
        with caplog.at_level(logging.WARNING), pytest.raises(AccountNeeded, match="not connected a Desk"):
            await at.accounts.token(call_of(BOB))
        assert "does not open" in caplog.text
        assert (await at.accounts.token(call_of(ANN))).identity.id == "ann"


async def test_a_row_that_is_moved_to_another_provider_does_not_open() -> None:
    async with at_desk() as at:
        await at.has(ANN)
        at.store.rows[ANN.owner, "mail"] = at.store.rows[ANN.owner, "desk"]
        assert await Vault(at.store, RING, "mail").load(ANN.owner) is None


async def test_names_that_run_into_each_other_are_different_owners() -> None:
    store = MemoryStore()
    async with at_desk() as at:
        account = await at.has(ANN)
    await Vault(store, RING, "desk").put('x", "y', account)
    store.rows["x", 'y", "desk'] = store.rows['x", "y', "desk"]
    assert await Vault(store, RING, 'y", "desk').load("x") is None


async def test_reading_after_a_rotation_seals_anew_so_that_the_old_key_can_go() -> None:
    async with at_desk() as at:
        account = await at.has(ANN)
        before = at.store.rows[ANN.owner, "desk"]
        rotated = Vault(at.store, KeyRing([NEW, OLD]), "desk")
        kept = await rotated.load(ANN.owner)
        assert kept is not None
        assert kept.account == account
        assert at.store.rows[ANN.owner, "desk"] == kept.sealed != before
        found = await Vault(at.store, KeyRing([NEW]), "desk").load(ANN.owner)
        assert found is not None
        assert found.account == account
        again = await rotated.load(ANN.owner)
        assert again is not None
        assert again.sealed == kept.sealed  # once is enough


async def test_reading_works_where_sealing_anew_does_not() -> None:
    async with at_desk() as at:
        account = await at.has(ANN)
        at.store.broken_writes = 1
        kept = await Vault(at.store, KeyRing([NEW, OLD]), "desk").load(ANN.owner)
        assert kept is not None
        assert kept.account == account


async def test_with_a_lost_key_connecting_again_helps() -> None:
    async with at_desk() as at:
        account = await at.has(ANN)
        lost = Vault(at.store, KeyRing([NEW]), "desk")
        assert await lost.load(ANN.owner) is None
        await lost.put(ANN.owner, account)
        kept = await lost.load(ANN.owner)
        assert kept is not None
        assert kept.account == account


async def test_what_is_kept_is_what_the_next_release_has_to_read() -> None:
    async with at_desk() as at:
        kept = json.loads((await at.has(ANN)).as_json())
        del kept["expires_at"], kept["refresh_at"]
        assert kept == {
            "id": "ann",
            "label": "ann@example.com",
            "access": "access-ann-1",
            "refresh": "refresh-ann-1",
            "scopes": ["files", "mail"],
            "client_id": "ringmain",
            "connected_at": "2026-11-22T12:00:00+00:00",
            "dead": False,
            "refused_at": None,
        }
