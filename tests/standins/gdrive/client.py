"""google-api-python-client pointed at the fake; it has no types, and that stays in here."""

import json
from importlib import import_module
from typing import Any

from standins.gdrive.described import document
from standins.gdrive.state import FakeDrive

_build: Any = import_module("googleapiclient.discovery").build_from_document
_errors: Any = import_module("googleapiclient.errors")
_httplib2: Any = import_module("httplib2")
_http: Any = import_module("googleapiclient.http")
HttpError: type[Exception] = _errors.HttpError
UploadOf: Any = _http.MediaInMemoryUpload
Download: Any = _http.MediaIoBaseDownload


class _Authorized:
    """A connection that says whose request it is, as `google_auth_httplib2` does."""

    def __init__(self, token: str, headers: dict[str, str]) -> None:
        self._http = _httplib2.Http(timeout=10)
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


def reason(error: Any) -> tuple[int, str]:
    """Status and reason of an `HttpError`."""
    return error.resp.status, json.loads(error.content)["error"]["errors"][0]["reason"]
