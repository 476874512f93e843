"""Answers a read from what was answered before, where its declaration allows it."""

import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from ringmain_core.call import Call
from ringmain_core.declarations import Declaration
from ringmain_core.errors import DeadlineExceeded, UpstreamUnavailable
from ringmain_core.flow import Flow, Reading
from ringmain_core.results import WireResult
from ringmain_core.telemetry.signals import NoSignals, Signals
from ringmain_core.upstream.cache import Cache, Copies, Copy
from ringmain_core.upstream.shared_copies import SharedCopies
from ringmain_core.upstream.single_flight import SingleFlight

FRESH_META = "dev.ringmain/fresh"
"""The `_meta` key of a request that wants no kept answer."""

CACHE_META = "dev.ringmain/cache"
"""The `_meta` key of an answer that was kept: `age_seconds`."""

STALE_META = "dev.ringmain/stale"
"""The `_meta` key of an answer that is old because the system behind fails: `age_seconds` and `cause`."""

_PLAIN = ("text/plain", "text/markdown")


class Answers:
    """Keeps answers for each caller, version, role and fence, and for exactly these arguments.

    Equal calls at the same time are done once. Failures are never kept.

    Args:
        shared: Where replicas share what they were answered.
    """

    def __init__(
        self,
        *,
        copies: Copies | None = None,
        shared: SharedCopies | None = None,
        signals: Signals | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._copies = copies or Copies(clock=clock)
        self._shared = shared
        self._signals = signals or NoSignals()
        self._clock = clock
        self._flights = SingleFlight[Copy](lambda copy: _may_be_kept(copy.result))

    async def __call__(
        self,
        declaration: Declaration,
        raw: Mapping[str, Any],
        call: Call,
        run: Callable[[], Awaitable[WireResult]],
    ) -> WireResult:
        """The answer of a tool or resource: kept, or made by `run`.

        Args:
            declaration: Of the tool or resource.
            raw: The arguments as they came in.
            call: Whose answer it is.
            run: Makes the result as it goes out.

        Raises:
            InvalidArguments: Where the arguments do not fit.
        """
        cache = declaration.cache
        if cache is None or call.input_responses or call.request_state or call.confirmed:
            return await run()
        key = _key(declaration, raw, call)

        async def make() -> Copy:
            return await self._make(key, cache, call, run)

        if _wants_fresh(call):
            self._signals.cache(declaration.name, "miss")
            return (await make()).result
        copy = await self._find(key, cache)
        if copy is not None and self._age(copy) < cache.ttl:
            self._signals.cache(declaration.name, "hit")
            return await self._again(copy, call)
        try:
            copy, joined = await self._flights.run(key, make)
        except (UpstreamUnavailable, DeadlineExceeded) as error:
            old = self._copies.get(key)
            if old is None:
                self._signals.cache(declaration.name, "miss")
                raise
            self._signals.cache(declaration.name, "stale")
            return _marked_stale(await self._again(old, call), round(self._age(old), 1), error)
        self._signals.cache(declaration.name, "joined" if joined else "miss")
        return await self._again(copy, call) if joined else copy.result

    async def _find(self, key: str, cache: Cache) -> Copy | None:
        copy = self._copies.get(key)
        if self._shared is None or (copy is not None and self._age(copy) < cache.ttl):
            return copy
        shared = await self._shared.get(key)
        if shared is None or (copy is not None and copy.made >= shared.made):
            return copy
        self._copies.put(key, shared, cache.kept)
        return shared

    async def _make(
        self, key: str, cache: Cache, call: Call, run: Callable[[], Awaitable[WireResult]]
    ) -> Copy:
        flow = call.flow
        call.flow = heard = _Heard(flow)
        try:
            result = await run()
        finally:
            call.flow = flow
        readings = tuple(reading.to_text() for reading in heard.readings)
        if not _may_be_kept(result):
            return Copy(result, self._clock(), 0, readings)
        try:
            encoded = to_json(result)
        except PydanticSerializationError:  # half a character: it can be answered, not kept
            return Copy(result, self._clock(), 0, readings)
        copy = Copy(result, self._clock(), len(encoded), readings)
        self._copies.put(key, copy, cache.kept)
        if self._shared is not None:
            self._shared.put(key, encoded, readings, cache.kept)
        return copy

    async def _again(self, copy: Copy, call: Call) -> WireResult:
        """A copy as the answer of another call, which has now read it, too."""
        for text in copy.readings:
            reading = Reading.from_text(text)
            await call.saw(reading.audience, reading.place)
        return _marked(copy.result, CACHE_META, {"age_seconds": round(self._age(copy), 1)})

    def _age(self, copy: Copy) -> float:
        return self._clock() - copy.made


class _Heard(Flow):
    """Notes what a function says it has read, so that whoever gets a copy has read it, too."""

    def __init__(self, flow: Flow | None) -> None:
        self._flow = flow
        self.readings: set[Reading] = set()

    async def saw(self, call: Call, reading: Reading) -> None:
        self.readings.add(reading)
        if self._flow is not None:
            await self._flow.saw(call, reading)

    async def may_share(self, call: Call, reach: Reading, what: str) -> None:
        if self._flow is not None:
            await self._flow.may_share(call, reach, what)


def _key(declaration: Declaration, raw: Mapping[str, Any], call: Call) -> str:
    bound = declaration.arguments.bind(raw, call, None)
    parts = [
        call.connector,
        call.method,
        declaration.name,
        call.target,
        call.version,
        call.era,
        call.principal.owner,
        call.grant.because,
        call.grant.fences,
        call.answer_bytes,
        {name: bound[name] for name in declaration.arguments.names},
    ]
    canonical = json.dumps(to_jsonable_python(parts, fallback=repr), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _wants_fresh(call: Call) -> bool:
    meta = call.params.get("_meta")
    return isinstance(meta, Mapping) and cast("Mapping[str, Any]", meta).get(FRESH_META) is True


def _may_be_kept(result: WireResult) -> bool:
    return not result.get("isError") and result.get("resultType", "complete") == "complete"


def _marked(result: WireResult, name: str, values: dict[str, Any]) -> WireResult:
    return {**result, "_meta": {**result.get("_meta", {}), name: values}}


def _marked_stale(
    result: WireResult, age: float, error: UpstreamUnavailable | DeadlineExceeded
) -> WireResult:
    line = f"[An older answer, from {age:g} s ago, because there is none now: {error.message}]"
    marked = _marked(result, STALE_META, {"age_seconds": age, "cause": error.code})
    if "content" in marked:
        first, *rest = marked["content"] or [{"type": "text", "text": ""}]
        if first.get("type") == "text":
            marked["content"] = [{**first, "text": f"{line}\n{first['text']}"}, *rest]
        else:
            marked["content"] = [{"type": "text", "text": line}, first, *rest]
    elif "contents" in marked:
        # Other text has a form that a line of ours would break: there only `_meta` says it.
        marked["contents"] = [
            {**each, "text": f"{line}\n{each['text']}"}
            if "text" in each and each.get("mimeType") in _PLAIN
            else each
            for each in marked["contents"]
        ]
    return marked
