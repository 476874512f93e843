"""`subscriptions/listen` of the 2026-07-28 protocol: a request whose answer is a stream of what changes."""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.subscriptions import (
    SUBSCRIPTION_ID_META_KEY,
    ResourceUpdated,
    ServerEvent,
    event_matches,
    event_to_notification,
)

from ringmain_core.call import current_call
from ringmain_core.gates.adapter import KNOWN_FOR, always, exchange_of
from ringmain_core.live.admission import NOT_LIVE, Admission
from ringmain_core.live.bus import LISTS, Bus, changed
from ringmain_core.live.hearing import Hearing, Subject, View
from ringmain_core.live.mailbox import Mailbox
from ringmain_core.principal import Principal
from ringmain_core.refusals import Draining, NoStream, NotLive
from ringmain_core.room import Room

Context = ServerRequestContext[Any, Any]

_STREAMS_EACH, _STREAMS = 20, 500
_LONGEST = 3_600.0  # seconds over HTTP: clients that have gone unnoticed are not told things for ever
_READ_WITHIN = 30.0
_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Stream:
    """One open stream: who listens, and to what.

    Attributes:
        still_known: Whether the credential that it was opened with is still good.
    """

    principal: Principal
    still_known: Callable[[], Awaitable[bool]]
    honored: types.SubscriptionFilter
    subjects: dict[str, Subject]
    view: View
    mailbox: Mailbox = field(default_factory=Mailbox)

    def hear(self, event: ServerEvent) -> None:
        if isinstance(event, ResourceUpdated):
            wanted = event.uri in self.subjects
        else:
            wanted = event_matches(self.honored, frozenset(), event)
        if wanted:
            self.mailbox.put(event)


class Listen:
    """Serves listen streams, one call each.

    A caller that may no longer hear of anything it asked for has its stream ended; one that has lost only a
    part hears no more of that part.

    Args:
        admission: Decides at the beginning, and has watched what is admitted.
        streaming: Whether answers over HTTP may be streams.
    """

    def __init__(self, hearing: Hearing, admission: Admission, bus: Bus, *, streaming: bool) -> None:
        self._hearing = hearing
        self._admission = admission
        self._bus = bus
        self._streaming = streaming
        self._room = Room("listen streams", each=_STREAMS_EACH, total=_STREAMS)
        self._streams: set[_Stream] = set()
        self._closing = False

    @property
    def open_streams(self) -> int:
        """How many streams are open."""
        return self._room.held

    async def __call__(
        self, ctx: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        call = current_call.get()
        if call is None or ctx.request_id is None:
            raise RuntimeError("a request came past the gates")
        if self._closing:
            raise Draining("This server is about to stop. Listen again on another connection.")
        if call.transport == "http" and not self._streaming:
            raise NoStream(
                "This server answers every request with one JSON body (RINGMAIN_RESPONSES=json), so it "
                "cannot keep a stream open. Read again when you need to know."
            )
        owner = call.principal.owner
        self._room.take(owner)
        try:
            subjects = await self._admission.each(
                call, params.notifications.resource_subscriptions or (), ctx.lifespan_context
            )
            try:
                honored = _honored(params.notifications, subjects)
                self._admission.put_on_record(call, [*subjects], _lists(honored))
                exchange = exchange_of(ctx.request)
                still_known = always if exchange is None else exchange.still_known
                view = self._hearing.view(call.principal)
                stream = _Stream(call.principal, still_known, honored, subjects, view)
                await self._serve(stream, ctx, {SUBSCRIPTION_ID_META_KEY: ctx.request_id})
            finally:
                self._admission.release(call.principal, subjects)
        finally:
            self._room.give(owner)
        return types.SubscriptionsListenResult(_meta={SUBSCRIPTION_ID_META_KEY: ctx.request_id})

    def policy_changed(self) -> None:
        """Tell whoever now finds something else in a list; end the streams of those who may hear nothing."""
        for stream in tuple(self._streams):
            gone = [s for s in stream.subjects.values() if not self._hearing.may_hear(stream.principal, s)]
            for subject in gone:
                self._admission.release(stream.principal, {subject.uri: stream.subjects.pop(subject.uri)})
            view = self._hearing.view(stream.principal)
            for event in changed(stream.view, view):
                stream.hear(event)
            stream.view = view
            if not stream.subjects and not (_lists(stream.honored) and any(view.values())):
                stream.mailbox.close()

    def close(self) -> None:
        """End every stream, with what waits to be told and then its result; open no more."""
        self._closing = True
        for stream in self._streams:
            stream.mailbox.close()

    async def _serve(self, stream: _Stream, ctx: Context, meta: dict[str, Any]) -> None:
        self._streams.add(stream)
        stop = self._bus.subscribe(stream.hear)
        if self._closing:
            stream.mailbox.close()
        longest = _LONGEST if ctx.request is not None else math.inf
        try:
            with anyio.move_on_after(longest):
                await self._tell(stream, ctx, meta)
        finally:
            stop()
            self._streams.discard(stream)

    async def _tell(self, stream: _Stream, ctx: Context, meta: dict[str, Any]) -> None:
        """Say what is listened to, and then what happens, until the end or until the client stops reading."""
        opening = types.SubscriptionsAcknowledgedNotificationParams(notifications=stream.honored, _meta=meta)
        reading = await _sent(ctx, types.SubscriptionsAcknowledgedNotification(params=opening))
        while reading and (event := await _next(stream)) is not None:
            if self._may_tell(stream, event):
                reading = await _sent(ctx, event_to_notification(event, meta))

    def _may_tell(self, stream: _Stream, event: ServerEvent) -> bool:
        if not isinstance(event, ResourceUpdated):
            return True
        subject = stream.subjects.get(event.uri)
        return subject is not None and self._hearing.may_hear(stream.principal, subject)


async def _next(stream: _Stream) -> ServerEvent | None:
    """Wait for what is to be told; `None` at the end, which is also that of the caller's credential."""
    while await stream.still_known():
        if (event := stream.mailbox.take()) is not None or stream.mailbox.is_closed:
            return event
        with anyio.move_on_after(KNOWN_FOR):
            await stream.mailbox.wait()
    return None


async def _sent(ctx: Context, notification: types.ServerNotification) -> bool:
    """Send; False where the client has not taken it in a long time."""
    with anyio.move_on_after(_READ_WITHIN):
        await ctx.session.send_notification(notification, related_request_id=ctx.request_id)
        return True
    _log.warning("a listen stream is ended: its client does not read")
    return False


def _honored(wanted: types.SubscriptionFilter, subjects: Mapping[str, Subject]) -> types.SubscriptionFilter:
    """What of the wish can be met: a stream says so at its beginning."""
    honored = types.SubscriptionFilter(
        tools_list_changed=wanted.tools_list_changed or None,
        prompts_list_changed=wanted.prompts_list_changed or None,
        resources_list_changed=wanted.resources_list_changed or None,
        resource_subscriptions=list(subjects) or None,
    )
    if not subjects and not _lists(honored):
        raise NotLive(NOT_LIVE)
    return honored


def _lists(honored: types.SubscriptionFilter) -> list[str]:
    return [kind for kind in LISTS if getattr(honored, f"{kind}_list_changed")]
