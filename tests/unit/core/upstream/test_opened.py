import anyio
import pytest

from ringmain_core.errors import ConfigurationError
from ringmain_core.sealing import KeyRing
from ringmain_core.settings import CoreSettings
from ringmain_core.telemetry.signals import NoSignals
from ringmain_core.upstream.opened import opened_resilience
from ringmain_core.upstream.trouble import Trouble
from unit.core.upstream.parts import SharedState, call_of
from unit.core.upstream.test_answers import answer, search

pytestmark = pytest.mark.anyio
KEYS = KeyRing([b"k" * 32])


async def test_a_process_has_guards_and_answers_that_are_shared_and_end_with_it() -> None:
    state = SharedState()

    async def run() -> dict[str, object]:
        return answer("1")

    async with opened_resilience("demo", CoreSettings(), state, KEYS, NoSignals()) as resilience:
        resilience.guards.guard("demo:a", lambda _: Trouble("down"))
        assert len(state.listeners["breaker:demo:a"]) == 1
        assert await resilience.answers(search, {"query": "x"}, call_of(search), run) == answer("1")
        with anyio.fail_after(5):
            while not state.values:
                await anyio.lowlevel.checkpoint()
    assert state.listeners == {"breaker:demo:a": []}
    assert [key.partition(":")[0] for key in state.values] == ["cache"]


async def test_a_webhook_that_cannot_be_used_is_told_before_anything_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RINGMAIN_WEBHOOKS", "http://example.com/secret")
    with pytest.raises(ConfigurationError, match="RINGMAIN_WEBHOOKS: entry 1"):
        async with opened_resilience("demo", CoreSettings(), SharedState(), KEYS, NoSignals()):
            pass
