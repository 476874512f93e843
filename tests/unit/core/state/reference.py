"""What meters should do, in exact numbers and without a thought for speed; and histories to try it with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import strategies as st

from ringmain_core.state import Exceeded, Quota

# Intervals are whole seconds and long ones: no float is rounded, and no key of Redis is over meanwhile.
QUOTAS = [
    Quota("agent", 1 / 1024, 3, 2),
    Quota("tool", 1 / 4096, 2, 1),
    Quota("other", 1 / 2048, 1, 3),
    Quota("agent", 1 / 512, 1, 3),  # the first one's meter, after the policy was changed
    Quota("stream", 1 / 1024, 2, None),
]


@dataclass(frozen=True)
class Pause:
    seconds: int


@dataclass(frozen=True)
class Admit:
    quotas: tuple[Quota, ...]
    lease: str
    seconds: int


@dataclass(frozen=True)
class Release:
    quotas: tuple[Quota, ...]
    lease: str


Step = Pause | Admit | Release

_LEASES = st.sampled_from(["a", "b", "c", "d"])
_SEVERAL = st.lists(st.sampled_from(QUOTAS), min_size=1, max_size=3, unique_by=lambda quota: quota.key)
_ADMIT = st.builds(Admit, _SEVERAL.map(tuple), _LEASES, st.sampled_from([1000, 5000]))
HISTORIES = st.lists(
    st.one_of(
        st.builds(Pause, st.integers(0, 8).map(lambda many: many * 512)),
        _ADMIT,
        _ADMIT,
        st.builds(Release, _SEVERAL.map(tuple), _LEASES),
    ),
    max_size=40,
)

# The policy is changed, and what the old one counted is forgiven as far as the new one counts.
CHANGED: list[Step] = [
    Admit((QUOTAS[0],), "a", 1000),
    Admit((QUOTAS[3],), "b", 1000),
    Pause(512),
    Admit((QUOTAS[3],), "c", 1000),
]


@dataclass
class Model:
    """A bucket of tokens and a set of leases for each key."""

    now: int = 0
    spent: dict[str, Fraction] = field(
        default_factory=dict[str, Fraction]
    )  # seconds until the bucket is full
    leases: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])

    def step(self, step: Step) -> tuple[str, str] | None:
        """Which quota's key is used up, and how."""
        match step:
            case Pause(seconds):
                self.now += seconds
                self.spent = {key: max(Fraction(0), spent - seconds) for key, spent in self.spent.items()}
            case Release(quotas, lease):
                for quota in quotas:
                    if quota.concurrency is not None:
                        self.leases.get(quota.key, {}).pop(lease, None)
            case Admit(quotas, lease, seconds):
                for quota in quotas:
                    used_up = self._used_up(quota)
                    if used_up:
                        return quota.key, used_up
                for quota in quotas:
                    self.spent[quota.key] = self.spent.get(quota.key, Fraction(0)) + 1 / Fraction(quota.rate)
                    if quota.concurrency is not None:
                        self.leases.setdefault(quota.key, {})[lease] = self.now + seconds
        return None

    def _used_up(self, quota: Quota) -> str:
        interval = 1 / Fraction(quota.rate)
        full = quota.burst * interval
        self.spent[quota.key] = min(self.spent.get(quota.key, Fraction(0)), full)
        if self.spent[quota.key] + interval > full:
            return "rate"
        running = [lease for lease, until in self.leases.get(quota.key, {}).items() if until > self.now]
        if quota.concurrency is not None and len(running) >= quota.concurrency:
            return "concurrency"
        return ""


def agrees(
    steps: list[Step], admit: Callable[[int, Admit], Exceeded | None], release: Callable[[Release], object]
) -> None:
    """Live through a history and compare every answer with the model's; `admit` is told the time, too."""
    model = Model()
    for step in steps:
        expected = model.step(step)
        match step:
            case Admit():
                exceeded = admit(model.now, step)
                assert (None if exceeded is None else (exceeded.quota.key, exceeded.by)) == expected, step
            case Release():
                release(step)
            case Pause():
                pass
