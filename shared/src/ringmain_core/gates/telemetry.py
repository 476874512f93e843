"""Two gates that let everything pass: one measures calls, one traces them."""

import time
from collections.abc import Sequence
from typing import Protocol

from ringmain_core.call import Call
from ringmain_core.ending import Ending, ending_of, ending_of_error
from ringmain_core.gates import Next, Result
from ringmain_core.telemetry.tracing import Tracing


class Meter(Protocol):
    """Told of calls."""

    def begin(self, call: Call) -> None:
        """A call has come in."""

    def end(self, call: Call, ending: Ending, seconds: float, answer_bytes: int | None) -> None:
        """A call has ended, after so many seconds, with so much text where there was an answer."""


class Measured:
    """Tells meters of every call, refused ones included."""

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._meters = tuple(meters)

    async def __call__(self, call: Call, proceed: Next) -> Result:
        for meter in self._meters:
            meter.begin(call)
        try:
            result = await proceed()
        except BaseException as error:
            self._end(call, ending_of_error(call, error), None)
            raise
        self._end(call, ending_of(call, result), text_bytes(result))
        return result

    def _end(self, call: Call, ending: Ending, answer_bytes: int | None) -> None:
        seconds = time.monotonic() - call.started
        for meter in self._meters:
            meter.end(call, ending, seconds, answer_bytes)


class Traced:
    """Puts every call into a span of its own. Outermost: log and audit carry the id of its trace."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    async def __call__(self, call: Call, proceed: Next) -> Result:
        from opentelemetry.context import attach, detach
        from opentelemetry.trace import set_span_in_context

        span = self._tracing.begin(call)
        token = attach(set_span_in_context(span))
        try:
            result = await proceed()
        except BaseException as error:
            self._tracing.end(span, call, ending_of_error(call, error))
            raise
        else:
            self._tracing.end(span, call, ending_of(call, result))
            return result
        finally:
            detach(token)


def text_bytes(result: Result) -> int:
    """How much text an answer carries, in UTF-8; structured content, which says the same, is left out."""
    blocks: list[Result] = result.get("content") or result.get("contents") or result.get("messages") or []
    size = 0
    for block in blocks:
        body: Result = block.get("content", block)
        text: str = body.get("text") or body.get("blob") or body.get("data") or ""
        size += len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    return size
