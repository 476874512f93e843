"""Two replicas behind a balancer are one server: one limit, one effect for a key, one memory."""

import asyncio
import re
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from bench.fleet import BURST, KEY, LEDGER, POSTGRES, RATE, SLOW_KEY, Fleet, Town, town
from bench.ledger import ENTRIES
from bench.report import Result
from bench.setting import Setting
from bench.wire import Reply, Wire

PART = "6. Two replicas behind a balancer, on one Valkey"
HEARD_WITHIN = 10.0
_HAMMERS = 8
_AGAIN_FOR = 30.0
_CURSOR = re.compile(r"cursor='?([\w-]+)")
_ROWS = "SELECT n FROM generate_series(1, 30) AS n"


def measure(setting: Setting, *, quick: bool) -> list[Result]:
    with town(setting.folder) as place:
        return asyncio.run(_measure(place, quick=quick))


async def _measure(place: Town, *, quick: bool) -> list[Result]:
    writes = 50 if quick else 200
    async with place.fleet(LEDGER) as ledger, place.fleet(POSTGRES) as postgres:
        limit = await one_limit(postgres, "list_databases", 2.0 if quick else 5.0)
        cursor = await cursor_elsewhere(postgres)
        written = await written_twice(ledger, place, writes)
        heard = await heard_elsewhere(ledger)
        struck = await finished_elsewhere(ledger)
    return [
        Result(
            PART,
            f"calls admitted in {limit.seconds:.2f} s, of {limit.sent}, at {RATE}/s with a burst of {BURST}",
            [limit.admitted],
            [],
            "calls",
            limit.most,
        ),
        Result(
            PART, f"{writes} writes sent twice each: rows too few or too many", [written.off], [], "rows", 0
        ),
        Result(PART, "   answers that were not the same", [written.unequal], [], "pairs", 0),
        Result(PART, "   answered as done before", [written.replayed], [], "answers"),
        Result(PART, "a change through B heard on A after", [heard * 1000], [], "ms", 1000),
        Result(PART, "a question asked by A and answered to B: not done", [not struck], [], "calls", 0),
        Result(PART, "pages of A's cursor that B gave wrongly", [not cursor], [], "pages", 0),
    ]


@dataclass(frozen=True, slots=True)
class Limited:
    """What came of calling as fast as can be.

    Attributes:
        seconds: From before the first call until after the last.
    """

    sent: int
    admitted: int
    others: Sequence[str]
    seconds: float

    @property
    def most(self) -> int:
        """How many may have been admitted in that time."""
        return BURST + int(RATE * self.seconds)


async def one_limit(fleet: Fleet, tool: str, seconds: float, **arguments: str) -> Limited:
    """Call with an agent that may do little, over all replicas, as often as goes."""
    codes: list[str] = []
    began = time.monotonic()

    async def hammer() -> None:
        async with Wire(fleet.port, SLOW_KEY) as wire:
            while time.monotonic() - began < seconds:
                codes.append((await wire.call(tool, arguments)).code)

    async with asyncio.TaskGroup() as hammers:
        for _ in range(_HAMMERS):
            hammers.create_task(hammer())
    took = time.monotonic() - began
    others = [code for code in codes if code not in ("", "rate_limited")]
    return Limited(len(codes), codes.count(""), others, took)


@dataclass(frozen=True, slots=True)
class Written:
    """What came of sending each write twice.

    Attributes:
        off: By how many rows the table differs from one for each write.
        unequal: Pairs whose answers differ.
        replayed: Answers that say that it was done before.
    """

    off: int
    unequal: int
    replayed: int


async def written_twice(fleet: Fleet, place: Town, count: int) -> Written:
    """Send each write to both replicas at once, and in turns to the one or the other first."""
    wires = [[Wire(replica.port, KEY) for _ in range(8)] for replica in fleet.replicas]
    left = iter(range(count))
    pairs: list[tuple[Reply, Reply]] = []

    async def write_twice(ours: Sequence[Wire]) -> None:
        for number in left:
            first, second = ours if number % 2 == 0 else reversed(ours)
            name = f"twice-{number}"
            async with asyncio.TaskGroup() as both:
                one = both.create_task(until_done(first, "enter", name))
                if number % 4 < 2:
                    await one  # the second comes when the first is over, otherwise while it is under way
                other = both.create_task(until_done(second, "enter", name))
            pairs.append((one.result(), other.result()))

    try:
        async with asyncio.TaskGroup() as clients:
            for ours in zip(*wires, strict=True):
                clients.create_task(write_twice(ours))
    finally:
        for wire in (wire for each in wires for wire in each):
            wire.close()
    copies = await place.database.copies()
    expected = {f"twice-{number}": 1 for number in range(count)}
    found = {name: copies.get(name, 0) for name in expected}
    return Written(
        off=sum(abs(found[name] - 1) for name in expected),
        unequal=sum(one.text != other.text for one, other in pairs),
        replayed=sum(
            "dev.ringmain/replayed" in reply.result.get("_meta", {}) for pair in pairs for reply in pair
        ),
    )


async def until_done(wire: Wire, tool: str, name: str) -> Reply:
    """Call with a key until that is done, as long as the answer is to ask again."""
    until = time.monotonic() + _AGAIN_FOR
    while True:
        reply = await wire.call(tool, {"name": name, "idempotency_key": f"key of {name}"})
        if reply.ok or not reply.failure.get("retryable") or time.monotonic() > until:
            return reply
        await asyncio.sleep(min(reply.failure.get("retry_after_ms", 100), 100) / 1000)


async def heard_elsewhere(fleet: Fleet) -> float:
    """Listen at the first replica and write through the second; the seconds until it is heard."""
    listener, writer = Wire(fleet.replicas[0].port, KEY), Wire(fleet.replicas[1].port, KEY)
    wanted = {"notifications": {"resourceSubscriptions": [ENTRIES]}}
    try:
        async with (
            asyncio.timeout(HEARD_WITHIN),
            aclosing(listener.events("subscriptions/listen", wanted)) as events,
        ):
            opening = await anext(events)
            if opening["method"] != "notifications/subscriptions/acknowledged":
                raise RuntimeError(f"not listening: {opening}")
            began = time.monotonic()
            written = await writer.call("enter", {"name": "heard"})
            if not written.ok:
                raise RuntimeError(f"not written: {written}")
            event = await anext(events)
            if event["method"] != "notifications/resources/updated" or event["params"]["uri"] != ENTRIES:
                raise RuntimeError(f"heard something else: {event}")
            return time.monotonic() - began
    finally:
        writer.close()


async def finished_elsewhere(fleet: Fleet) -> bool:
    """Begin a call that asks a person at the first replica, and give the answer to the second."""
    async with (
        Wire(fleet.replicas[0].port, KEY, forms=True) as one,
        Wire(fleet.replicas[1].port, KEY, forms=True) as other,
    ):
        await one.call("enter", {"name": "to strike"})
        asked = (await one.call("strike", {"name": "to strike"})).result
        (question,) = asked.get("inputRequests") or {"": {}}
        answer: dict[str, Any] = {"action": "accept", "content": {"confirm": True}}
        done = await other.call(
            "strike",
            {"name": "to strike"},
            inputResponses={question: answer},
            requestState=asked.get("requestState"),
        )
        return done.ok and done.text == "struck to strike"


async def cursor_elsewhere(fleet: Fleet) -> bool:
    """Ask the first replica for a page and the second for the next one."""
    async with Wire(fleet.replicas[0].port, KEY) as one, Wire(fleet.replicas[1].port, KEY) as other:
        page = await one.call("query", {"sql": _ROWS, "max_rows": 10})
        cursor = _CURSOR.search(page.text)
        if cursor is None:
            raise RuntimeError(f"no cursor: {page}")
        following = await other.call("next_page", {"cursor": cursor[1]})
        return '"rows":[[11],[12]' in "".join(following.text.split())
