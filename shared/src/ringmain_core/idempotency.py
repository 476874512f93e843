"""Writes that can be tried again: the same key means the same effect, once."""

import hashlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from ringmain_core.call import Call
from ringmain_core.confirmations import Ask
from ringmain_core.errors import (
    DeadlineExceeded,
    InProgress,
    KeyReused,
    OutcomeUnknown,
    StateLost,
    ToolFailure,
    Unexpected,
)
from ringmain_core.freed_keys import FreedKeys
from ringmain_core.results import WireResult
from ringmain_core.sealing import KeyRing, NotSealedHere
from ringmain_core.state import State, StateUnavailable

REPLAYED_META = "dev.ringmain/replayed"
"""The `_meta` key of an answer that was given before, to the same key."""

_KEPT = 24 * 3600.0  # seconds
_GRACE = 10.0  # seconds beyond a call's time within which its process may still be at work
_RETRY_MS = 1_000
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Record:
    """What is known of a key.

    Attributes:
        digest: Of the arguments; empty for a key that is free again.
        ends: Until when the call that uses it may be at work.
        note: What it has noted before its effect.
        result: What it came to.
        sealed: All that, as it is kept.
    """

    digest: str
    ends: float
    note: Any = None
    result: WireResult | None = None
    sealed: bytes = field(default=b"", repr=False)


class Idempotency:
    """Keeps what came of each `idempotency_key` for a day, in the state that replicas share.

    A key belongs to its principal and tool. What is kept is sealed: it may hold what a tool returned.
    """

    def __init__(self, state: State, ring: KeyRing, clock: Callable[[], float] = time.time) -> None:
        self._state = state
        self._ring = ring
        self._clock = clock
        self._freed = FreedKeys(state)

    async def once(
        self,
        call: Call,
        key: str,
        arguments: Mapping[str, Any],
        *,
        settle: Callable[[Any], Awaitable[WireResult | None]],
        prepare: Callable[[], Awaitable[None]],
        begin: Callable[[], Awaitable[None]],
        run: Callable[[], Awaitable[WireResult]],
    ) -> WireResult:
        """Run a write unless it has been done under this key, in which case its result comes again.

        `settle` finds out, from what an earlier try has noted, what became of it: the result, or `None` where
        it certainly did not happen. `prepare` comes before a new try, such as a confirmation; `begin` right
        before it, still without an effect. `run` does it, and ends within the call's time.

        Raises:
            KeyReused: Where the key was used with other arguments.
            InProgress: Where an earlier call with it is still running.
            OutcomeUnknown: Where an earlier one may have happened.
            StateLost: Where it cannot be known, and nothing was done.
        """
        name = _name(call, key)
        digest = _digest(arguments)
        try:
            known = await self._load(name)
            if known is not None and known.digest:
                done = await self._settled(name, known, digest, settle)
                if done is not None:
                    return done
            await prepare()
            record = _Record(digest, self._clock() + call.remaining + _GRACE)
            await self._begin(name, record, known)
        except StateUnavailable as error:
            raise StateLost(
                "Whether this was done before cannot be known now, so nothing is done. Try again in a "
                "moment with the same `idempotency_key`.",
                retry_after_ms=_RETRY_MS,
            ) from error
        return await self._run(name, record, call, begin, run)

    async def _settled(
        self,
        name: str,
        known: _Record,
        digest: str,
        settle: Callable[[Any], Awaitable[WireResult | None]],
    ) -> WireResult | None:
        if known.digest != digest:
            raise KeyReused(
                "This `idempotency_key` was used for other arguments. Take a new key for a new action."
            )
        if known.result is not None:
            meta = {**known.result.get("_meta", {}), REPLAYED_META: True}
            return {**known.result, "_meta": meta}
        if self._clock() < known.ends:
            raise InProgress(
                "A call with this `idempotency_key` is running. Ask again with it to get the result.",
                retry_after_ms=_RETRY_MS,
            )
        result = await settle(known.note)
        if result is not None:
            known.result = result
            await self._keep(name, known)
        return result

    async def _run(
        self,
        name: str,
        record: _Record,
        call: Call,
        begin: Callable[[], Awaitable[None]],
        run: Callable[[], Awaitable[WireResult]],
    ) -> WireResult:
        async def note(value: Any) -> None:
            before, record.note = record.note, value
            try:
                ours = await self._keep(name, record)
            except StateUnavailable as error:
                record.note = before
                raise StateLost("What is done cannot be noted now, so it is not done.") from error
            if not ours:
                raise InProgress(
                    "Another call with this `idempotency_key` has taken over: ask with it again."
                )
            self._require_time(record)

        call.keep_note = note
        try:
            await begin()
            self._require_time(record)
        except BaseException:
            await self._freed.free(name, record.sealed)
            raise
        try:
            result = await run()
        except BaseException as error:
            if _had_no_effect(error, record):
                await self._freed.free(name, record.sealed)
            else:
                await self._give_up(name, record)
            raise
        if result.get("resultType") == "input_required":
            await self._freed.free(name, record.sealed)
            return result
        record.result = result
        try:
            with anyio.CancelScope(shield=True):
                await self._keep(name, record)
        except StateUnavailable as error:
            _log.warning("the result of a write could not be kept for its idempotency key: %s", error)
        return result

    async def _give_up(self, name: str, record: _Record) -> None:
        """It may have happened: from now on the key says so, instead of waiting for the call to end."""
        record.ends = self._clock()
        with anyio.CancelScope(shield=True):
            try:
                await self._keep(name, record)
            except StateUnavailable as error:  # then the record says “running” until its time is over
                _log.warning("an open outcome could not be noted for its idempotency key: %s", error)

    def _require_time(self, record: _Record) -> None:
        """A process that has stood still must not go on with what another may have taken over."""
        if self._clock() >= record.ends - _GRACE:
            raise DeadlineExceeded("This took too long before it began, so nothing was done. Try again.")

    async def _begin(self, name: str, record: _Record, known: _Record | None) -> None:
        record.sealed = self._seal(name, record)
        try:
            if known is None:
                first = await self._state.put(name, record.sealed, _KEPT, only_if_absent=True)
            else:
                first = await self._state.replace(name, known.sealed, record.sealed, _KEPT)
        except BaseException:  # it may have been kept all the same, or will be in a moment
            await self._freed.free_if_kept(name, record.sealed)
            raise
        if not first:
            raise InProgress(
                "A call with this `idempotency_key` has begun just now. Ask again with the same key.",
                retry_after_ms=_RETRY_MS,
            )

    async def _load(self, name: str) -> _Record | None:
        sealed = await self._state.get(name)
        if sealed is None:
            return None
        if self._freed.is_free(name, sealed):
            return _Record("", 0.0, sealed=sealed)
        try:
            values = json.loads(self._ring.open("idempotency", name, sealed))
        except NotSealedHere as error:
            raise StateUnavailable("what is kept was sealed with another key") from error
        return _Record(**values, sealed=sealed)

    async def _keep(self, name: str, record: _Record) -> bool:
        """Put it in the place of what is known to be there; False where another call has taken over."""
        sealed = self._seal(name, record)
        kept = await self._state.replace(name, record.sealed, sealed, _KEPT)
        if kept:
            record.sealed = sealed
        return kept

    def _seal(self, name: str, record: _Record) -> bytes:
        values = {
            "digest": record.digest,
            "ends": record.ends,
            "note": record.note,
            "result": record.result,
        }
        return self._ring.seal("idempotency", name, json.dumps(values).encode())


def _had_no_effect(error: BaseException, record: _Record) -> bool:
    """Whether that is certain of a try that ended so; where it left a note, `settle` finds out."""
    if isinstance(error, Ask):
        return True
    failed = isinstance(error, ToolFailure) and not isinstance(error, OutcomeUnknown | Unexpected)
    return failed and record.note is None


def _name(call: Call, key: str) -> str:
    owner = json.dumps([call.connector, call.principal.owner, call.target, key])
    return "idempotency:" + hashlib.sha256(owner.encode(errors="surrogatepass")).hexdigest()


def _digest(arguments: Mapping[str, Any]) -> str:
    canonical = json.dumps(arguments, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()
