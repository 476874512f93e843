"""What the replicas of a server have to agree on; a process of its own agrees with itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol


class StateUnavailable(Exception):
    """The state cannot be reached, or what it is kept in cannot be used; the text says why, not where."""


class Quota(NamedTuple):
    """How much of something may be done: a meter's name and its limits.

    Attributes:
        key: What is metered; whoever uses the same key shares the meter.
        rate: Calls a second.
        burst: Calls at once after a pause.
        concurrency: Calls side by side; `None` for a call that is not one of them, however long it takes.
    """

    key: str
    rate: float
    burst: int
    concurrency: int | None


@dataclass(frozen=True, slots=True)
class Exceeded:
    """Which of several quotas is used up, how, and after how many seconds it is worth trying again."""

    quota: Quota
    by: Literal["rate", "concurrency"]
    retry_after: float


class State(Protocol):
    """Values with an age, meters, and messages.

    Keys and topics are text; their first part (`idempotency:…`) names who uses them. Values are bytes that
    their users have sealed. Times are seconds.

    Attributes:
        shared: Whether meters and messages are those of other processes too. Values outlive the process
            either way.

    Every awaited method may raise `StateUnavailable`; what it was to do may then have happened or not.
    """

    shared: bool

    async def get(self, key: str) -> bytes | None:
        """The value, unless there is none or its time is over."""
        ...

    async def put(self, key: str, value: bytes, ttl: float, *, only_if_absent: bool = False) -> bool:
        """Keep a value for a time; False where there was one and `only_if_absent` was asked for."""
        ...

    async def replace(self, key: str, old: bytes, new: bytes, ttl: float) -> bool:
        """Put a new value in the place of `old`; False where something else is there."""
        ...

    async def delete(self, key: str) -> None:
        """Forget a value."""
        ...

    async def admit(self, quotas: Sequence[Quota], lease: str, lease_seconds: float) -> Exceeded | None:
        """Count one call against all quotas, or against none where one is used up, which is returned.

        The call counts as running until `release`, or until its lease is over: its process may die. A lease
        is a name of one call alone.
        """
        ...

    async def release(self, quotas: Sequence[Quota], lease: str) -> None:
        """Say that an admitted call has ended."""
        ...

    async def publish(self, topic: str, message: bytes) -> None:
        """Tell every subscriber of a topic, in this process and all others."""
        ...

    def subscribe(self, topic: str, listener: Callable[[bytes], None]) -> Callable[[], None]:
        """Be told of a topic's messages, on the event loop, without blocking it; call the result to stop."""
        ...

    def on_gap(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Be told when messages may have been missed (a connection was lost and is there again)."""
        ...

    def trouble(self) -> str:
        """Why readiness should say no, in words for an operator; empty where all is well."""
        ...

    async def close(self) -> None:
        """Give back connections and files."""
        ...
