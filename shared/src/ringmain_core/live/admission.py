"""Lets callers listen: what they may not hear of is answered like what is not there."""

import time
from collections.abc import Iterable, Mapping, Sequence

import anyio
from mcp.shared.exceptions import MCPError

from ringmain_core.arguments import Upstream
from ringmain_core.audit import AuditRecord
from ringmain_core.call import Call
from ringmain_core.errors import DeadlineExceeded, NotFound, OutsideFence, ToolFailure
from ringmain_core.gates.audit import Trail
from ringmain_core.live.hearing import Hearing, Subject
from ringmain_core.live.watchers import Watchers
from ringmain_core.principal import Principal
from ringmain_core.refusals import UnknownResource
from ringmain_core.room import Room

NOT_LIVE = "This resource does not tell when it changes. Read it again when you need to know."
_URIS_EACH, _URIS = 200, 2_000
_FAILED = -32000
_KEPT_URI = 256


class Admission:
    """Checks what a caller wants to listen to, counts it, and has it watched.

    Args:
        trail: Told when a stream opens; the audit gate tells when it ends.
        timeout: Seconds for finding out whether what is asked for is there.
    """

    def __init__(self, hearing: Hearing, watchers: Watchers, trail: Trail, timeout: float) -> None:
        self._hearing = hearing
        self._watchers = watchers
        self._trail = trail
        self._timeout = timeout
        self._room = Room("watched resources", each=_URIS_EACH, total=_URIS)

    async def each(self, call: Call, uris: Iterable[str], upstream: Upstream) -> dict[str, Subject]:
        """Have those of the URIs watched that tell of changes; every one returned wants its `release`.

        Raises:
            UnknownResource: Where one is not there, or not for this caller.
            RateLimited: Where the caller, or all together, listen to too much.
        """
        found = {uri: self._hearing.subject(uri, call.version) for uri in uris}
        subjects = {uri: subject for uri, subject in found.items() if subject is not None}
        owner = call.principal.owner
        self._room.take(owner, len(subjects))
        try:
            for subject in subjects.values():
                await self._check(call, subject, upstream)
        except BaseException:
            self._room.give(owner, len(subjects))
            raise
        for subject in subjects.values():
            self._watchers.add(subject)
        try:
            await self._watchers.begun(subjects)
        except BaseException:
            self.release(call.principal, subjects)
            raise
        return subjects

    def release(self, principal: Principal, subjects: Mapping[str, Subject]) -> None:
        """Watch no more on behalf of this caller."""
        self._room.give(principal.owner, len(subjects))
        for uri in subjects:
            self._watchers.drop(uri)

    def put_on_record(self, call: Call, uris: Sequence[str], lists: Sequence[str]) -> None:
        """Write that a stream opens, and what is listened to.

        Raises:
            NotOnRecord: Where that cannot be written.
        """
        call.target = uris[0] if len(uris) == 1 else None
        record = AuditRecord(
            id=call.id,
            phase="intent",
            principal=call.principal.id,
            auth=call.principal.auth,
            connector=call.connector,
            transport=call.transport,
            version=call.version,
            method=call.method,
            target=call.target,
            trace_id=call.trace_id,
            detail={"uris": [uri[:_KEPT_URI] for uri in uris], "lists": list(lists)},
        )
        self._trail.write(record)
        call.intended = True

    async def _check(self, call: Call, subject: Subject, upstream: Upstream) -> None:
        call.target, call.declaration = subject.uri, subject.resource
        call.grant = self._hearing.grant(call.principal, subject)
        if not self._hearing.may_hear(call.principal, subject):
            call.refused_by = "access"
            raise _unknown()
        call.deadline = time.monotonic() + self._timeout
        try:
            with anyio.fail_after(self._timeout):
                await subject.watch.check(upstream, call, subject.variables)
        except (NotFound, OutsideFence) as error:
            raise _unknown() from error
        except TimeoutError as error:
            words = "It took too long to find out whether this is there. Try again."
            raise _protocol_error(DeadlineExceeded(words), call) from error
        except ToolFailure as error:
            raise _protocol_error(error, call) from error


def _unknown() -> UnknownResource:
    return UnknownResource("There is no such resource here. `resources/templates/list` shows what there is.")


def _protocol_error(error: ToolFailure, call: Call) -> MCPError:
    return MCPError(_FAILED, error.message, error.fields() | {"call_id": call.id})
