"""Drive through Google's client: one request, one answer, and what its exceptions mean."""

import json
import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from http.client import BadStatusLine, HTTPConnection, HTTPResponse
from importlib import import_module
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from ringmain_core.upstream.trouble import Trouble
from ringmain_gdrive.settings import GDriveSettings

_DOCUMENT = "drive.v3.json"
_PREFIX = "https://www.googleapis.com/auth/"
_RESUMABLE_FROM = 5 * 1024 * 1024  # bytes; below, an upload is one request
_CHUNK = 8 * 1024 * 1024
_MOST_LINKS = 5
_ELSEWHERE = frozenset({301, 302, 303, 307, 308})
_GOOGLES = re.compile(r"[a-z0-9.-]+\.(?:google|googleapis|googleusercontent)\.com")


@dataclass(frozen=True, slots=True)
class Reply:
    """What Drive answered; names of headers are lower case.

    Attributes:
        data: The object of a JSON answer; an error's, too.
        content: Of a download.
    """

    status: int
    headers: Mapping[str, str]
    data: Mapping[str, Any]
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Upload:
    """Content that goes up with a request."""

    content: bytes
    mime_type: str


class NotDrive(Exception):
    """Something answered that does not speak Drive's API."""


class Client:
    """Speaks to Drive with whatever token it is given, from any thread.

    The vendor's description of the API is read once; its connections are one request's at a time, so each
    thread takes one and puts it back.
    """

    def __init__(self, settings: GDriveSettings) -> None:
        self._settings = settings
        self._service: Any = None
        self._methods: dict[str, Any] = {}
        self._opening = threading.Lock()
        self._idle: deque[Any] = deque()

    def request(
        self,
        token: str,
        method: str,
        parameters: Mapping[str, Any],
        *,
        body: Mapping[str, Any] | None = None,
        upload: Upload | None = None,
        headers: Mapping[str, str] | None = None,
        once: bool = False,
    ) -> Reply:
        """Send one request and wait for its answer, whatever its status. Blocks.

        Args:
            token: Sent as it is; nothing of it is kept.
            method: As in Google's reference, without `drive.`: `files.list`; `files.get_media` downloads.
            parameters: Of the method; `None` values are left out.
            body: The resource that is sent.
            upload: Its content.
            headers: Beside the usual ones: `Range`, `X-Goog-Drive-Resource-Keys`.
            once: Whether sending it twice must not happen.

        Raises:
            Exception: Of the libraries below; `trouble_of` knows them.
        """
        http_error: type[Exception] = import_module("googleapiclient.errors").HttpError
        given = {name: value for name, value in parameters.items() if value is not None}
        if body is not None:
            given["body"] = dict(body)
        if upload is not None:
            given["media_body"] = _media(upload)
        request = self._prepared(method, given)
        request.headers.update({"authorization": f"Bearer {token}", **(headers or {})})
        answered: list[Any] = []
        request.add_response_callback(answered.append)
        connection = self._new_connection(once=True) if once else self._connection()
        try:
            result = request.execute(http=connection)
        except http_error as error:
            failed: Any = error
            self._give_back(connection)
            return Reply(failed.resp.status, _headers(failed.resp), _error_of(failed.content))
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)
        status = answered[0].status if answered else 200
        told: Mapping[str, str] = _headers(answered[0]) if answered else {}
        if isinstance(result, bytes):
            return Reply(status, told, {}, result)
        return Reply(status, told, cast("Mapping[str, Any]", result) if isinstance(result, Mapping) else {})

    def follow(self, token: str, url: str, headers: Mapping[str, str]) -> Reply:
        """Get what a link leads to, over a few others perhaps, which get no token. Blocks.

        Args:
            token: For the first one.
            url: Of Google's, as `is_googles` says.
            headers: Beside the token.

        Raises:
            StrayLink: Where it leads elsewhere.
            Exception: As for `request`.
        """
        given = {"authorization": f"Bearer {token}", **headers}
        for _ in range(_MOST_LINKS):
            if not is_googles(url, self._settings.url):
                break
            connection = self._connection()
            try:
                answer, content = connection.request(url, "GET", headers=given)
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)
            if answer.status not in _ELSEWHERE:
                return Reply(answer.status, _headers(answer), _error_of(content), content)
            url, given = urljoin(url, str(answer.get("location", ""))), dict(headers)
        raise StrayLink

    def robot_token(self, key: str, scopes: tuple[str, ...], subject: str | None) -> tuple[str, float]:
        """A token of a service account, for itself or for somebody, and when it ends. Blocks.

        Raises:
            ValueError: Where the key is none.
            Exception: Where Google refuses: `RobotRefused`, or of the libraries below.
        """
        maker = import_module("google.oauth2.service_account").Credentials
        refresh_error: type[Exception] = import_module("google.auth.exceptions").RefreshError
        full = [f"{_PREFIX}{scope}" for scope in scopes]
        made = maker.from_service_account_info(json.loads(key), scopes=full, subject=subject)
        connection = self._connection()
        try:
            made.refresh(import_module("google_auth_httplib2").Request(connection))
        except refresh_error as error:
            told: Mapping[str, Any] = {}
            if len(error.args) > 1 and isinstance(error.args[1], Mapping):
                told = cast("Mapping[str, Any]", error.args[1])
            raise RobotRefused(str(told.get("error") or "refused")) from None
        finally:
            self._give_back(connection)
        return str(made.token), made.expiry.timestamp() if made.expiry else 0.0

    def close(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            self._idle.pop().close()

    def _prepared(self, method: str, given: dict[str, Any]) -> Any:
        found = self._methods.get(method)
        if found is None:
            found = self._opened()
            *path, name = method.split(".")
            for step in path:
                found = getattr(found, step)()  # makes classes of its own each time
            found = self._methods[method] = getattr(found, name)
        return found(**given)

    def _opened(self) -> Any:
        if self._service is None:
            with self._opening:
                if self._service is None:
                    from importlib.resources import files

                    folder = files(import_module("googleapiclient.discovery_cache"))
                    document = json.loads(folder.joinpath("documents", _DOCUMENT).read_text("utf-8"))
                    if self._settings.url != "https://www.googleapis.com":
                        root = f"{self._settings.url}/"
                        document |= {"rootUrl": root, "baseUrl": f"{root}{document['servicePath']}"}
                        document.pop("mtlsRootUrl", None)
                    build = import_module("googleapiclient.discovery").build_from_document
                    connection = self._connection()  # it wants one, and each request is given its own
                    self._service = build(document, http=connection)
                    self._give_back(connection)
        return self._service

    def _give_back(self, connection: Any) -> None:
        if len(self._idle) < self._settings.at_once:
            self._idle.append(connection)
        else:
            connection.close()

    def _connection(self) -> Any:
        try:
            return self._idle.pop()
        except IndexError:
            return self._new_connection()

    def _new_connection(self, *, once: bool = False) -> Any:
        made = import_module(
            "googleapiclient.http"
        ).build_http()  # unlike a plain one it leaves 308 alone: uploads live of it
        made.timeout = self._settings.request_timeout
        made.follow_redirects = False  # the token must not travel
        if once:
            made.request = partial(made.request, connection_type=_sent_once(self._settings.url))
        return made


def is_googles(url: str, configured: str) -> bool:
    """Whether a link leads to Google, or to where the operator says that it is."""
    parts, own = urlsplit(url), urlsplit(configured)
    if (parts.scheme, parts.netloc) == (own.scheme, own.netloc):
        return True
    return parts.scheme == "https" and _GOOGLES.fullmatch(parts.netloc) is not None


class StrayLink(Exception):
    """A link that should lead to Google leads elsewhere."""


class RobotRefused(Exception):
    """Google gives a service account no token, for a reason that the message is."""


def trouble_of(error: Exception) -> Trouble | None:
    """What an exception of the libraries below means; `None` for a defect of ours."""
    if isinstance(error, NotDrive):
        return Trouble("transient", message="Something between here and Drive answers in its place.")
    name = type(error).__name__
    if name in {"ServerNotFoundError", "ConnectionRefusedError", "gaierror"}:
        return Trouble("down")
    if isinstance(error, OSError) or name in {"TransportError", "RedirectMissingLocation"}:
        return Trouble("transient")
    if type(error).__module__.startswith(("httplib2", "http.client")):
        return Trouble("transient")
    return None


@cache
def _sent_once(url: str) -> type:
    """A kind of connection on which httplib2 sends nothing twice.

    Where a server hangs up without an answer, it takes the connection for one that had gone stale, and sends
    again whatever it was. On a new connection that cannot be the reason.
    """
    schemes = import_module("httplib2").SCHEME_TO_CONNECTION
    base: type[HTTPConnection] = schemes[urlsplit(url).scheme]

    class SentOnce(base):
        def getresponse(self) -> HTTPResponse:
            try:
                return super().getresponse()
            except BadStatusLine as error:
                raise ConnectionResetError(str(error)) from error

    return SentOnce


def _media(upload: Upload) -> Any:
    resumable = len(upload.content) > _RESUMABLE_FROM
    return import_module("googleapiclient.http").MediaInMemoryUpload(
        upload.content, mimetype=upload.mime_type, chunksize=_CHUNK, resumable=resumable
    )


def _headers(response: Any) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in response.items()}


def _error_of(content: bytes) -> Mapping[str, Any]:
    try:
        found: Any = json.loads(content)
    except ValueError:
        return {}
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}
