"""Requests to Drive: each carries the token that is right for the call at hand."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

from ringmain_core.call import current_call
from ringmain_core.errors import UpstreamRefused
from ringmain_core.policy import Access
from ringmain_core.services import Services
from ringmain_core.upstream.retries import Retries
from ringmain_core.upstream.single_flight import SingleFlight
from ringmain_gdrive.client import Client, Reply, Upload
from ringmain_gdrive.credentials import Ticket, credentials_of
from ringmain_gdrive.failures import content_of, require_answer, trouble
from ringmain_gdrive.permissions import NEEDS, read_needs
from ringmain_gdrive.settings import GDriveSettings

T = TypeVar("T")


class Requests:
    """Reads, and writes that are sent once."""

    def __init__(self, settings: GDriveSettings, services: Services) -> None:
        self.settings = settings
        self.client = Client(settings)
        self._secrets = services.secrets
        self._guard = services.guards.guard(
            "gdrive", trouble, at_once=settings.at_once, retries=Retries(patience=settings.limit_patience)
        )
        self.credentials = credentials_of(settings, services, self.client, self._guard)
        self._flights = SingleFlight[Reply](lambda _: True)

    async def get(
        self, method: str, /, *, headers: Mapping[str, str] | None = None, **parameters: Any
    ) -> Mapping[str, Any]:
        """Read something; equal reads at once are one request.

        Args:
            method: As in Google's reference: `files.list`.
            headers: Beside the usual ones.
            parameters: Of the method; `None` is left out.

        Raises:
            NotFound, UpstreamRefused: Google says no; `detail["reason"]` is its word for it.
            AccountNeeded: Where the caller's account has to be connected, or allowed more.
            UpstreamUnavailable, DeadlineExceeded: It does not answer.
        """
        return (await self._read(method, parameters, headers)).data

    async def every(self, method: str, items: str, /, **parameters: Any) -> AsyncGenerator[Mapping[str, Any]]:
        """Read a list, which is called `items`, to its end, a page at a time. Raises what `get` raises."""
        token: str | None = None
        while True:
            page = await self.get(method, pageToken=token, **parameters)
            for one in page.get(items) or ():
                yield one
            token = page.get("nextPageToken")
            if not token:
                return

    async def content(
        self, method: str, kind: str, /, *, headers: Mapping[str, str] | None = None, **parameters: Any
    ) -> bytes:
        """Read bytes: `files.get_media`, `files.export`, `revisions.get_media`. Raises what `get` raises.

        Args:
            method: As for `get`.
            kind: The media type that should come.
            headers: Beside the usual ones.
            parameters: Of the method.
        """

        async def fetch(ticket: Ticket) -> bytes:
            def request() -> bytes:
                reply = self.client.request(ticket.value, method, parameters, headers=headers)
                return content_of(reply, kind)

            return await self._guard.call_in_thread(request, access="read", name=method)

        return await self._with_token(fetch, NEEDS["read_file"])

    async def linked(self, url: str, kind: str, most: int) -> bytes:
        """Read bytes from a link that Drive has given. Raises what `get` raises.

        Args:
            url: Of Google's, which gets the token.
            kind: The media type that should come.
            most: Bytes to ask for.
        """

        async def fetch(ticket: Ticket) -> bytes:
            def request() -> bytes:
                reply = self.client.follow(ticket.value, url, {"Range": f"bytes=0-{most - 1}"})
                return content_of(reply, kind)

            return await self._guard.call_in_thread(request, access="read", name="link")

        return await self._with_token(fetch, NEEDS["read_file"])

    async def send(
        self,
        method: str,
        /,
        *,
        body: Mapping[str, Any] | None = None,
        upload: Upload | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool = False,
        access: Access = "write",
        **parameters: Any,
    ) -> Mapping[str, Any]:
        """Change something: sent once, unless it is idempotent.

        Raises:
            OutcomeUnknown: Where no answer came, so that it may have happened.
            NotFound, UpstreamRefused, UpstreamUnavailable: As for `get`; nothing has happened.
        """

        async def write(ticket: Ticket) -> Reply:
            def request() -> Reply:
                reply = self.client.request(
                    ticket.value,
                    method,
                    parameters,
                    body=body,
                    upload=upload,
                    headers=headers,
                    once=access != "read" and not idempotent,
                )
                require_answer(reply)
                return reply

            return await self._guard.call_in_thread(
                request, access=access, name=method, idempotent=idempotent
            )

        return (await self._with_token(write, NEEDS["create_file"])).data

    async def reachable(self) -> None:
        """Raise unless Google answers, whatever it says."""

        def request() -> None:
            self.client.request("", "about.get", {"fields": "kind"})

        await self._guard.call_in_thread(request, access="read", name="about.get")

    async def _read(
        self, method: str, parameters: Mapping[str, Any], headers: Mapping[str, str] | None
    ) -> Reply:
        async def fetch(ticket: Ticket) -> Reply:
            def request() -> Reply:
                reply = self.client.request(ticket.value, method, parameters, headers=headers)
                require_answer(reply)
                return reply

            key = f"{hash(ticket.value)} {method} {sorted(parameters.items(), key=str)} {headers}"
            reply, _ = await self._flights.run(
                key, lambda: self._guard.call_in_thread(request, access="read", name=method)
            )
            return reply

        return await self._with_token(fetch, read_needs(method))

    async def _with_token(self, use: Callable[[Ticket], Awaitable[T]], wanted: frozenset[str]) -> T:
        """Do something with the token of the call; where it is refused, once more if there is a newer one."""
        call = current_call.get()
        ticket = await self.credentials.token(call, wanted)
        try:
            return await use(ticket)
        except UpstreamRefused as refused:
            if refused.detail.get("cause") != "auth":
                raise
            await self._secrets.refresh()
            self.credentials.refused(ticket)
            newer = await self.credentials.token(call, wanted)
            if newer.value == ticket.value:
                raise
            return await use(newer)
