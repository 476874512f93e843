"""The fake Drive lets apps in as Google's OAuth does, seen through google-auth."""

import base64
import hashlib
import http.client
import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from standins.gdrive.client import drive, refused
from standins.gdrive.seeded import ADA, BO
from standins.gdrive.state import FakeDrive

_RefreshError: type[Exception] = import_module("google.auth.exceptions").RefreshError
_Credentials: Any = import_module("google.oauth2.credentials").Credentials
_Robot: Any = import_module("google.oauth2.service_account").Credentials
_AuthorizedHttp: Any = import_module("google_auth_httplib2").AuthorizedHttp
_Request: Any = import_module("google_auth_httplib2").Request
_build_http: Any = import_module("googleapiclient.http").build_http
SCOPE = "https://www.googleapis.com/auth/drive.readonly"
BACK = "http://127.0.0.1:9/back"


def asked(
    fake: FakeDrive, verb: str, path: str, form: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any], str]:
    """Status, JSON and location of an answer."""
    connection = http.client.HTTPConnection(fake.url.removeprefix("http://"))
    headers = {"content-type": "application/x-www-form-urlencoded"}
    connection.request(verb, path, urlencode(form) if form else None, headers)
    answer = connection.getresponse()
    content = answer.read()
    made: dict[str, Any] = json.loads(content or b"{}")
    connection.close()
    return answer.status, made, answer.headers.get("location", "")


def code(fake: FakeDrive, **more: str) -> str:
    """A code from the authorize page."""
    fake.clients["app"] = "shh"
    given = {"client_id": "app", "redirect_uri": BACK, "response_type": "code", "scope": SCOPE, "state": "s"}
    status, _, location = asked(fake, "GET", f"/o/oauth2/v2/auth?{urlencode(given | more)}")
    back = parse_qs(urlsplit(location).query)
    assert (status, location.partition("?")[0], back["state"]) == (302, BACK, ["s"])
    return back["code"][0]


def exchanged(fake: FakeDrive, given: str, **more: str) -> tuple[int, dict[str, Any]]:
    form = {"grant_type": "authorization_code", "code": given, "redirect_uri": BACK}
    return asked(fake, "POST", "/token", form | {"client_id": "app", "client_secret": "shh"} | more)[:2]


def about(fake: FakeDrive, credentials: Any) -> str:
    """Whose Drive these credentials open."""
    http = _AuthorizedHttp(credentials, http=_build_http())
    service = drive(fake, http=http)
    try:
        return service.about().get(fields="user/emailAddress").execute()["user"]["emailAddress"]
    finally:
        service.close()


def test_codes_become_tokens_with_the_verifier(fake: FakeDrive) -> None:
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    pkce = {"code_challenge": challenge, "code_challenge_method": "S256", "access_type": "offline"}
    wrong = exchanged(fake, code(fake, **pkce), code_verifier="w" * 50)
    assert wrong == (400, {"error": "invalid_grant", "error_description": "Invalid code verifier."})
    assert exchanged(fake, code(fake, **pkce))[1]["error_description"] == "Missing code verifier."
    given = code(fake, login_hint=BO, **pkce)
    status, said = exchanged(fake, given, code_verifier=verifier)
    assert (status, said["token_type"], said["scope"]) == (200, "Bearer", SCOPE)
    assert exchanged(fake, given, code_verifier=verifier)[1]["error"] == "invalid_grant"
    assert about(fake, _Credentials(said["access_token"])) == BO
    assert said["refresh_token"].startswith("1//")


def test_codes_are_good_for_what_they_were_given_for(fake: FakeDrive) -> None:
    assert exchanged(fake, code(fake), redirect_uri="http://127.0.0.1:9/other")[1]["error"] == (
        "redirect_uri_mismatch"
    )
    assert exchanged(fake, code(fake), client_secret="x")[0] == 401
    said = exchanged(fake, code(fake))[1]
    assert "refresh_token" not in said
    unknown = asked(fake, "GET", "/o/oauth2/v2/auth?client_id=none&response_type=code&redirect_uri=" + BACK)
    assert (unknown[0], unknown[1]["error"]) == (401, "invalid_client")
    assert asked(
        fake, "POST", "/token", {"grant_type": "password", "client_id": "app", "client_secret": "shh"}
    )[1]["error"] == ("unsupported_grant_type")


def credentials(fake: FakeDrive, refresh: str) -> Any:
    fake.client("app", "shh")
    uri = f"{fake.url}/token"
    return _Credentials(None, refresh_token=refresh, token_uri=uri, client_id="app", client_secret="shh")


def test_tokens_are_refreshed_until_they_are_revoked(fake: FakeDrive) -> None:
    refresh = fake.refresh_token(ADA, ["drive.readonly"], app="app")
    mine = credentials(fake, refresh)
    assert about(fake, mine) == ADA
    first = mine.token
    fake.expire(first)
    assert about(fake, mine) == ADA
    assert mine.token != first
    fake.revoke(refresh)
    with pytest.raises(_RefreshError, match="invalid_grant"):
        about(fake, mine)


def test_refresh_tokens_may_rotate(fake: FakeDrive) -> None:
    fake.rotating = True
    refresh = fake.refresh_token(ADA, app="app")
    mine = credentials(fake, refresh)
    about(fake, mine)
    assert mine.refresh_token != refresh
    with pytest.raises(_RefreshError, match="invalid_grant"):
        about(fake, credentials(fake, refresh))


def test_refreshing_may_fail_for_a_while(fake: FakeDrive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    fake.fault("oauth.token", "503", times=None)
    mine = credentials(fake, fake.refresh_token(ADA, app="app"))
    plain = _build_http()
    with pytest.raises(_RefreshError) as caught:
        mine.refresh(_Request(plain))
    plain.close()
    failed: Any = caught.value
    assert failed.retryable
    fake.faults.clear()
    assert about(fake, mine) == ADA


def test_service_accounts_sign_for_themselves_and_for_others(fake: FakeDrive) -> None:
    info = fake.service_account(
        "robot@project.example", delegated=[ADA], scopes=["drive.readonly", "drive.metadata.readonly"]
    )
    robot = _Robot.from_service_account_info(info, scopes=[SCOPE])
    assert about(fake, robot) == "robot@project.example"
    assert about(fake, robot.with_subject(ADA)) == ADA
    for subject, scope, error in (
        (BO, SCOPE, "unauthorized_client"),
        (ADA, "https://www.googleapis.com/auth/drive", "unauthorized_client"),
        ("nobody@acme.example", SCOPE, "invalid_grant"),
    ):
        other = _Robot.from_service_account_info(info, scopes=[scope], subject=subject)
        with pytest.raises(_RefreshError, match=error):
            about(fake, other)


def test_assertions_of_other_keys_are_refused(fake: FakeDrive) -> None:
    info = dict(fake.service_account("robot@project.example"))
    info["client_email"] = "stranger@project.example"
    with pytest.raises(_RefreshError, match="account not found"):
        about(fake, _Robot.from_service_account_info(info, scopes=[SCOPE]))
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"}
    assert asked(fake, "POST", "/token", form)[1]["error"] == "invalid_grant"


def test_service_accounts_have_no_room_of_their_own(fake: FakeDrive) -> None:
    fake.service_account("robot@project.example")
    service = drive(fake, fake.token("robot@project.example"))
    call = service.files().create(body={"name": "x"}, media_body=None)
    folder = service.files().create(body={"name": "f", "mimeType": "application/vnd.google-apps.folder"})
    assert folder.execute()["name"] == "f"
    assert call.execute()["name"] == "x"
    document = {"name": "d", "mimeType": "application/vnd.google-apps.document"}
    assert refused(service.files().create(body=document)) == (403, "storageQuotaExceeded")
    service.close()


def test_tokens_tell_of_themselves_and_are_revoked(fake: FakeDrive) -> None:
    token = fake.token(ADA, ["drive.readonly"])
    status, said, _ = asked(fake, "GET", f"/tokeninfo?access_token={token}")
    assert (status, said["scope"], said["email"]) == (200, SCOPE, ADA)
    assert asked(fake, "POST", "/revoke", {"token": token})[0] == 200
    assert asked(fake, "GET", f"/tokeninfo?access_token={token}")[:2] == (
        400,
        {"error": "invalid_token", "error_description": "Invalid Value"},
    )
    assert asked(fake, "POST", "/revoke", {"token": "unknown"})[1]["error"] == "invalid_token"
