from hypothesis import example, given, settings

from ringmain_core.state.meters import LocalMeters
from unit.core.state.reference import CHANGED, HISTORIES, Step, agrees


@settings(max_examples=150, deadline=None)
@given(HISTORIES)
@example(CHANGED)
def test_meters_in_memory_do_what_the_model_does(steps: list[Step]) -> None:
    now = 0

    def at(seconds: int) -> None:
        nonlocal now
        now = 1_000_000 + seconds

    meters = LocalMeters(clock=lambda: now)
    agrees(
        steps,
        lambda time, step: (at(time), meters.admit(step.quotas, step.lease, step.seconds))[1],
        lambda step: meters.release(step.quotas, step.lease),
    )
