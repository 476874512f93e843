"""Under load, a server that is told to stop loses nothing, and one that is killed does nothing twice."""

import signal
from collections.abc import AsyncGenerator, Generator

import pytest

from bench.chaos import STREAMS, Outcome, Phase, run_phase, settle, streams_ended
from bench.fleet import LEDGER, STOPS_WITHIN, Fleet, Replica, Town, town

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Town]:
    with town(tmp_path_factory.mktemp("town")) as found:
        yield found


@pytest.fixture(scope="module")
async def running(place: Town) -> AsyncGenerator[Fleet]:
    async with place.fleet(LEDGER) as fleet:
        yield fleet


@pytest.fixture
async def fleet(running: Fleet) -> Fleet:
    await running.mend()
    return running


async def while_calls_go_on(fleet: Fleet, place: Town, replica: Replica, how: signal.Signals) -> Outcome:
    async def end() -> None:
        replica.tell(how)
        await replica.ended()

    phase = Phase(how.name, end, before=1.0, after=0.5)
    outcome = await run_phase(phase, fleet, place, how.name)
    assert settle([outcome], fleet).problems == []
    assert outcome.books.lost == []
    assert outcome.books.doubled == []
    assert outcome.failed == []
    assert [each.wrong for each in outcome.traffic.operations if each.wrong] == []
    assert [each for each in outcome.traffic.tries if each.came == "lost"] == []
    assert outcome.found is not None
    assert (outcome.found.missing, outcome.found.repeated, outcome.found.unpaired) == ([], [], [])
    assert any(each.writes and each.done for each in outcome.traffic.operations)
    return outcome


async def test_sigterm_answers_every_request_that_it_has_taken(fleet: Fleet, place: Town) -> None:
    outcome = await while_calls_go_on(fleet, place, fleet.replicas[0], signal.SIGTERM)
    assert outcome.found is not None
    assert outcome.found.cut_while_served == []
    assert outcome.found.open_intents == []
    assert set(outcome.traffic.failures) <= {"draining"}
    assert fleet.replicas[0].errors == []


async def test_after_kill_9_every_write_is_done_once_by_who_sends_it_again(fleet: Fleet, place: Town) -> None:
    outcome = await while_calls_go_on(fleet, place, fleet.replicas[1], signal.SIGKILL)
    assert set(outcome.traffic.failures) <= {"in_progress"}


async def test_sigterm_ends_streams_with_their_result_while_calls_go_on(fleet: Fleet, place: Town) -> None:
    ended: list[tuple[int, float]] = []

    async def end() -> None:
        ended.append(await streams_ended(fleet.replicas[0]))

    outcome = await run_phase(Phase("streams", end, before=0.5, after=0.5), fleet, place, "streams")
    settle([outcome], fleet)
    (streams, seconds) = ended[0]
    assert streams == STREAMS
    assert seconds < STOPS_WITHIN
    assert outcome.failed == []
    assert outcome.found is not None
    assert outcome.found.cut_while_served == []
