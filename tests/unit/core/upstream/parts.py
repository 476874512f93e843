"""Stand-ins for what surrounds the code under test: a clock, signals, a state that replicas share, a call."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import anyio

from ringmain_core.call import Call
from ringmain_core.declarations import Declaration
from ringmain_core.principal import Principal
from ringmain_core.state import Exceeded, Quota, StateUnavailable
from ringmain_core.telemetry.signals import BreakerState, CacheResult, UpstreamOutcome


class Clock:
    """Time passes when a test says so, or when something sleeps."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def pause(self, seconds: float) -> bool:
        await self.sleep(seconds)
        return True


class Heard:
    """Signals as they came in."""

    def __init__(self) -> None:
        self.upstreams: list[tuple[str, UpstreamOutcome]] = []
        self.retries = 0
        self.breakers: list[BreakerState] = []
        self.caches: list[CacheResult] = []

    def upstream(self, system: str, outcome: UpstreamOutcome, seconds: float) -> None:
        assert seconds >= 0
        self.upstreams.append((system, outcome))

    def retry(self, system: str) -> None:
        assert system
        self.retries += 1

    def breaker(self, system: str, state: BreakerState) -> None:
        assert system
        self.breakers.append(state)

    def cache(self, name: str, result: CacheResult) -> None:
        assert name
        self.caches.append(result)


class SharedState:
    """What several replicas see; messages arrive at once. While `away`, nothing can be reached."""

    shared = True

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.listeners: dict[str, list[Callable[[bytes], None]]] = {}
        self.after_gap: list[Callable[[], None]] = []
        self.away = False

    async def come_back(self) -> None:
        """Be there again, and wait for what is done about it."""
        self.away = False
        for listener in self.after_gap:
            listener()
        await anyio.wait_all_tasks_blocked()

    def _reach(self) -> None:
        if self.away:
            raise StateUnavailable("away")

    async def get(self, key: str) -> bytes | None:
        self._reach()
        return self.values.get(key)

    async def put(self, key: str, value: bytes, ttl: float, *, only_if_absent: bool = False) -> bool:
        self._reach()
        assert ttl > 0
        if only_if_absent and key in self.values:
            return False
        self.values[key] = value
        return True

    async def replace(self, key: str, old: bytes, new: bytes, ttl: float) -> bool:
        self._reach()
        assert ttl > 0
        if self.values.get(key) != old:
            return False
        self.values[key] = new
        return True

    async def delete(self, key: str) -> None:
        self._reach()
        self.values.pop(key, None)

    async def admit(self, quotas: Sequence[Quota], lease: str, lease_seconds: float) -> Exceeded | None:
        raise NotImplementedError

    async def release(self, quotas: Sequence[Quota], lease: str) -> None:
        raise NotImplementedError

    async def publish(self, topic: str, message: bytes) -> None:
        self._reach()
        for listener in list(self.listeners.get(topic, [])):
            listener(message)

    def subscribe(self, topic: str, listener: Callable[[bytes], None]) -> Callable[[], None]:
        listeners = self.listeners.setdefault(topic, [])
        listeners.append(listener)
        return lambda: listeners.remove(listener)

    def on_gap(self, listener: Callable[[], None]) -> Callable[[], None]:
        self.after_gap.append(listener)
        return lambda: self.after_gap.remove(listener)

    def trouble(self) -> str:
        return "away" if self.away else ""

    async def close(self) -> None: ...


def call_of(
    declaration: Declaration | None = None,
    arguments: Mapping[str, Any] | None = None,
    *,
    agent: str = "bot",
    method: str = "tools/call",
    **more: Any,
) -> Call:
    """A call as it is behind the access gate."""
    meta = more.pop("meta", {})
    target = more.pop("target", None if declaration is None else declaration.name)
    return Call(
        principal=Principal(agent, "api_key"),
        connector="demo",
        transport="http",
        version="v1",
        method=method,
        target=target,
        params={"name": target, "arguments": dict(arguments or {}), "_meta": meta},
        client=cast("Any", None),
        era="2026-07-28",
        declaration=declaration,
        **more,
    )
