"""Two principals with the same JSON-RPC ids never see each other's answers."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from security.flood import Flood
from security.programs import ANN, BOB, Target, demo_target
from security.wire import ERAS, LEGACY, Caller

KEYS = {"ann": ANN, "bob": BOB}
CALLS = 2_500  # in each era and form of answer: 10,000 altogether
LINES = 4  # of each principal
_WITHIN = 60.0


@pytest.fixture(scope="module", params=["json", "sse"])
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder: Path = tmp_path_factory.mktemp("crossing")
    with demo_target(folder, RINGMAIN_RESPONSES=request.param) as target:
        yield target


@pytest.mark.parametrize("era", ERAS)
def test_cve_2026_25536_ghsa_345p_7cg4_v4c7_no_answer_crosses(target: Target, era: str) -> None:
    flood = Flood()
    callers = {name: Caller(target.port, key, era) for name, key in KEYS.items()}
    if era == LEGACY:
        for caller in callers.values():
            caller.shake_hands()

    async def all_at_once() -> None:
        each = CALLS // (2 * LINES)
        async with asyncio.timeout(_WITHIN), asyncio.TaskGroup() as tasks:
            for line in range(LINES):
                for name, caller in callers.items():  # the same ids at about the same time
                    tasks.create_task(flood.call(caller, name, range(1 + line * each, 1 + (line + 1) * each)))

    asyncio.run(all_at_once())
    assert (flood.crossed, flood.answered) == ([], CALLS // (2 * LINES) * 2 * LINES)
    on_record = [record for record in target.trail() if record.get("target") == "echo"]
    assert [r for r in on_record if not r["arguments"]["text"].startswith(f"{r['principal']}-")] == []
