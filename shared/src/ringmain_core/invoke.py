"""Runs a declared function: arguments, confirmation, once per key, deadline, and words for every failure."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
from mcp.shared.exceptions import MCPError

from ringmain_core.call import Call
from ringmain_core.confirmations import Ask, confirm
from ringmain_core.declarations import Declaration, Tool
from ringmain_core.errors import (
    AnswerTooLarge,
    DeadlineExceeded,
    OutcomeUnknown,
    RingmainError,
    Unexpected,
)
from ringmain_core.idempotency import Idempotency
from ringmain_core.results import WireResult, success

_log = logging.getLogger(__name__)
_MOST_SHOWN = 2_000
T = TypeVar("T")


@dataclass(frozen=True)
class Invoke:
    """Runs declared functions for one connector.

    Attributes:
        upstream: The connector's client.
        idempotency: Remembers what writes came to.
        default_timeout: Seconds, for declarations without one of their own.
    """

    upstream: object
    idempotency: Idempotency
    default_timeout: float

    async def __call__(self, declaration: Declaration, raw: Mapping[str, Any], call: Call) -> Any:
        """Validate the arguments and run the function of a resource or prompt.

        Raises:
            InvalidArguments: Where the arguments do not fit.
        """
        bound = declaration.arguments.bind(raw, call, self.upstream)
        return await self.bounded(lambda: declaration.function(**bound), declaration, call)

    async def tool(self, tool: Tool, raw: Mapping[str, Any], call: Call) -> WireResult:
        """Do what a tool does, and give its result the form of the wire.

        Raises:
            InvalidArguments: Where the arguments do not fit.
        """
        self._start(tool, call)
        bound = tool.arguments.bind(raw, call, self.upstream)

        async def run() -> WireResult:
            value = await self._in_time(lambda: tool.function(**bound), tool, call, has_effect=has_effect)
            try:
                return success(value, call.answer_bytes)
            except AnswerTooLarge as error:
                if not has_effect:
                    raise
                raise _unknown(f"`{tool.name}` has ended, but what it says is too large.") from error

        has_effect = tool.access != "read" and not tool.arguments.rehearses(bound)
        if not has_effect:
            return await run()

        async def prepare() -> None:
            if call.grant.confirm:
                await confirm(call, "call", await self._question(tool, bound, raw, call))

        async def begin() -> None:
            if call.before_effect is not None:
                await call.before_effect()
            if call.remaining <= 0:  # the disk was slow, or the process stood still
                raise DeadlineExceeded(f"`{tool.name}` had no time left to begin, so nothing was done.")

        async def settle(note: Any) -> WireResult | None:
            find_out = tool.settle
            if find_out is None:
                raise _unknown(f"What became of the earlier `{tool.name}` is not known.")
            value = await self._in_time(
                lambda: find_out(self.upstream, call, note), tool, call, has_effect=True
            )
            return None if value is None else success(value, call.answer_bytes)

        name = tool.arguments.idempotency_key
        key = None if name is None else bound[name]
        if key is None:
            await prepare()
            await begin()
            return await run()
        meant = {argument: value for argument, value in raw.items() if argument != name}
        return await self.idempotency.once(
            call, key, meant, settle=settle, prepare=prepare, begin=begin, run=run
        )

    async def _question(
        self, tool: Tool, bound: Mapping[str, Any], raw: Mapping[str, Any], call: Call
    ) -> str:
        question = tool.question
        if question is not None:
            return await self._in_time(lambda: question(**bound), tool, call)
        shown = json.dumps(dict(raw), ensure_ascii=False)
        cut = f"{shown[:_MOST_SHOWN]} … ({len(shown):,} characters)" if len(shown) > _MOST_SHOWN else shown
        return f"{tool.title} ({call.connector}.{tool.name}) with {cut}?"

    async def bounded(self, run: Callable[[], Awaitable[T]], declaration: Declaration, call: Call) -> T:
        """Run something of a declaration's that has no effect, within the time that begins now.

        Raises:
            DeadlineExceeded, Unexpected: As of a tool.
        """
        self._start(declaration, call)
        return await self._in_time(run, declaration, call)

    def _time_of(self, declaration: Declaration) -> float:
        return declaration.timeout or self.default_timeout

    def _start(self, declaration: Declaration, call: Call) -> None:
        call.deadline = time.monotonic() + self._time_of(declaration)

    async def _in_time(
        self,
        run: Callable[[], Awaitable[T]],
        declaration: Declaration,
        call: Call,
        *,
        has_effect: bool = False,
    ) -> T:
        """Run something within what is left of the call's time.

        Raises:
            DeadlineExceeded: Where it took longer than it may; it was cancelled.
            OutcomeUnknown: Where it did, and may have had its effect.
            Unexpected: Where it failed in a way nobody planned for; the log has the rest.
        """
        name = declaration.name
        # What `move_on_after` does, for half of what its deadline costs.
        scope = anyio.CancelScope()
        timer = asyncio.get_running_loop().call_later(call.remaining, scope.cancel)
        try:
            with scope:
                return await run()
        except (RingmainError, MCPError, Ask):
            raise
        except Exception as error:
            _log.exception("%s failed", name)
            happened = " It may have happened: look before you retry." if has_effect else ""
            raise Unexpected(
                f"`{name}` failed unexpectedly.{happened} The operator finds the reason in the log under "
                f"{call.id}."
            ) from error
        finally:
            timer.cancel()
        timeout = self._time_of(declaration)
        if not has_effect:
            raise DeadlineExceeded(
                f"`{name}` took longer than {timeout:g} s and was cancelled. Ask for less."
            )
        raise _unknown(f"`{name}` took longer than {timeout:g} s and was cancelled, perhaps too late.")


def _unknown(why: str) -> OutcomeUnknown:
    return OutcomeUnknown(f"{why} Check whether it has happened before you try again.")
