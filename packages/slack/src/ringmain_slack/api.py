"""Slack as the tools see it: fenced conversations, reads, and writes that are sent once."""

import time
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ringmain_core.arguments import Upstream
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound, OutsideFence, UpstreamRefused
from ringmain_core.policy import Fence, Grant
from ringmain_core.services import Services
from ringmain_core.upstream.single_flight import SingleFlight
from ringmain_slack.client import Client, Reply
from ringmain_slack.conversations import Conversation, LastSeen
from ringmain_slack.credentials import credentials_of
from ringmain_slack.ears import Ears
from ringmain_slack.fences import admits, describe
from ringmain_slack.identity import identity_of
from ringmain_slack.index import Index
from ringmain_slack.indexing import Indexing
from ringmain_slack.joined import Joined
from ringmain_slack.kept import Kept
from ringmain_slack.references import Reference, is_person_id, parse_reference, parse_ts
from ringmain_slack.requests import Requests, holder_of
from ringmain_slack.settings import SlackSettings
from ringmain_slack.workspace import Known, Place, Workspace

_IDENTITY_HOLDS = 600.0  # seconds
_MOST_HOLDERS = 1_000
_MOST_SEEN = 10_000  # more than can be listened to


class Slack(Upstream):
    """All workspaces for the process; each request carries the token that is right for the call at hand."""

    def __init__(self, settings: SlackSettings, services: Services) -> None:
        self.settings = settings
        self.cursors = services.cursors
        self.credentials = credentials_of(settings, services)
        self.client = Client(settings)
        self.requests = Requests(settings, services, self.client)
        self._flights = SingleFlight[Reply](lambda _: True)
        self.ears = Ears(self.client, settings.app_token, alone=not services.state.shared)
        self.indexing = Indexing(Index(settings.index, settings.index_messages), self.ears)
        self.joined = Joined()
        self.last_seen = Kept[LastSeen](_MOST_SEEN, time.monotonic)
        self._secrets = services.secrets
        self._known: OrderedDict[str, Known] = OrderedDict()

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
                reply = await self.requests.ask(token, "auth.test", {})
            except UpstreamRefused as refused:
                newer = await self._newer_token(call, name)
                if refused.detail.get("cause") != "auth" or newer == token:
                    raise
                token, known = newer, self._about(newer)
                reply = await self.requests.ask(token, "auth.test", {})
            known.identity, known.asked_at = identity_of(reply), time.monotonic()
        domain = known.identity.domain
        if name is not None and name not in (domain, known.identity.team, *self.credentials.names(call)):
            raise NotFound(f"There is no workspace `{name[:64]}` here; there is `{domain}`.")

        async def renew() -> str:
            return await self._newer_token(call, name)

        return Workspace(self.requests, self._flights, token, known, renew)

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
        if "://" not in ts:
            return await self.place(call, channel or "", workspace), parse_ts(ts), None
        reference = parse_reference(ts)
        place = await self.place_of(call, reference, workspace)
        if channel and (given := await self.place(call, channel, workspace)).id != place.id:
            raise InvalidArguments(f"That message is not in {given.title}: it is in {place.title}.")
        return place, parse_ts(ts), reference.thread_ts

    def admits(self, fence: Fence, domain: str, conversation: Conversation, title: str) -> bool:
        """Whether a fence lets its holder use a conversation; `title` is as `title()` says."""
        return admits(fence, self.settings.conversations, domain, conversation, title.removeprefix("@"))

    def permits(self, grant: Grant, domain: str, conversation: Conversation, title: str) -> bool:
        """The same, for a grant."""
        return self.admits(grant.fence("slack.channel"), domain, conversation, title)

    async def title(self, at: Workspace, conversation: Conversation) -> str:
        """What people call a conversation: `#general`, or `@ada` for direct messages.

        Of somebody whom Slack does not give it is their id.
        """
        if conversation.kind != "dm":
            return f"#{conversation.name}"
        try:
            return f"@{(await at.directory.person(at, conversation.person)).handle}"
        except (NotFound, UpstreamRefused) as error:
            if error.detail.get("cause") == "auth":
                raise
            return f"@{conversation.person}"

    async def _newer_token(self, call: Call | None, name: str | None) -> str:
        """The token after it was looked up anew, where it is kept elsewhere."""
        await self._secrets.refresh()
        return await self.credentials.token(call, name)

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

    def _about(self, token: str) -> Known:
        holder = holder_of(token)
        known = self._known.get(holder)
        if known is None:
            known = self._known[holder] = Known()
            if len(self._known) > _MOST_HOLDERS:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(holder)
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
