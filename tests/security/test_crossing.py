"""Two principals with the same JSON-RPC ids never see each other's answers."""

import asyncio
from collections.abc import Iterator

import pytest

from security.flood import Flood
from security.programs import ANN, BOB, Target, demo_target
from security.wire import ERAS, LEGACY, Caller

KEYS = {"ann": ANN, "bob": BOB}
CALLS = {"json": 800, "sse": 400}  # in each era: 2,400 altogether; 10,000 take half a minute and more
LINES = 4  # of each principal
_WITHIN = 60.0


@pytest.fixture(scope="module", params=CALLS)
def responses(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def target(responses: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with demo_target(tmp_path_factory.mktemp("crossing"), RINGMAIN_RESPONSES=responses) as target:
        yield target


@pytest.mark.parametrize("era", ERAS)
def test_cve_2026_25536_ghsa_345p_7cg4_v4c7_no_answer_crosses(
    target: Target, era: str, responses: str
) -> None:
    flood = Flood()
    each = CALLS[responses] // (2 * LINES)
    callers = {name: Caller(target.port, key, era) for name, key in KEYS.items()}
    if era == LEGACY:
        for caller in callers.values():
            caller.shake_hands()

    async def all_at_once() -> None:
        async with asyncio.timeout(_WITHIN), asyncio.TaskGroup() as tasks:
            for line in range(LINES):
                for name, caller in callers.items():  # the same ids at about the same time
                    tasks.create_task(flood.call(caller, name, range(1 + line * each, 1 + (line + 1) * each)))

    asyncio.run(all_at_once())
    assert (flood.crossed, flood.answered) == ([], each * 2 * LINES)
    on_record = [record for record in target.trail() if record.get("target") == "echo"]
    assert [r for r in on_record if not r["arguments"]["text"].startswith(f"{r['principal']}-")] == []
