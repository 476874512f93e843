"""Google's OAuth: the authorize page, codes with PKCE, refreshing, signed assertions, revoking.

The page at `/o/oauth2/v2/auth` needs nobody to click: it redirects at once, for the first user or the one of
`login_hint`, with a code that `/token` takes once. `fake.refresh_token(…)` and `fake.revoke(…)` make and end
grants; `fake.rotating` gives a new refresh token with every refresh.
"""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt

from standins.gdrive import robots
from standins.gdrive.described import full_scope, short_scope
from standins.gdrive.errors import Refusal
from standins.gdrive.models import Grant, Token, secret
from standins.gdrive.web import Asked, Media, Routes

routes = Routes()

_LASTS = 3599
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_CODE_LASTS = 600.0


class OAuthRefusal(Refusal):
    """An error in the form of RFC 6749."""

    def __init__(self, error: str, description: str, code: int = 400) -> None:
        super().__init__(code, error, description)
        self.body = {"error": error, "error_description": description}


@routes.on("oauth.authorize")
def authorize(asked: Asked) -> Media:
    given = asked.given
    client, redirect = given.get("client_id", ""), given.get("redirect_uri", "")
    if client not in asked.fake.clients:
        raise OAuthRefusal("invalid_client", "The OAuth client was not found.", 401)
    if given.get("response_type") != "code" or urlsplit(redirect).scheme not in {"http", "https"}:
        raise OAuthRefusal("invalid_request", "Required parameter is missing or wrong.")
    people = asked.store.people.users
    email = given.get("login_hint") or next(one.email for one in people.values() if not one.robot)
    code = f"4/{secret('code', asked.store.next_number())}"
    asked.fake.codes[code] = {
        "user": email,
        "client": client,
        "redirect": redirect,
        "scopes": tuple(short_scope(one) for one in given.get("scope", "").split()),
        "challenge": given.get("code_challenge", ""),
        "hashed": given.get("code_challenge_method", "plain") == "S256",
        "offline": given.get("access_type") == "offline",
        "until": asked.fake.now() + _CODE_LASTS,
    }
    back = {"code": code, "scope": given.get("scope", "")}
    if "state" in given:
        back["state"] = given["state"]
    return Media(b"", "text/html", 302, {"location": f"{redirect}?{urlencode(back)}"})


@routes.on("oauth.token")
def token(asked: Asked) -> dict[str, Any]:
    form = dict(parse_qsl(asked.content.decode(), keep_blank_values=True))
    kind = form.get("grant_type", "")
    asked.body = {"grant_type": kind}
    if kind == _JWT_BEARER:
        return _for_assertion(asked, form.get("assertion", ""))
    client = _client(asked, form)
    if kind == "authorization_code":
        return _for_code(asked, form, client)
    if kind == "refresh_token":
        return _refreshed(asked, form.get("refresh_token", ""), client)
    raise OAuthRefusal("unsupported_grant_type", f"Invalid grant_type: {kind}")


def _client(asked: Asked, form: dict[str, str]) -> str:
    number, given = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, basic = asked.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        number, _, given = base64.b64decode(basic).decode().partition(":")
    if number not in asked.fake.clients:
        raise OAuthRefusal("invalid_client", "The OAuth client was not found.", 401)
    if asked.fake.clients[number] != given:
        raise OAuthRefusal("invalid_client", "Unauthorized", 401)
    return number


def _for_code(asked: Asked, form: dict[str, str], client: str) -> dict[str, Any]:
    found = asked.fake.codes.pop(form.get("code", ""), None)
    if found is None or found["client"] != client or found["until"] <= asked.fake.now():
        raise OAuthRefusal("invalid_grant", "Malformed auth code.")
    if found["redirect"] != form.get("redirect_uri"):
        raise OAuthRefusal("redirect_uri_mismatch", "Bad Request")
    if found["challenge"]:
        _verify(form.get("code_verifier", ""), found["challenge"], hashed=found["hashed"])
    made = _given(asked, found["user"], client, found["scopes"])
    if found["offline"]:
        made["refresh_token"] = asked.fake.refresh_token(found["user"], found["scopes"], app=client)
    return made


def _verify(verifier: str, challenge: str, *, hashed: bool) -> None:
    if not verifier:
        raise OAuthRefusal("invalid_grant", "Missing code verifier.")
    if hashed:
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    if verifier != challenge:
        raise OAuthRefusal("invalid_grant", "Invalid code verifier.")


def _refreshed(asked: Asked, refresh: str, client: str) -> dict[str, Any]:
    grant: Grant | None = asked.fake.grants.get(refresh)
    if grant is None or grant.revoked or grant.app != client:
        raise OAuthRefusal("invalid_grant", "Token has been expired or revoked.")
    made = _given(asked, grant.user, client, grant.scopes)
    if asked.fake.rotating:
        grant.revoked = True
        made["refresh_token"] = asked.fake.refresh_token(grant.user, grant.scopes, app=client)
    return made


def _for_assertion(asked: Asked, assertion: str) -> dict[str, Any]:
    try:
        said = robots.claims(assertion, f"{asked.fake.url}/token")
    except jwt.PyJWTError as error:
        raise OAuthRefusal("invalid_grant", f"Invalid JWT Signature. {error}") from None
    robot = asked.fake.robots.get(said["iss"])
    if robot is None:
        raise OAuthRefusal("invalid_grant", "Invalid grant: account not found")
    scopes = tuple(short_scope(one) for one in said["scope"].split())
    user = said.get("sub", robot.email)
    if user != robot.email:
        if user not in asked.store.people.users:
            raise OAuthRefusal("invalid_grant", "Invalid email or User ID")
        if user not in robot.delegated or not set(scopes) <= set(robot.scopes):
            raise OAuthRefusal(
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not "
                "authorized for any of the scopes requested.",
                401,
            )
    return _given(asked, user, robot.email, scopes)


def _given(asked: Asked, user: str, app: str, scopes: tuple[str, ...]) -> dict[str, Any]:
    fake = asked.fake
    value = f"ya29.{secret('given', asked.store.next_number(), user)}"
    made = Token(user, value, user, app, scopes, fake.now() + _LASTS)
    fake.tokens[value] = asked.token = made
    return {
        "access_token": value,
        "expires_in": _LASTS,
        "scope": " ".join(_shown(one) for one in scopes),
        "token_type": "Bearer",
    }


def _shown(scope: str) -> str:
    return full_scope(scope) if scope.startswith("drive") else scope


@routes.on("oauth.revoke")
def revoke(asked: Asked) -> dict[str, Any]:
    form = asked.given | dict(parse_qsl(asked.content.decode()))
    value = form.get("token", "")
    if value not in asked.fake.tokens and value not in asked.fake.grants:
        raise OAuthRefusal("invalid_token", "Token expired or revoked")
    asked.fake.revoke(value)
    return {}


@routes.on("oauth.tokeninfo")
def token_info(asked: Asked) -> dict[str, Any]:
    found = asked.fake.tokens.get(asked.given.get("access_token", ""))
    if found is None or found.revoked or found.expires <= asked.fake.now():
        raise OAuthRefusal("invalid_token", "Invalid Value")
    return {
        "azp": found.app,
        "aud": found.app,
        "sub": asked.store.people.users[found.user].id,
        "scope": " ".join(_shown(one) for one in found.scopes),
        "exp": str(int(found.expires)),
        "expires_in": str(int(found.expires - asked.fake.now())),
        "email": found.user,
        "email_verified": "true",
        "access_type": "online",
    }
