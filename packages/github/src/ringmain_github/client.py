"""GitHub through PyGithub's requester: one request, one answer, and what its exceptions mean."""

import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from pydantic_core import from_json

from ringmain_core.upstream.trouble import Trouble
from ringmain_github.settings import GitHubSettings

if TYPE_CHECKING:
    from github.Requester import Requester

    from ringmain_github.connection import Pool

JSON = "application/vnd.github+json"
MATCHES = "application/vnd.github.text-match+json"
RAW = "application/vnd.github.raw+json"
ANYTHING = "*/*"
"""For what may be elsewhere, and is no JSON: logs."""

_API_VERSION = "2022-11-28"
_NEXT = re.compile(r'<([^<>]*)>;\s*rel="next"')
_PAGED_BY = ("page", "after")


@dataclass(frozen=True, slots=True)
class Reply:
    """What GitHub answered; the names of headers are lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        """The body.

        Raises:
            NotGitHub: Where it is something else: a proxy's page, for example.
        """
        try:
            return from_json(self.text)
        except ValueError as error:
            raise NotGitHub(self.status) from error

    @property
    def next_page(self) -> int | None:
        """The number of the next page; `None` after the last one."""
        page = self.following.get("page")
        return None if page is None else int(page)

    @property
    def following(self) -> dict[str, str]:
        """What leads to the next page, as parameters of the query: long lists want `after` beside `page`."""
        link = _NEXT.search(self.headers.get("link", ""))
        query = parse_qs(urlsplit(link[1]).query) if link else {}
        return {name: query[name][0] for name in _PAGED_BY if name in query}


class NotGitHub(Exception):
    """Something answered that does not speak GitHub's API."""


class Client:
    """Speaks to one GitHub with whatever token it is given, from any thread.

    A requester of PyGithub's keeps notes of its requests, so each thread takes one and puts it back.
    """

    def __init__(self, settings: GitHubSettings) -> None:
        self._settings = settings
        self._idle: deque[Requester] = deque(maxlen=settings.at_once)
        self._pool: Pool | None = None
        self._opening = threading.Lock()
        self.graphql_url = f"{settings.api_url.removesuffix('/v3')}/graphql"

    def request(
        self,
        token: str,
        verb: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        accept: str = JSON,
        etag: str | None = None,
    ) -> Reply:
        """Send one request and wait for its answer, whatever its status. Blocks.

        Args:
            token: Sent as it is; nothing of it is kept.
            verb: `GET`, `POST` …
            params: Of the query.
            body: Sent as JSON.
            accept: The media type of the answer.
            url: A path below the API's address, or a full address there.
            etag: Of a known answer: 304 says that it still holds, and does not count against the limit.

        Raises:
            Exception: Of the libraries below; `trouble_of` knows them.
        """
        headers = {"Authorization": f"Bearer {token}", "Accept": accept, "X-GitHub-Api-Version": _API_VERSION}
        if etag is not None:
            headers["If-None-Match"] = etag
        connection: Any = (self._pool or self._opened()).connection()
        try:
            requester = self._idle.pop()
        except IndexError:
            requester = self._requester()
        try:
            status, answered, text = requester.requestJson(
                verb, url, parameters=dict(params or {}), headers=headers, input=body, cnx=connection
            )
        finally:
            self._idle.append(requester)
        return Reply(status, answered, text)

    def app_token(self, app_id: str, private_key: str) -> str:
        """A signed statement, good for some minutes, that we are an app.

        Raises:
            ValueError: Where the key is none.
        """
        from github.Auth import AppAuth
        from jwt.exceptions import InvalidKeyError

        try:
            return AppAuth(app_id, private_key).create_jwt()
        except (ValueError, InvalidKeyError):
            raise ValueError("not a private key in PEM form") from None

    def close(self) -> None:
        """Close the connections that are not in use."""
        if self._pool is not None:
            self._pool.close()

    def _requester(self) -> "Requester":
        from github.Requester import Requester

        return Requester(
            auth=None,
            base_url=self._settings.api_url,
            user_agent="ringmain-github",
            per_page=100,
            # Of connections of its own, of which it has none:
            timeout=1,
            verify=True,
            retry=None,
            pool_size=None,
        )

    def _opened(self) -> "Pool":
        from ringmain_github.connection import Pool

        with self._opening:
            if self._pool is None:
                at = urlsplit(self._settings.api_url)
                self._pool = Pool(
                    f"{at.scheme}://{at.netloc}",
                    timeout=self._settings.request_timeout,
                    size=self._settings.at_once,
                    trusted=self._settings.trusted_certificates,
                )
        return self._pool


def trouble_of(error: Exception) -> Trouble | None:
    """What an exception of the libraries below means; `None` for a defect of ours."""
    if isinstance(error, NotGitHub):
        return Trouble("transient", message="Something between here and GitHub answers in its place.")
    from ringmain_github.connection import trouble_on_the_way

    return trouble_on_the_way(error)
