"""What is lost and what is done twice when processes end, are killed, or lose what they stand on."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass
from functools import partial

from bench.fleet import KEY, LEDGER, STOPS_WITHIN, Fleet, Replica, Town, town
from bench.ledger import ENTRIES
from bench.on_record import Audits, Findings
from bench.replicas import until_done
from bench.report import Result
from bench.setting import Setting
from bench.traffic import Books, Traffic, balance
from bench.wire import Cut, Lost, Wire

PART = "7. Outages under load, two replicas"
STREAMS = 20
_STOOD_STILL = 12.5  # seconds: longer than a key waits for the process that has it
_TAKEN_OVER = 24
_SOON = 10.0
Event = Callable[[], Awaitable[None]]


@dataclass
class Phase:
    """One outage: what happens while clients keep on calling.

    Attributes:
        kills: Whether a process is killed in it, which may leave intents without an outcome.
        before: Seconds of calls before it happens.
        after: Seconds of calls after it is over.
    """

    what: str
    happens: Event
    kills: bool = False
    before: float = 1.5
    after: float = 2.0


@dataclass
class Outcome:
    """What came of a phase."""

    phase: Phase
    traffic: Traffic
    books: Books
    found: Findings | None = None

    @property
    def failed(self) -> Sequence[str]:
        """Operations that were given up, or answered with a failure that no retry helps."""
        return [each.failed for each in self.traffic.operations if each.failed]


def measure(setting: Setting, *, quick: bool) -> list[Result]:
    with town(setting.folder) as place:
        return asyncio.run(_measure(place, quick=quick))


async def _measure(place: Town, *, quick: bool) -> list[Result]:
    async with place.fleet(LEDGER) as fleet:
        first, second = fleet.replicas
        took, twice = list[float](), list[int]()

        async def restart(replica: Replica, how: signal.Signals) -> None:
            took.append(await fleet.restarted(replica, how))

        phases = [
            Phase("rolling restart (SIGTERM of one)", partial(restart, first, signal.SIGTERM)),
            Phase("kill -9 of one", partial(restart, second, signal.SIGKILL), kills=True),
            Phase("Valkey stops and starts empty", partial(_valkey_away, place, 1.0 if quick else 3.0)),
            Phase("Postgres stops and starts", partial(_postgres_away, place, 0.0 if quick else 3.0)),
        ]
        outcomes = [
            await run_phase(phase, fleet, place, f"{number}", seconds=0.0 if quick else 3.0)
            for number, phase in enumerate(phases)
        ]
        ended, stopped_in = await streams_ended(first)
        if not quick:
            await first.start()
            twice.append(await taken_over(fleet, place))
        audits = settle(outcomes, fleet)
        errors = [line for replica in fleet.replicas for line in replica.errors]
        sys.stderr.writelines(errors[:5])
    stood_still = f"DOUBLED: of {_TAKEN_OVER} writes taken over from one that stood still"
    results = [Result(PART, stood_still, [count], [], "", 0) for count in twice]
    results += [each for outcome in outcomes for each in _results(outcome)]
    return [
        *results,
        Result(PART, "SIGTERM under load: until the process is gone", took[:1], [], "s", STOPS_WITHIN),
        Result(
            PART,
            f"SIGTERM with {STREAMS} listen streams: not ended with a result",
            [STREAMS - ended],
            [],
            "streams",
            0,
        ),
        Result(PART, "   until the process is gone", [stopped_in], [], "s", STOPS_WITHIN),
        Result(PART, "audits that `audit verify` refuses", [len(audits.problems)], [], "logs", 0),
        Result(PART, "errors in the servers' logs", [len(errors)], [], "lines"),
    ]


async def run_phase(phase: Phase, fleet: Fleet, place: Town, run: str, seconds: float = 0.0) -> Outcome:
    """Let clients call while something happens, and then hold the table against what they were told.

    Args:
        run: Makes the names of its entries unique.
        seconds: More of calls before and after.
    """
    traffic = Traffic(fleet.port, KEY, run)
    async with traffic.flowing():
        await asyncio.sleep(phase.before + seconds)
        await phase.happens()
        await asyncio.sleep(phase.after + seconds)
    return Outcome(phase, traffic, balance(traffic.operations, await place.database.copies()))


def settle(outcomes: Sequence[Outcome], fleet: Fleet) -> Audits:
    """Hold the audits against what clients saw, for all phases."""
    audits = Audits(fleet.replicas)
    for outcome in outcomes:
        outcome.found = audits.compare(outcome.traffic.tries)
    return audits


async def streams_ended(replica: Replica) -> tuple[int, float]:
    """SIGTERM for a replica with open listen streams.

    Returns:
        How many streams ended with their result, and the seconds until the process was gone.
    """
    wanted = {"notifications": {"resourceSubscriptions": [ENTRIES]}}

    async def last(events: AsyncGenerator[object]) -> object:
        return [message async for message in events][-1]

    async with asyncio.timeout(_SOON + STOPS_WITHIN), AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(
                aclosing(Wire(replica.port, KEY).events("subscriptions/listen", wanted))
            )
            for _ in range(STREAMS)
        ]
        for stream in streams:
            await anext(stream)
        began = time.monotonic()
        replica.tell(signal.SIGTERM)
        messages = await asyncio.gather(*(last(stream) for stream in streams), return_exceptions=True)
        await replica.ended()
        took = time.monotonic() - began
    return sum(isinstance(each, dict) and "result" in each for each in messages), took


async def taken_over(fleet: Fleet, place: Town) -> int:
    """Stop a replica in the middle of writes, let the other one do them, and let the first go on.

    Returns:
        How many were done twice.
    """
    first, second = fleet.replicas
    names = [f"taken over {number}" for number in range(_TAKEN_OVER)]
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:

        async def write(replica: Replica, name: str) -> None:
            wire = await stack.enter_async_context(Wire(replica.port, KEY))
            with suppress(Cut, Lost):
                await until_done(wire, "enter", name)

        writes = [tasks.create_task(write(first, name)) for name in names]
        await asyncio.wait(writes, return_when=asyncio.FIRST_COMPLETED)
        first.tell(signal.SIGSTOP)
        await asyncio.sleep(_STOOD_STILL)
        await asyncio.gather(*(write(second, name) for name in names))
        first.tell(signal.SIGCONT)
    copies = await place.database.copies()
    return sum(copies.get(name, 0) > 1 for name in names)


async def _valkey_away(place: Town, seconds: float) -> None:
    await asyncio.to_thread(place.valkey.stop)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(place.valkey.start)


async def _postgres_away(place: Town, seconds: float) -> None:
    await place.database.stop()
    await asyncio.sleep(seconds)
    await place.database.start()


def _results(outcome: Outcome) -> list[Result]:
    traffic, found = outcome.traffic, outcome.found
    assert found is not None
    tries = traffic.tries
    came = [each.came for each in tries]
    ok = sum(operation.done for operation in traffic.operations)
    codes = ", ".join(f"{count} {code}" for code, count in traffic.failures.most_common())
    what = f"{outcome.phase.what}: {len(traffic.operations)} calls in {len(tries)} requests"
    counts: list[tuple[str, int, int | None]] = [
        ("calls that came to a good answer", ok, None),
        (f"requests refused for now ({codes or 'none'})", sum(traffic.failures.values()), None),
        ("requests whose connection closed unseen by any server", len(found.unseen), None),
        (
            "requests whose connection closed while they were served",
            len(found.cut_while_served),
            None if outcome.phase.kills else 0,
        ),
        ("calls that failed for good", len(outcome.failed), 0),
        ("answers that say something wrong", sum(bool(each.wrong) for each in traffic.operations), 0),
        ("LOST: neither answer nor end of connection", came.count("lost"), 0),
        ("LOST: acknowledged and not in the table", len(outcome.books.lost), 0),
        ("DOUBLED: in the table twice", len(outcome.books.doubled), 0),
        ("answers not on record", len(found.missing), 0),
        ("on record more than once, or without intent", len(found.repeated) + len(found.unpaired), 0),
        ("intents without outcome", len(found.open_intents), None if outcome.phase.kills else 0),
    ]
    lines = [Result(PART, f"   {name}", [count], [], "", most) for name, count, most in counts]
    return [Result(PART, what, [len(traffic.operations) / traffic.seconds], [], "calls/s"), *lines]
