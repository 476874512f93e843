"""GitHub as the tools see it: reads that cost nothing twice, writes sent once, fenced repositories."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio

from ringmain_core.arguments import Upstream
from ringmain_core.call import Call, current_call
from ringmain_core.errors import NotFound, ToolFailure, UpstreamRefused
from ringmain_core.policy import Access
from ringmain_core.services import Services
from ringmain_core.upstream.retries import Retries
from ringmain_core.upstream.single_flight import SingleFlight
from ringmain_github.client import JSON, MATCHES, Client, Reply
from ringmain_github.credentials import credentials_of
from ringmain_github.etags import ETags, key_of, renewed
from ringmain_github.failures import require_done, require_json, require_success, trouble
from ringmain_github.graphql import data_of
from ringmain_github.permissions import NEEDS, Permissions
from ringmain_github.references import owner_in, parse_repo, path, repository_in, require_here
from ringmain_github.repository import KnownRepositories, Repository, outside, repository_of
from ringmain_github.settings import GitHubSettings

T = TypeVar("T")
_MULTIPLE_CHOICES, _NOT_MODIFIED = 300, 304
_MOVED = frozenset({307, 308})
_BODILESS = _MOVED | {204, _NOT_MODIFIED}
_MOST_MOVES = 3
_HIDDEN = frozenset({403, 451})  # statuses that tell of a repository that it is there
_NOTHING: Permissions = {}
_PARSED = frozenset({JSON, MATCHES})
_SOMEWHERE_ELSE = "GitHub is somewhere else now: the operator should check its URL."


class GitHub(Upstream):
    """One GitHub for the process; each request carries the token that is right for the call at hand."""

    def __init__(self, settings: GitHubSettings, services: Services) -> None:
        self.settings = settings
        self.cursors = services.cursors
        self.client = Client(settings)
        self._secrets = services.secrets
        self._guard = services.guards.guard(
            "github", trouble, at_once=settings.at_once, retries=Retries(patience=settings.limit_patience)
        )
        self.credentials = credentials_of(settings, services, self.client, self._guard)
        self._etags = ETags()
        self._flights = SingleFlight[Reply](lambda _: True)
        self._side_by_side = anyio.CapacityLimiter(settings.at_once)
        self._repositories = KnownRepositories()

    async def repo(self, call: Call, text: str) -> Repository:
        """A repository by name or link, if it is inside the caller's fence.

        Raises:
            InvalidArguments: Where the text names none, or an argument of the call links to another one.
            NotFound: Where the token may not see it.
            OutsideFence: The same, or where policy keeps the caller away: the two look alike.
        """
        owner, name = parse_repo(text)
        fence = call.fence("repo")
        try:
            repository = await self.named(call, owner, name)
        except NotFound:
            if fence.patterns is None:
                raise NotFound(
                    f"There is no repository `{owner}/{name}`, or this token may not see it."
                ) from None
            raise outside(fence, owner, name) from None
        except UpstreamRefused as refused:
            if refused.detail.get("status") not in _HIDDEN or fence.admits(f"{owner}/{name}"):
                raise
            raise outside(fence, owner, name) from None
        if not fence.admits(repository.full_name):
            raise outside(fence, owner, name)
        require_here(call.arguments, f"{owner}/{name}", repository.full_name)
        return repository

    async def for_each(self, things: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
        """Do something for each, so many side by side as GitHub is asked: more would crowd each other out.

        Raises:
            ToolFailure: Of the first that failed; those that had not begun are left.
        """
        failures: list[ToolFailure] = []

        async def one(thing: T) -> None:
            async with self._side_by_side:
                if failures:
                    return
                try:
                    await work(thing)
                except ToolFailure as failure:
                    failures.append(failure)

        async with anyio.create_task_group() as group:
            for thing in things:
                group.start_soon(one, thing)
        if failures:
            raise failures[0]

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        accept: str = JSON,
        owner: str | None = None,
    ) -> Reply:
        """Read something; equal reads at once are one request, and what has not changed costs nothing.

        Args:
            url: A path of the API, made by `path`.
            params: Of the query; `None` values are left out.
            accept: The media type.
            owner: Whose installation of an app to use, where the path does not say.

        Raises:
            NotFound, UpstreamRefused: GitHub says no.
            UpstreamUnavailable, DeadlineExceeded: It does not answer, or wants us to wait longer than we do.
        """
        given = {name: value for name, value in (params or {}).items() if value is not None}
        owner = owner or owner_in(url)
        for _ in range(_MOST_MOVES):

            async def fetch(token: str, url: str = url) -> Reply:
                key = key_of(token, url, given, accept)
                reply, _ = await self._flights.run(key, lambda: self._fetch(key, token, url, given, accept))
                return reply

            reply = await self._with_token(fetch, owner)
            if reply.status not in _MOVED:
                return reply
            url = await self._moved_to(url, reply)
            owner = owner_in(url) or owner
        raise UpstreamRefused(_SOMEWHERE_ELSE)

    async def send(
        self,
        verb: str,
        url: str,
        body: Any = None,
        *,
        access: Access = "write",
        idempotent: bool = False,
        owner: str | None = None,
    ) -> Reply:
        """Change something: sent once, unless it is idempotent.

        Raises:
            OutcomeUnknown: Where no answer came, so that it may have happened.
            NotFound, UpstreamRefused, UpstreamUnavailable: As for `get`; nothing has happened.
        """

        async def write(token: str) -> Reply:
            def request() -> Reply:
                reply = self.client.request(token, verb, url, body=body)
                require_done(reply)
                return reply

            return await self._guard.call_in_thread(request, access=access, name=verb, idempotent=idempotent)

        try:
            return await self._with_token(write, owner or owner_in(url))
        except UpstreamRefused as refused:
            if refused.detail.get("status") in _MOVED:
                self._repositories.forget(repository_in(url))
            raise

    async def query(self, document: str, owner: str | None = None, /, **variables: Any) -> dict[str, Any]:
        """Read by GraphQL; returns its `data`, in which nodes that the token may not see are `None`.

        Args:
            document: The query.
            owner: Whose installation of an app to use, where no variable `owner` says it.
            variables: Of the query.

        Raises:
            NotFound, UpstreamRefused: As GraphQL's `errors` say.
        """
        return await self._graphql(document, variables, "read", owner)

    async def mutate(self, document: str, owner: str | None = None, /, **variables: Any) -> dict[str, Any]:
        """Change by GraphQL, with arguments as for `query`; returns its `data`. Raises what both raise."""
        return await self._graphql(document, variables, "write", owner)

    async def own_login(self, owner: str | None = None) -> str | None:
        """Who we are, at an owner's as an app's installation; `None` where GitHub does not say."""
        try:
            return (await self.get("/user", owner=owner)).json()["login"]
        except UpstreamRefused:  # an app's installation is no user, but GraphQL knows its bot
            with suppress(UpstreamRefused):
                return (await self.query("{ viewer { login } }", owner))["viewer"]["login"]
            return None

    async def _graphql(
        self, document: str, variables: Mapping[str, Any], access: Access, owner: str | None
    ) -> dict[str, Any]:
        body = {"query": document, "variables": dict(variables)}
        call = current_call.get()
        needs = NEEDS.get((call and call.target) or "", _NOTHING)

        async def ask(token: str) -> dict[str, Any]:
            def request() -> dict[str, Any]:
                reply = self.client.request(token, "POST", self.client.graphql_url, body=body)
                require_done(reply)
                return data_of(reply, needs, write=access == "write")

            return await self._guard.call_in_thread(request, access=access, name="GraphQL")

        return await self._with_token(ask, owner or variables.get("owner"))

    async def _with_token(self, use: Callable[[str], Any], owner: str | None) -> Any:
        """Do something with the token of the call; where it is refused, once more if there is a newer one."""
        call = current_call.get()
        token = await self.credentials.token(call, owner)
        try:
            return await use(token)
        except UpstreamRefused as refused:
            if refused.detail.get("cause") != "auth":
                raise
            await self._secrets.refresh()
            self.credentials.refused(token)
            newer = await self.credentials.token(call, owner)
            if newer == token:
                raise
            return await use(newer)

    async def _fetch(self, key: str, token: str, url: str, params: Mapping[str, Any], accept: str) -> Reply:
        kept = self._etags.get(key)
        etag = None if kept is None else kept.etag

        def request() -> Reply:
            reply = self.client.request(token, "GET", url, params=params, accept=accept, etag=etag)
            require_success(reply)
            if accept in _PARSED and reply.status not in _BODILESS:
                require_json(reply)
            return reply

        reply = await self._guard.call_in_thread(request, access="read", name="GET")
        if reply.status == _NOT_MODIFIED and kept is not None:
            reply = renewed(kept.reply, reply)
        if reply.status < _MULTIPLE_CHOICES:  # addresses that GitHub sends us to are good for moments only
            self._etags.put(key, reply)
        return reply

    async def _moved_to(self, url: str, moved: Reply) -> str:
        """Where GitHub leads with a read.

        Raises:
            OutsideFence: Where a repository, renamed or transferred meanwhile, is not the caller's any more.
            UpstreamRefused: Where it is another server.
        """
        place, rest = repository_in(url), url.split("/")[4:]
        if place is not None and rest:
            self._repositories.forget(place)
            call = current_call.get()
            repository = await self.named(call, *place)
            if repository.full_name.lower() != "/".join(place).lower():
                if call is not None and not (fence := call.fence("repo")).admits(repository.full_name):
                    raise outside(fence, *place)
                return "/".join([repository.path(), *rest])
        here, there = urlsplit(self.settings.api_url), urlsplit(moved.headers.get("location", ""))
        if (there.scheme, there.netloc) != (here.scheme, here.netloc):
            raise UpstreamRefused(_SOMEWHERE_ELSE)
        return there.path.removeprefix(here.path)

    async def named(self, call: Call | None, owner: str, name: str) -> Repository:
        """A repository by its name, whatever the fence; `call` is `None` for what the process does by itself.

        Raises:
            NotFound: Where the token may not see it.
        """
        token = await self.credentials.token(call, owner)
        known = self._repositories.get(token, owner, name)
        if known is None:
            known = repository_of((await self.get(path("repos", owner, name))).json())
            self._repositories.put(token, owner, name, known)
        return known


@asynccontextmanager
async def connect(settings: GitHubSettings, services: Services) -> AsyncGenerator[GitHub]:
    """The client for a process. It connects when first used.

    Raises:
        ConfigurationError: Where no credentials are set, or they contradict each other.
    """
    github = GitHub(settings, services)
    try:
        yield github
    finally:
        github.client.close()
