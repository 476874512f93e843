import asyncio
import logging
from collections.abc import Sequence

import anyio
import pytest

from ringmain_core.identity.fetching import Unfetchable
from ringmain_core.identity.key_cache import KeyCache
from ringmain_core.identity.signing_keys import SigningKey
from ringmain_core.refusals import IdentityUnavailable

pytestmark = pytest.mark.anyio

HOUR = 3600.0


def key(kid: str) -> SigningKey:
    return SigningKey(kid, frozenset({"ES256"}), None, kid)


class Issuer:
    """What publishes the keys; it answers when it is let."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.asked = 0
        self.published: Sequence[str] = ["a"]
        self.away = False
        self.answering = anyio.Event()
        self.answering.set()
        self.cache = KeyCache("idp", self._fetch, lambda: self.at)

    async def _fetch(self) -> list[SigningKey]:
        self.asked += 1
        await self.answering.wait()
        if self.away:
            raise Unfetchable("it answers 503")
        return [key(kid) for kid in self.published]

    async def ids(self, *kids: str) -> list[str | None]:
        """What is found for some names; `503` where that cannot be said."""
        found: list[str | None] = []
        for kid in kids:
            try:
                known = await self.cache.find(kid, "ES256")
                found.append(known.id if known is not None else None)
            except IdentityUnavailable:
                found.append("503")
        return found

    async def settle(self) -> None:
        for _ in range(5):
            await anyio.lowlevel.checkpoint()


@pytest.fixture
def idp() -> Issuer:
    return Issuer()


async def test_callers_at_the_same_time_ask_once_and_one_that_leaves_takes_nobody_along(idp: Issuer) -> None:
    idp.answering = anyio.Event()
    callers = [asyncio.create_task(idp.ids("a")) for _ in range(20)]
    await idp.settle()
    callers[0].cancel()
    await idp.settle()
    idp.answering.set()
    with anyio.fail_after(5):
        assert [await caller for caller in callers[1:]] == [["a"]] * 19
    assert idp.asked == 1


async def test_a_flood_of_unknown_keys_asks_once_in_five_seconds(idp: Issuer) -> None:
    assert await idp.ids("a") == ["a"]
    for second in range(20):
        idp.at = 1001 + second
        assert await idp.ids(*(f"x{number}" for number in range(50)), "a") == [None] * 50 + ["a"]
    assert idp.asked == 1 + 4


async def test_a_new_key_is_found_when_the_first_token_names_it(idp: Issuer) -> None:
    await idp.ids("a")
    idp.published = ["b"]
    idp.at += 5
    assert await idp.ids("b", "a") == ["b", None]
    assert idp.asked == 2


async def test_keys_are_fetched_again_before_anybody_has_to_wait(idp: Issuer) -> None:
    await idp.ids("a")
    idp.at += 301
    idp.answering = anyio.Event()
    with anyio.fail_after(5):
        assert await idp.ids("a", "a") == ["a", "a"]
        known = await idp.cache.find("a", "ES256")
    assert known is not None
    assert idp.cache.holds(known)
    idp.answering.set()
    await idp.settle()
    assert (idp.asked, idp.cache.holds(known)) == (2, True)  # what is published again is the same key
    idp.published = ["b"]
    idp.at += 301
    assert idp.cache.holds(known)
    await idp.settle()
    assert not idp.cache.holds(known)


async def test_after_a_quarter_of_an_hour_without_calls_the_first_one_waits(idp: Issuer) -> None:
    known = await idp.cache.find("a", "ES256")
    assert known is not None
    idp.published = ["b"]
    idp.at += 901
    assert not idp.cache.holds(known)
    assert await idp.ids("a") == [None]


async def test_while_the_issuer_is_away_its_keys_go_on_for_hours_and_not_for_ever(
    idp: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    known = await idp.cache.find("a", "ES256")
    assert known is not None
    idp.away = True
    for minutes in range(1, 360, 7):
        idp.at = 1000.0 + minutes * 60
        assert await idp.ids("a") == ["a"]
        await idp.settle()
        assert idp.cache.holds(known)
    assert await idp.ids("b") == ["503"]  # it may be one that nobody here has seen yet
    idp.at = 1000.0 + 6 * HOUR
    assert not idp.cache.holds(known)
    assert await idp.ids("a") == ["503"]
    idp.away = False
    idp.at += 5
    assert await idp.ids("a") == ["a"]
    assert caplog.messages == [
        "the keys of issuer idp cannot be had: it answers 503",
        "the keys of issuer idp can be had again",
    ]


async def test_who_cannot_be_checked_is_told_when_to_come_again(idp: Issuer) -> None:
    idp.away = True
    with pytest.raises(IdentityUnavailable) as caught:
        await idp.cache.find("a", "ES256")
    assert caught.value.retry_after_ms == 5000
    idp.at += 3
    with pytest.raises(IdentityUnavailable) as caught:
        await idp.cache.find("a", "ES256")
    assert (caught.value.retry_after_ms, idp.asked) == (2000, 1)


async def test_an_issuer_that_publishes_nothing_has_withdrawn_its_keys(idp: Issuer) -> None:
    await idp.ids("a")
    idp.published = []
    idp.at += 901
    assert await idp.ids("a") == ["503"]


async def test_a_key_is_for_its_algorithms_only(idp: Issuer) -> None:
    assert await idp.cache.find("a", "EdDSA") is None


async def test_closing_ends_what_is_being_fetched(idp: Issuer) -> None:
    idp.answering = anyio.Event()
    idp.cache.refresh()
    await idp.settle()
    with anyio.fail_after(5):
        await idp.cache.close()
    assert [task for task in asyncio.all_tasks() if "_replace" in repr(task)] == []
