"""google-api-python-client pointed at the fake; it has no types, and that stays in here."""

import json
from collections.abc import Sequence
from importlib import import_module
from io import BytesIO
from typing import Any

from standins.gdrive.described import document
from standins.gdrive.state import FakeDrive

_build: Any = import_module("googleapiclient.discovery").build_from_document
_errors: Any = import_module("googleapiclient.errors")
_http: Any = import_module("googleapiclient.http")
HttpError: type[Exception] = _errors.HttpError


class _Authorized:
    """A connection that says whose request it is, as `google_auth_httplib2` does."""

    def __init__(self, token: str, headers: dict[str, str]) -> None:
        self._http = _http.build_http()  # unlike a plain one it leaves 308 alone: uploads live of it
        self._http.timeout = 10
        self._headers = {"authorization": f"Bearer {token}", **headers} if token else headers

    def request(self, uri: str, method: str = "GET", **more: Any) -> Any:
        headers: dict[str, str] = more.pop("headers", None) or {}
        return self._http.request(uri, method, headers=headers | self._headers, **more)

    def close(self) -> None:
        self._http.close()


def pointed(url: str) -> str:
    """The vendor's description, with the fake in the place of Google."""
    made = document() | {"rootUrl": f"{url}/", "baseUrl": f"{url}/drive/v3/"}
    made.pop("mtlsRootUrl", None)
    return json.dumps(made)


def drive(
    fake: FakeDrive, token: str = "", *, http: Any = None, headers: dict[str, str] | None = None
) -> Any:
    """A Drive service as connectors have it, of a token, or of an `http` that authorizes by itself."""
    return _build(pointed(fake.url), http=http or _Authorized(token, headers or {}))


class Clients:
    """Services of several people, closed together: `clients("ada@acme.example", ["drive.file"])`."""

    def __init__(self, fake: FakeDrive) -> None:
        self._fake = fake
        self._made: list[Any] = []

    def __call__(
        self,
        email: str,
        scopes: Sequence[str] = ("drive",),
        *,
        app: str = "ringmain",
        headers: dict[str, str] | None = None,
    ) -> Any:
        return self.of(self._fake.token(email, scopes, app=app), headers)

    def of(self, token: str, headers: dict[str, str] | None = None) -> Any:
        """A service with this very token."""
        made = drive(self._fake, token, headers=headers)
        self._made.append(made)
        return made

    def close(self) -> None:
        for one in self._made:
            one.close()


def refused(call: Any) -> tuple[int, str]:
    """Status and reason with which a prepared call is refused."""
    error = error_of(call)["error"]
    return error["code"], error["errors"][0]["reason"]


def error_of(call: Any) -> dict[str, Any]:
    """The body of the error with which a prepared call is refused.

    Raises:
        AssertionError: It is not refused.
    """
    try:
        call.execute()
    except HttpError as error:
        failed: Any = error
        return json.loads(failed.content)
    raise AssertionError("it was not refused")


def bytes_of(call: Any) -> bytes:
    """All of a prepared download, as the vendor's client fetches it: in pieces."""
    into = BytesIO()
    download, ended = _http.MediaIoBaseDownload(into, call, chunksize=1_000_000), False
    while not ended:
        _, ended = download.next_chunk()
    return into.getvalue()


def media(data: bytes | str, mime_type: str, **more: Any) -> Any:
    """Content for `media_body`; `resumable=True` and `chunksize` for sessions."""
    content = data.encode() if isinstance(data, str) else data
    return _http.MediaInMemoryUpload(content, mimetype=mime_type, **more)
