"""GitHub as the tools see it: reads that cost nothing twice, writes sent once, fenced repositories."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast

from ringmain_core.arguments import Upstream
from ringmain_core.call import Call, current_call
from ringmain_core.errors import NotFound, OutsideFence, ToolFailure, UpstreamRefused
from ringmain_core.flow import Audience
from ringmain_core.policy import Access
from ringmain_core.services import Services
from ringmain_core.upstream.retries import Retries
from ringmain_core.upstream.single_flight import SingleFlight
from ringmain_github.client import JSON, Client, Reply
from ringmain_github.credentials import credentials_of
from ringmain_github.etags import ETags, key_of
from ringmain_github.failures import Limited, require_success, trouble
from ringmain_github.references import parse_repo, path
from ringmain_github.settings import GitHubSettings

_MULTIPLE_CHOICES, _NOT_MODIFIED = 300, 304
_REPOSITORY_KEPT = 30.0  # seconds for which a repository counts as being what it was
_MOST_REPOSITORIES = 1_000
_AUDIENCES: Mapping[str, Audience] = {"public": "public", "internal": "organisation"}


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that the caller may use.

    Attributes:
        owner: As GitHub spells it, like `name`: after renames, too.
        audience: Who can read it.
    """

    owner: str
    name: str
    default_branch: str
    audience: Audience

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def path(self, *parts: object) -> str:
        """A path of the API below this repository."""
        return path("repos", self.owner, self.name, *parts)


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
        self._repositories: OrderedDict[str, tuple[Repository, float]] = OrderedDict()

    async def repo(self, call: Call, text: str) -> Repository:
        """A repository by name or link, if it is inside the caller's fence.

        Raises:
            InvalidArguments: Where the text names none.
            NotFound: Where the token may not see it.
            OutsideFence: The same, or where policy keeps the caller away: the two look alike.
        """
        owner, name = parse_repo(text)
        fence = call.fence("repo")
        try:
            repository = await self._repository(call, owner, name)
        except NotFound:
            if fence.patterns is None:
                raise NotFound(
                    f"There is no repository `{owner}/{name}`, or this token may not see it."
                ) from None
            repository = None
        if repository is None or not fence.admits(repository.full_name):
            raise OutsideFence(
                f"The repository `{owner}/{name}` is not there, or not among those that you may use for this "
                f"({fence.describe()})."
            )
        return repository

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

        async def fetch(token: str) -> Reply:
            key = key_of(token, url, given, accept)
            reply, _ = await self._flights.run(key, lambda: self._fetch(key, token, url, given, accept))
            return reply

        return await self._with_token(fetch, owner or _owner_in(url))

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
                require_success(reply)
                return reply

            return await self._guard.call_in_thread(request, access=access, name=verb, idempotent=idempotent)

        return await self._with_token(write, owner or _owner_in(url))

    async def query(self, document: str, owner: str | None = None, /, **variables: Any) -> dict[str, Any]:
        """Read by GraphQL; returns its `data`.

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

        async def ask(token: str) -> dict[str, Any]:
            def request() -> dict[str, Any]:
                reply = self.client.request(token, "POST", self.client.graphql_url, body=body)
                require_success(reply)
                return _data_of(reply)

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
            return reply

        reply = await self._guard.call_in_thread(request, access="read", name="GET")
        if reply.status == _NOT_MODIFIED and kept is not None:
            return kept.reply
        if reply.status < _MULTIPLE_CHOICES:  # addresses that GitHub sends us to are good for moments only
            self._etags.put(key, reply)
        return reply

    async def _repository(self, call: Call, owner: str, name: str) -> Repository:
        token = await self.credentials.token(call, owner)
        key = hashlib.sha256(f"{token}\0{owner}/{name}".lower().encode()).hexdigest()
        known, until = self._repositories.get(key, (None, 0.0))
        if known is not None and time.monotonic() < until:
            return known
        reply = await self.get(path("repos", owner, name))
        repository = _repository_of(reply.json())
        self._repositories[key] = (repository, time.monotonic() + _REPOSITORY_KEPT)
        self._repositories.move_to_end(key)
        if len(self._repositories) > _MOST_REPOSITORIES:
            self._repositories.popitem(last=False)
        return repository


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


def _repository_of(answer: Mapping[str, Any]) -> Repository:
    visibility = answer.get("visibility") or ("private" if answer["private"] else "public")
    owner, _, name = str(answer["full_name"]).partition("/")
    return Repository(owner, name, answer["default_branch"], _AUDIENCES.get(visibility, "group"))


def _owner_in(url: str) -> str | None:
    parts = url.split("/")
    return parts[2] if len(parts) > 3 and parts[1] == "repos" else None


def _data_of(reply: Reply) -> dict[str, Any]:
    """What a GraphQL answer holds.

    Raises:
        Limited: Where a limit is reached, which GraphQL says with status 200.
        NotFound, UpstreamRefused: For the other errors.
    """
    answer = cast("dict[str, Any]", reply.json())
    errors = cast("list[dict[str, Any]]", answer.get("errors") or [])
    if not errors:
        return answer["data"]
    kinds = {str(error.get("type")) for error in errors}
    if "RATE_LIMITED" in kinds:
        raise Limited(reply, secondary=False)
    raise _graphql_refusal(kinds, "; ".join(str(error.get("message")) for error in errors)[:500])


def _graphql_refusal(kinds: set[str], said: str) -> ToolFailure:
    if "NOT_FOUND" in kinds:
        return NotFound("There is no such thing on GitHub, or this token may not see it.")
    return UpstreamRefused(f"GitHub refuses this: {said.rstrip('.')}.", cause="graphql")
