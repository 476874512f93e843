"""Clients of 2025-11-25 and before: they subscribe in a session, and are told beside their requests."""

import asyncio
import logging
from contextvars import Context as Surroundings
from dataclasses import dataclass, field
from typing import Any

import anyio
import mcp_types as types
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.shared.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)

from ringmain_core.call import current_call
from ringmain_core.gates.adapter import connection_of, exchange_of
from ringmain_core.live.admission import NOT_LIVE, Admission
from ringmain_core.live.bus import Bus, changed
from ringmain_core.live.hearing import Hearing, Subject, View
from ringmain_core.live.mailbox import Mailbox
from ringmain_core.principal import Principal
from ringmain_core.refusals import NoStream, NotLive

Context = ServerRequestContext[Any, Any]

_READ_WITHIN = 30.0
_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Session:
    """One client's session, from its `initialized` to its end.

    Attributes:
        sending: Whether a task empties the mailbox now.
    """

    principal: Principal
    client: ServerSession
    view: View
    subjects: dict[str, Subject] = field(default_factory=dict[str, Subject])
    mailbox: Mailbox = field(default_factory=Mailbox)
    sending: bool = False


class Sessions:
    """Knows the open sessions, and what each has subscribed to.

    Args:
        local: Who calls where there is no HTTP request.
    """

    def __init__(self, hearing: Hearing, admission: Admission, bus: Bus, local: Principal | None) -> None:
        self._hearing = hearing
        self._admission = admission
        self._bus = bus
        self._local = local
        self._tasks: set[asyncio.Task[None]] = set()
        self._sessions: dict[Connection, _Session] = {}

    @property
    def open_sessions(self) -> int:
        """How many sessions are open that can be told things."""
        return len(self._sessions)

    async def close(self) -> None:
        """Send nothing more, and wait until that is so."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def initialized(self, ctx: Context, _: types.NotificationParams | None) -> None:
        """A session begins; what it finds in the lists is remembered, to tell it of changes."""
        exchange = exchange_of(ctx.request)
        principal = self._local if exchange is None else exchange.principal
        if principal is not None and connection_of(ctx).has_standalone_channel:
            self._session(ctx, principal)

    async def subscribe(self, ctx: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        call = current_call.get()
        if call is None:
            raise RuntimeError("a request came past the gates")
        if not connection_of(ctx).has_standalone_channel:
            raise NoStream(
                "This server keeps no sessions (see RINGMAIN_SESSIONS), so it cannot tell you of changes. "
                "Read again when you need to know, or speak the protocol of 2026-07-28."
            )
        session = self._session(ctx, call.principal)
        if params.uri not in session.subjects:
            admitted = await self._admission.each(call, [params.uri], ctx.lifespan_context)
            if not admitted:
                raise NotLive(NOT_LIVE)
            if params.uri in session.subjects or connection_of(ctx) not in self._sessions:
                self._admission.release(call.principal, admitted)  # meanwhile subscribed twice, or ended
            else:
                session.subjects |= admitted
        return types.EmptyResult()

    async def unsubscribe(self, ctx: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        session = self._sessions.get(connection_of(ctx))
        subject = None if session is None else session.subjects.pop(params.uri, None)
        if session is not None and subject is not None:
            self._admission.release(session.principal, {params.uri: subject})
        return types.EmptyResult()

    def policy_changed(self) -> None:
        """Tell sessions which lists have changed for them; forget what they may no longer hear of."""
        for session in tuple(self._sessions.values()):
            for subject in tuple(session.subjects.values()):
                if not self._hearing.may_hear(session.principal, subject):
                    self._admission.release(
                        session.principal, {subject.uri: session.subjects.pop(subject.uri)}
                    )
            view = self._hearing.view(session.principal)
            for event in changed(session.view, view):
                self._put(session, event)
            session.view = view

    def _session(self, ctx: Context, principal: Principal) -> _Session:
        connection = connection_of(ctx)
        session = self._sessions.get(connection)
        if session is None:
            session = _Session(principal, ctx.session, self._hearing.view(principal))
            self._sessions[connection] = session
            stop = self._bus.subscribe(lambda event: self._hear(session, event))

            def end() -> None:
                stop()
                session.mailbox.close()
                self._sessions.pop(connection, None)
                self._admission.release(principal, session.subjects)

            connection.exit_stack.callback(end)
        return session

    def _hear(self, session: _Session, event: ServerEvent) -> None:
        if isinstance(event, ResourceUpdated) and event.uri not in session.subjects:
            return
        self._put(session, event)

    def _put(self, session: _Session, event: ServerEvent) -> None:
        session.mailbox.put(event)
        if not session.sending:
            session.sending = True
            task = asyncio.get_running_loop().create_task(self._send(session), context=Surroundings())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, session: _Session) -> None:
        try:
            while (event := session.mailbox.take()) is not None:
                if self._may_tell(session, event) and not await _sent(session.client, event):
                    _log.warning("a session is told no more: its client does not read")
                    session.mailbox.close()
        finally:
            session.sending = False

    def _may_tell(self, session: _Session, event: ServerEvent) -> bool:
        if not isinstance(event, ResourceUpdated):
            return True
        subject = session.subjects.get(event.uri)
        return subject is not None and self._hearing.may_hear(session.principal, subject)


async def _sent(client: ServerSession, event: ServerEvent) -> bool:
    """Send beside all requests; False where the client has not taken it in a long time."""
    with anyio.move_on_after(_READ_WITHIN):
        match event:
            case ResourceUpdated(uri):
                await client.send_resource_updated(uri)
            case ToolsListChanged():
                await client.send_tool_list_changed()
            case PromptsListChanged():
                await client.send_prompt_list_changed()
            case ResourcesListChanged():
                await client.send_resource_list_changed()
        return True
    return False
