"""Slack as the tools see it: fenced conversations, reads, and writes that are sent once."""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from ringmain_core.arguments import Upstream
from ringmain_core.call import Call, current_call
from ringmain_core.errors import NotFound, OutsideFence, UpstreamRefused, UpstreamUnavailable
from ringmain_core.policy import Access, Fence, Grant
from ringmain_core.services import Services
from ringmain_core.upstream.retries import Retries
from ringmain_core.upstream.single_flight import SingleFlight
from ringmain_core.upstream.trouble import in_our_words
from ringmain_slack.client import Client, Reply
from ringmain_slack.conversations import Conversation, LastSeen
from ringmain_slack.credentials import credentials_of
from ringmain_slack.directory import Directory
from ringmain_slack.ears import Ears
from ringmain_slack.failures import Limited, require_success, trouble
from ringmain_slack.fences import admits, describe
from ringmain_slack.identity import Identity, identity_of
from ringmain_slack.index import Index
from ringmain_slack.indexing import Indexing
from ringmain_slack.joined import Joined
from ringmain_slack.kept import Kept
from ringmain_slack.limits import Limits
from ringmain_slack.references import Reference, is_person_id, parse_reference, parse_ts
from ringmain_slack.settings import SlackSettings

_IDENTITY_HOLDS = 600.0  # seconds
_MOST_HOLDERS = 1_000
_MOST_SEEN = 10_000  # more than can be listened to
_TURNS = 3  # times that a request is brought forward where a limit is in the way


@dataclass(slots=True)
class _Known:
    """What is known of a token: it is not kept here itself."""

    directory: Directory = field(default_factory=Directory)
    identity: Identity | None = None
    asked_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation that the caller may use."""

    workspace: "Workspace"
    conversation: Conversation
    title: str

    @property
    def id(self) -> str:
        return self.conversation.id

    @property
    def source(self) -> str:
        """Names it where its text is fenced, and where it has to be told apart from any other."""
        return f"Slack {self.workspace.about.domain} {self.title}"

    async def saw(self, call: Call) -> None:
        """Say that the answer holds text from here."""
        await call.saw(self.conversation.seen_by, self.source)

    async def may_share(self, call: Call, what: str) -> None:
        """Ask a person before something is written here, where what was read before has fewer readers."""
        await call.may_share(self.conversation.reaches, what, self.source)


class Workspace:
    """One workspace, as the token of the call at hand sees it."""

    def __init__(
        self, slack: "Slack", call: Call | None, name: str | None, token: str, known: _Known
    ) -> None:
        assert known.identity is not None  # noqa: S101 (`Slack.workspace` has asked)
        self.about = known.identity
        self.directory = known.directory
        self._slack = slack
        self._call = call
        self._name = name
        self._token = token

    @property
    def holder(self) -> str:
        """Names the token, without being it."""
        return _holder(self._token)

    async def get(self, method: str, /, **arguments: Any) -> Mapping[str, Any]:
        """Ask Slack something; equal questions at once are one request.

        Args:
            method: Of the Web API.
            arguments: `None` is left out.

        Raises:
            NotFound, UpstreamRefused: Slack says no.
            UpstreamUnavailable, DeadlineExceeded: It does not answer, or a limit is in the way for too long.
        """
        given = {name: value for name, value in arguments.items() if value is not None}

        async def ask(token: str) -> Reply:
            key = f"{_holder(token)} {method} {json.dumps(given, sort_keys=True)}"
            reply, _ = await self._slack.flights.run(key, lambda: self._slack.ask(token, method, given))
            return reply

        return (await self._with_token(ask)).data

    async def post(
        self, method: str, /, *, idempotent: bool = False, access: Access = "write", **arguments: Any
    ) -> Mapping[str, Any]:
        """Change something: sent once, unless it is idempotent.

        Raises:
            OutcomeUnknown: Where no answer came, so that it may have happened.
            NotFound, UpstreamRefused, UpstreamUnavailable: As for `get`; nothing has happened.
        """

        async def send(token: str) -> Reply:
            return await self._slack.send(token, method, arguments, access=access, idempotent=idempotent)

        return (await self._with_token(send)).data

    async def upload(self, url: str, content: bytes) -> None:
        """Send a file's bytes to the address that Slack has given for them."""
        await self._slack.upload(url, content)

    async def download(self, url: str, most: int) -> tuple[bytes, str]:
        """A file's bytes and media type; one byte more than `most` where there are more."""
        return await self._slack.download(self._token, url, most)

    async def _with_token(self, use: Callable[[str], Awaitable[Reply]]) -> Reply:
        """Do something with the token; where it is refused, once more if there is a newer one."""
        try:
            return await use(self._token)
        except UpstreamRefused as refused:
            if refused.detail.get("cause") != "auth":
                raise
            newer = await self._slack.newer_token(self._call, self._name)
            if newer == self._token:
                raise
            self._token = newer
            return await use(newer)


class Slack(Upstream):
    """All workspaces for the process; each request carries the token that is right for the call at hand."""

    def __init__(self, settings: SlackSettings, services: Services) -> None:
        self.settings = settings
        self.cursors = services.cursors
        self.credentials = credentials_of(settings, services)
        self.client = Client(settings)
        self.flights = SingleFlight[Reply](lambda _: True)
        self.ears = Ears(self.client, settings.app_token)
        self.indexing = Indexing(Index(settings.index, settings.index_messages), self.ears)
        self.joined = Joined()
        self.last_seen = Kept[LastSeen](_MOST_SEEN, time.monotonic)
        self._secrets = services.secrets
        self._guard = services.guards.guard(
            "slack", trouble, at_once=settings.at_once, retries=Retries(patience=0.0)
        )
        self._limits = Limits(settings.rates)
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def workspace(self, call: Call | None, name: str | None = None) -> Workspace:
        """A workspace by its name (its domain); without a name the only one there is.

        Args:
            call: For whom; `None` for what the process does by itself.
            name: Of the workspace.

        Raises:
            NotFound: Where there is none of that name, or several and no name.
            AccountNeeded: Where the caller has to connect an account first.
        """
        token = await self.credentials.token(call, name)
        known = self._about(token)
        if known.identity is None or time.monotonic() - known.asked_at > _IDENTITY_HOLDS:
            try:
                reply = await self.ask(token, "auth.test", {})
            except UpstreamRefused as refused:
                newer = await self.newer_token(call, name)
                if refused.detail.get("cause") != "auth" or newer == token:
                    raise
                token, known = newer, self._about(newer)
                reply = await self.ask(token, "auth.test", {})
            known.identity, known.asked_at = identity_of(reply), time.monotonic()
        domain = known.identity.domain
        if name is not None and name not in (domain, known.identity.team, *self.credentials.names):
            raise NotFound(f"There is no workspace `{name[:64]}` here; there is `{domain}`.")
        return Workspace(self, call, name, token, known)

    async def place(self, call: Call, text: str, workspace: str | None = None) -> Place:
        """A conversation by name, id or link, if the caller may use it.

        Args:
            call: For whom, and within which fence.
            text: `#general`, `@ada`, `C0123ABCD`, a link, or one of these after `workspace/`.
            workspace: Where it is, if the text does not say so.

        Raises:
            InvalidArguments: Where the text names none.
            NotFound, OutsideFence: Where it is not there, or not for the caller: the two look alike.
        """
        return await self.place_of(call, parse_reference(text), workspace)

    async def place_of(self, call: Call, reference: Reference, workspace: str | None = None) -> Place:
        """As `place`, for a reference that was read before."""
        at = await self.workspace(call, reference.workspace or workspace)
        fence = call.fence("channel")
        shown = reference.id or (f"#{reference.name}" if reference.name else f"@{reference.person}")
        try:
            found = await self._found(at, reference)
        except NotFound:
            found = None
        if found is not None:
            title = await self.title(at, found)
            if self.admits(fence, at.about.domain, found, title):
                return Place(at, found, title)
        hint = ""
        if reference.name:
            close = at.directory.like(
                reference.name, lambda one: one.kind != "dm" and self.admits(fence, at.about.domain, one, "")
            )
            hint = f" Did you mean {', '.join(f'#{name}' for name in close)}?" if close else ""
        raise OutsideFence(
            f"The conversation `{shown[:80]}` is not there, or not among those that you may use for this "
            f"({describe(fence, self.settings.conversations)}).{hint}"
        )

    async def message(
        self, call: Call, channel: str | None, ts: str, workspace: str | None = None
    ) -> tuple[Place, str, str | None]:
        """A message's place, its `ts`, and that of its thread where a link says it.

        Args:
            call: For whom.
            channel: Where it is; may be left out where `ts` is a link.
            ts: Of the message, or a link to it.
            workspace: Where the channel is.

        Raises:
            InvalidArguments, NotFound, OutsideFence: As for `place`.
        """
        if "://" in ts:
            reference = parse_reference(ts)
            return await self.place_of(call, reference, workspace), parse_ts(ts), reference.thread_ts
        place = await self.place(call, channel or "", workspace)
        return place, parse_ts(ts), None

    def admits(self, fence: Fence, domain: str, conversation: Conversation, title: str) -> bool:
        """Whether a fence lets its holder use a conversation; `title` is as `title()` says."""
        return admits(fence, self.settings.conversations, domain, conversation, title.removeprefix("@"))

    def permits(self, grant: Grant, domain: str, conversation: Conversation, title: str) -> bool:
        """The same, for a grant."""
        return self.admits(grant.fence("slack.channel"), domain, conversation, title)

    async def title(self, at: Workspace, conversation: Conversation) -> str:
        """What people call a conversation: `#general`, or `@ada` for direct messages."""
        if conversation.kind == "dm":
            return f"@{(await at.directory.person(at, conversation.person)).handle}"
        return f"#{conversation.name}"

    async def reachable(self) -> None:
        """Raise unless Slack answers, whatever it says."""

        async def operation() -> None:
            await self.client.post(None, "api.test", {})

        await self._guard.call(operation, access="read", name="api.test")

    async def newer_token(self, call: Call | None, name: str | None) -> str:
        """The token after it was looked up anew, where it is kept elsewhere."""
        await self._secrets.refresh()
        return await self.credentials.token(call, name)

    async def ask(self, token: str, method: str, arguments: Mapping[str, Any]) -> Reply:
        """One question, within the limits; see `Workspace.get`."""

        async def operation() -> Reply:
            return self._judged(token, method, await self.client.get(token, method, arguments))

        return await self._in_turn(token, method, operation, access="read", idempotent=True)

    async def send(
        self, token: str, method: str, arguments: Mapping[str, Any], *, access: Access, idempotent: bool
    ) -> Reply:
        """One change, within the limits; see `Workspace.post`."""

        async def operation() -> Reply:
            return self._judged(token, method, await self.client.post(token, method, arguments))

        return await self._in_turn(token, method, operation, access=access, idempotent=idempotent)

    async def upload(self, url: str, content: bytes) -> None:
        """See `Workspace.upload`; what was uploaded and is not completed is nothing to anybody."""

        async def operation() -> None:
            status = await self.client.upload(url, content)
            if status >= 300:
                raise UpstreamRefused(f"Slack does not take the file (status {status}).")

        await self._guard.call(operation, access="write", name="upload", idempotent=True)

    async def download(self, token: str, url: str, most: int) -> tuple[bytes, str]:
        """See `Workspace.download`."""
        return await self._guard.call(
            lambda: self.client.download(token, url, most), access="read", name="download"
        )

    def _judged(self, token: str, method: str, reply: Reply) -> Reply:
        try:
            require_success(method, reply)
        except Limited as limited:
            self._limits.close(_holder(token), method, limited.retry_after)
            raise
        return reply

    async def _in_turn(
        self,
        token: str,
        method: str,
        operation: Callable[[], Awaitable[Reply]],
        *,
        access: Access,
        idempotent: bool,
    ) -> Reply:
        """Send a request when its turn has come; after a 429, which has done nothing, again.

        Raises:
            UpstreamUnavailable: Where a limit is in the way for longer than the call waits.
        """
        turn = 0
        while True:
            turn += 1
            await self._await_turn(_holder(token), method)
            try:
                return await self._guard.call(operation, access=access, name=method, idempotent=idempotent)
            except UpstreamUnavailable as error:
                if error.detail.get("method") != method or turn >= _TURNS:
                    raise

    async def _await_turn(self, holder: str, method: str) -> None:
        call = current_call.get()
        patience = self.settings.limit_patience
        while (pause := self._limits.take(holder, method)) > 0:
            if pause > patience or (call is not None and pause >= call.remaining):
                limited = trouble(Limited(method, pause, told=False))
                assert limited is not None  # noqa: S101 (it knows its own)
                raise in_our_words("slack", limited, access="read", idempotent=True)
            patience -= pause
            await anyio.sleep(pause)

    async def _found(self, at: Workspace, reference: Reference) -> Conversation:
        if reference.id is not None:
            return await at.directory.conversation(at, reference.id)
        if reference.name is not None:
            return await at.directory.named(at, reference.name)
        assert reference.person is not None  # noqa: S101 (a reference has one of the three)
        person = reference.person
        if not is_person_id(person):
            person = (await at.directory.called(at, person)).id
        found = await at.directory.direct(at, person)
        if found is None:
            raise NotFound("There are no direct messages with them yet.")
        return found

    def _about(self, token: str) -> _Known:
        holder = _holder(token)
        known = self._known.setdefault(holder, _Known())
        self._known.move_to_end(holder)
        if len(self._known) > _MOST_HOLDERS:
            self._known.popitem(last=False)
        return known


@asynccontextmanager
async def connect(settings: SlackSettings, services: Services) -> AsyncGenerator[Slack]:
    """The client for a process. It connects when first used.

    Raises:
        ConfigurationError: Where no credentials are set, or they contradict each other.
    """
    slack = Slack(settings, services)
    try:
        yield slack
    finally:
        await slack.ears.close()
        await slack.indexing.index.close()
        await slack.client.close()


def _holder(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
