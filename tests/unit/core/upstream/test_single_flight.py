from collections.abc import Awaitable, Callable
from functools import partial

import anyio
import pytest

from ringmain_core.errors import UpstreamRefused
from ringmain_core.upstream.single_flight import SingleFlight

pytestmark = pytest.mark.anyio


class Party:
    """Callers of one key, each in a task that can be cancelled."""

    def __init__(self, *, concerns_all: bool = True) -> None:
        self.flights = SingleFlight[str](lambda _: concerns_all)
        self.went: list[str] = []
        self.outcomes: dict[str, object] = {}
        self.scopes: dict[str, anyio.CancelScope] = {}
        self.go_on = anyio.Event()

    async def work(self, name: str) -> str:
        self.went.append(name)
        await self.go_on.wait()
        return f"by {name}"

    async def call(self, name: str, work: Callable[[str], Awaitable[str]] | None = None) -> None:
        with anyio.CancelScope() as self.scopes[name]:
            try:
                self.outcomes[name] = await self.flights.run("key", partial(work or self.work, name))
            except Exception as error:  # noqa: BLE001
                self.outcomes[name] = error
            return
        self.outcomes[name] = "cancelled"


async def test_equal_calls_are_done_once() -> None:
    party = Party()
    async with anyio.create_task_group() as tasks:
        for name in "abc":
            tasks.start_soon(party.call, name)
        await anyio.wait_all_tasks_blocked()
        party.go_on.set()
    assert party.went == ["a"]
    assert party.outcomes == {"a": ("by a", False), "b": ("by a", True), "c": ("by a", True)}
    await party.call("d")
    assert party.went == ["a", "d"]


async def test_who_joined_and_is_cancelled_leaves_alone_and_who_works_is_followed_by_another() -> None:
    party = Party()
    async with anyio.create_task_group() as tasks:
        for name in "abcd":
            tasks.start_soon(party.call, name)
        await anyio.wait_all_tasks_blocked()
        party.scopes["c"].cancel()
        await anyio.wait_all_tasks_blocked()
        assert party.outcomes == {"c": "cancelled"}
        party.scopes["a"].cancel()
        await anyio.wait_all_tasks_blocked()
        assert party.went == ["a", "b"]
        party.go_on.set()
    assert party.outcomes == {
        "a": "cancelled",
        "b": ("by b", False),
        "c": "cancelled",
        "d": ("by b", True),
    }


async def test_a_failure_with_words_is_everybodys_and_any_other_is_ones_own() -> None:
    for error, went in ((UpstreamRefused("No."), ["a"]), (LookupError("defect"), ["a", "b", "c"])):
        party = Party()

        async def fail(name: str, party: Party = party, error: Exception = error) -> str:
            await party.work(name)
            raise error

        async with anyio.create_task_group() as tasks:
            for name in "abc":
                tasks.start_soon(party.call, name, fail)
            await anyio.wait_all_tasks_blocked()
            party.go_on.set()
        assert (party.went, party.outcomes) == (went, dict.fromkeys("abc", error))


async def test_a_result_for_one_alone_is_not_given_to_others() -> None:
    party = Party(concerns_all=False)
    async with anyio.create_task_group() as tasks:
        for name in "ab":
            tasks.start_soon(party.call, name)
        await anyio.wait_all_tasks_blocked()
        party.go_on.set()
    assert party.outcomes == {"a": ("by a", False), "b": ("by b", False)}
