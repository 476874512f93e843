"""Clients that keep on calling whatever happens, as well-made ones do, and remember every try."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from bench.wire import Cut, Lost, Reply, Wire, new_trace

Came = Literal["answered", "cut", "lost"]

_TRIED_FOR = 40.0
_FIRST_PAUSE, _LAST_PAUSE = 0.02, 1.0
# Not retryable by themselves: it is the key that makes it safe to ask again.
_ASK_AGAIN_BY_KEY = {"outcome_unknown"}


@dataclass(frozen=True, slots=True)
class Try:
    """One request: what it was for, and what came back.

    Attributes:
        trace: Its name in the audit.
        code: Of the failure, where one came back; empty for a good answer.
    """

    trace: str
    came: Came
    code: str = ""


@dataclass(slots=True)
class Operation:
    """What a client wanted done, however many tries it took.

    Attributes:
        name: Of the entry that is made, or looked up.
        done: Whether a good answer has come.
        wrong: A good answer that said something else than it should.
    """

    name: str
    writes: bool
    tries: list[Try] = field(default_factory=list[Try])
    done: bool = False
    failed: str = ""
    wrong: str = ""


@dataclass
class Traffic:
    """Clients on kept-alive connections; every other call is a write that is sent again under its key.

    Args:
        run: Makes the names of entries unique.
        rate: Calls a second, of all clients together.
    """

    port: int
    key: str
    run: str
    rate: float = 200.0
    clients: int = 16
    operations: list[Operation] = field(default_factory=list[Operation])
    seconds: float = 0.0
    _stopping: bool = False

    @asynccontextmanager
    async def flowing(self) -> AsyncGenerator[None]:
        """Call for as long as the block runs, and then until what was begun has come to its end."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as clients:
            for number in range(self.clients):
                clients.create_task(self._client(number))
            try:
                yield
            finally:
                self.seconds = loop.time() - began
                self._stopping = True

    @property
    def tries(self) -> list[Try]:
        return [each for operation in self.operations for each in operation.tries]

    @property
    def failures(self) -> Counter[str]:
        """How often each code came back."""
        return Counter(each.code for each in self.tries if each.code)

    async def _client(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        period = self.clients / self.rate
        due = loop.time() + period * number / self.clients
        entered = ""
        turn = 0
        async with Wire(self.port, self.key) as wire:
            while not self._stopping:
                await asyncio.sleep(max(0.0, due - loop.time()))
                due = max(due + period, loop.time() - period)
                turn += 1
                writes = turn % 2 == 1
                name = f"{self.run}-{number}-{turn}" if writes else entered or f"{self.run}-none"
                operation = Operation(name, writes)
                self.operations.append(operation)
                await self._carry_out(operation, wire)
                if writes and operation.done:
                    entered = name

    async def _carry_out(self, operation: Operation, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + _TRIED_FOR
        pause = _FIRST_PAUSE
        while True:
            trace = new_trace()
            wait = pause * random.uniform(0.5, 1.0)  # noqa: S311 (spreads the load)
            try:
                reply = await self._sent(operation, wire, trace)
            except Cut:
                operation.tries.append(Try(trace, "cut"))
            except Lost:
                operation.tries.append(Try(trace, "lost"))
            else:
                operation.tries.append(Try(trace, "answered", reply.code))
                if reply.ok:
                    operation.done = True
                    operation.wrong = _wrong(operation, reply)
                    return
                again = reply.failure.get("retryable") or (
                    operation.writes and reply.code in _ASK_AGAIN_BY_KEY
                )
                if not again:
                    operation.failed = reply.code
                    return
                wait = max(wait, reply.failure.get("retry_after_ms", 0) / 1000)
            if loop.time() + wait > until:
                operation.failed = "given up"
                return
            await asyncio.sleep(wait)
            pause = min(2 * pause, _LAST_PAUSE)

    async def _sent(self, operation: Operation, wire: Wire, trace: str) -> Reply:
        if operation.writes:
            arguments = {"name": operation.name, "idempotency_key": f"key of {operation.name}"}
            return await wire.call("enter", arguments, trace)
        return await wire.call("look_up", {"name": operation.name}, trace)


def _wrong(operation: Operation, reply: Reply) -> str:
    there = 0 if operation.name.endswith("-none") else 1
    expected = f"entered {operation.name}" if operation.writes else f"{operation.name}: {there}"
    return "" if reply.text == expected else reply.text


@dataclass(frozen=True, slots=True)
class Books:
    """What the table has, against what clients were told.

    Attributes:
        lost: Entries that were acknowledged and are not there.
        doubled: Entries that are there more than once.
    """

    lost: Sequence[str]
    doubled: Sequence[str]


def balance(operations: Sequence[Operation], copies: dict[str, int]) -> Books:
    writes = [operation for operation in operations if operation.writes]
    return Books(
        lost=[each.name for each in writes if each.done and each.name not in copies],
        doubled=[each.name for each in writes if copies.get(each.name, 0) > 1],
    )
