"""One request on its way through the gates."""

import math
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from ringmain_core.policy import EVERYTHING, Fence, Grant
from ringmain_core.principal import Principal

if TYPE_CHECKING:
    from mcp.server.session import ServerSession
    from mcp_types import InputResponse

    from ringmain_core.declarations import Declaration
    from ringmain_core.flow import Audience, Flow
    from ringmain_core.telemetry.tracing import Tracing

Transport = Literal["stdio", "http", "sse"]

NOTIFICATIONS = "notifications/"
"""How the methods of messages begin that are not answered."""

_ANSWER_BYTES = 24_000


@dataclass(slots=True)
class Call:
    """A request, who makes it, and what the gates have found out about it so far.

    Attributes:
        id: Names the call in log, audit and error texts.
        target: What `method` is about: a tool's or prompt's name, a resource's URI; `None` for the rest.
        declaration: What the target was found to be; `None` until the access gate has run.
        grant: What policy gives this caller for the declaration, fences included.
        client: The way back to the client: progress, elicitation, sampling.
        era: The protocol revision in use, a date.
        trace_id: The trace that the call belongs to (W3C), for log, audit and spans.
        request_id: The client's own number for the request.
        ambient: The trace context of the HTTP request: its headers `traceparent` and `tracestate`.
        tracing: Makes spans below the call's own, where calls are traced.
        sampled: Whether this call's trace is recorded.
        input_responses: What the client answered to the questions of the round before, by their keys.
        request_state: What the function wanted to be told again in this round.
        confirmed: What a person has said yes to in earlier rounds: digests by the names of the questions.
        asked: What the round before has asked, the same way.
        nonce: Names the state of this round, which is good once; `None` where it is used up, or is not the
            client's to send.
        use_up: Uses a nonce up; False where it was.
        flow: Remembers what has been read, for what is written later.
        keep_note: Keeps what `note` is given; `None` for a call without an idempotency key.
        before_effect: What has to happen right before a side effect: it is put on record.
        answer_bytes: How large the answer may become.
        deadline: When the call must be over, on the clock of `time.monotonic`.
        refused_by: The gate that said no.
        intended: Whether the record already says that a side effect is about to happen.
    """

    principal: Principal
    connector: str
    transport: Transport
    version: str
    method: str
    target: str | None
    params: Mapping[str, Any]
    client: "ServerSession"
    era: str
    trace_id: str | None = None
    request_id: str | None = None
    ambient: Mapping[str, str] | None = None
    tracing: "Tracing | None" = None
    sampled: bool = False
    input_responses: Mapping[str, "InputResponse"] = field(default_factory=dict[str, "InputResponse"])
    request_state: str | None = None
    confirmed: dict[str, str] = field(default_factory=dict[str, str])
    asked: dict[str, str] = field(default_factory=dict[str, str])
    nonce: str | None = None
    use_up: Callable[[str], Awaitable[bool]] | None = None
    flow: "Flow | None" = None
    keep_note: Callable[[Any], Awaitable[None]] | None = None
    before_effect: Callable[[], Awaitable[None]] | None = None
    declaration: "Declaration | None" = None
    grant: Grant = EVERYTHING
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    started: float = field(default_factory=time.monotonic)
    answer_bytes: int = 200_000
    deadline: float = math.inf
    refused_by: str | None = None
    intended: bool = False

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The target's arguments as they came in, not yet validated."""
        arguments = self.params.get("arguments")
        return cast("Mapping[str, Any]", arguments) if isinstance(arguments, Mapping) else {}

    @property
    def in_session(self) -> bool:
        """Whether the client speaks a revision with sessions: the last one was 2025-11-25."""
        return self.era < "2026-07-28"

    def fence(self, kind: str) -> Fence:
        """Which objects of a kind (`table`, `channel`, `repo`) this caller may touch."""
        return self.grant.fence(f"{self.connector}.{kind}")

    @property
    def room(self) -> int:
        """How many bytes an answer for a model should have: about 6,000 tokens, or the operator's limit."""
        return min(_ANSWER_BYTES, self.answer_bytes)

    @property
    def remaining(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()

    async def saw(self, audience: "Audience", place: str = "") -> None:
        """Say that the answer holds untrusted text which this audience, and nobody else, can read.

        Args:
            audience: Who can.
            place: Where it is, if others of the same audience have other readers: a channel, for example.
        """
        if self.flow is not None:
            from ringmain_core.flow import Reading

            await self.flow.saw(self, Reading(audience, place))

    async def may_share(self, audience: "Audience", what: str, place: str = "") -> None:
        """Ask a person where something read before could now reach others; see `Flow.may_share`."""
        if self.flow is not None:
            from ringmain_core.flow import Reading

            await self.flow.may_share(self, Reading(audience, place), what)

    async def note(self, value: Any) -> None:
        """Keep a JSON value with this call's idempotency key, before the effect.

        Should the outcome be lost, the tool's `settle` is given it to find out.
        """
        if self.keep_note is not None:
            await self.keep_note(value)

    async def progress(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Tell the client how far the work has come; silent where it did not ask."""
        await self.client.report_progress(done, total, message)


current_call: ContextVar[Call | None] = ContextVar("current_call", default=None)
"""The call this task works for: handlers and the log find it here."""
