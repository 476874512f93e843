"""One workspace, as the token of a call sees it, and conversations in it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringmain_core.call import Call
from ringmain_core.errors import UpstreamRefused
from ringmain_core.policy import Access
from ringmain_core.upstream.single_flight import SingleFlight
from ringmain_slack.client import Reply
from ringmain_slack.conversations import Conversation
from ringmain_slack.directory import Directory
from ringmain_slack.identity import Identity
from ringmain_slack.requests import Requests, holder_of


@dataclass(slots=True)
class Known:
    """What is known of a token: it is not kept here itself."""

    directory: Directory = field(default_factory=Directory)
    identity: Identity | None = None
    asked_at: float = float("-inf")


class Workspace:
    """One workspace, as the token of the call at hand sees it.

    Args:
        requests: Send what is asked.
        flights: Make equal questions at once one request.
        token: Sent as it is.
        known: What is known of it: who it is, and the names met with it.
        renew: Gives the token after it was looked up anew, where it is kept elsewhere.
    """

    def __init__(
        self,
        requests: Requests,
        flights: SingleFlight[Reply],
        token: str,
        known: Known,
        renew: Callable[[], Awaitable[str]],
    ) -> None:
        assert known.identity is not None  # noqa: S101 (`Slack.workspace` has asked)
        self.about: Identity = known.identity
        self.directory = known.directory
        self._requests = requests
        self._flights = flights
        self._token = token
        self._renew = renew

    @property
    def holder(self) -> str:
        """Names the token, without being it."""
        return holder_of(self._token)

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
            key = f"{holder_of(token)} {method} {sorted(given.items())}"
            reply, _ = await self._flights.run(key, lambda: self._requests.ask(token, method, given))
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
            return await self._requests.send(token, method, arguments, access=access, idempotent=idempotent)

        return (await self._with_token(send)).data

    async def upload(self, url: str, content: bytes) -> None:
        """Send a file's bytes to the address that Slack has given for them."""
        await self._requests.upload(url, content)

    async def download(self, url: str, most: int) -> tuple[bytes, str]:
        """A file's bytes and media type; one byte more than `most` where there are more."""
        return await self._requests.download(self._token, url, most)

    async def _with_token(self, use: Callable[[str], Awaitable[Reply]]) -> Reply:
        """Do something with the token; where it is refused, once more if there is a newer one."""
        try:
            return await use(self._token)
        except UpstreamRefused as refused:
            if refused.detail.get("cause") != "auth":
                raise
            newer = await self._renew()
            if newer == self._token:
                raise
            self._token = newer
            return await use(newer)


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation that the caller may use."""

    workspace: Workspace
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
