"""`oauth.v2.access`: codes and refresh tokens for tokens; a refresh token works once, and its token ends.

Clients come from `fake.client(id, secret)`, codes from `fake.code(user, scopes, bot_scopes=…, redirect_uri=…,
challenge=…, team=…)`. With `fake.rotating_last` 0 there is no rotation.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import Any

from standins.slack.models import Token, secret
from standins.slack.state import FakeSlack
from standins.slack.team import Team
from standins.slack.web import Asked, Refusal, Routes

routes = Routes()


@routes.on("oauth.v2.access")
def access(asked: Asked) -> dict[str, Any]:
    _client(asked)
    kind = asked.text("grant_type", "authorization_code")
    if kind == "refresh_token":
        return _refreshed(asked)
    if kind != "authorization_code":
        raise Refusal("invalid_grant_type")
    code = asked.fake.codes.pop(asked.text("code"), None)
    if code is None:
        raise Refusal("invalid_code")
    if code.get("redirect_uri", "") not in {"", asked.text("redirect_uri")}:
        raise Refusal("bad_redirect_uri")
    if challenge := code.get("challenge"):
        digest = hashlib.sha256(asked.text("code_verifier").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
            raise Refusal("invalid_code_verifier")
    team = asked.fake.teams[code["team"]] if "team" in code else asked.fake.team
    user = team.known_user(code["user"])
    made: dict[str, Any] = {
        "app_id": asked.fake.app_id,
        "authed_user": {"id": user.id},
        "team": {"id": team.id, "name": team.name},
        "enterprise": None,
        "is_enterprise_install": False,
    }
    if code["bot_scopes"]:
        bot = team.user("ringmain", bot=True)
        made |= _issued(asked.fake, team, "xoxb", bot.id, code["bot_scopes"]) | {"bot_user_id": bot.id}
    if code["scopes"]:
        made["authed_user"] |= _issued(asked.fake, team, "xoxp", user.id, code["scopes"])
    return made


def _client(asked: Asked) -> None:
    name, word = asked.text("client_id"), asked.text("client_secret")
    kind, _, given = asked.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            name, _, word = base64.b64decode(given).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Refusal("invalid_client_id") from None
    if name not in asked.fake.clients:
        raise Refusal("invalid_client_id")
    if asked.fake.clients[name] != word:
        raise Refusal("bad_client_secret")


def _issued(fake: FakeSlack, team: Team, kind: str, user: str, scopes: Sequence[str]) -> dict[str, Any]:
    number = fake.next_number()
    rotating = fake.rotating_last > 0
    value = f"xoxe.{kind}-1-{secret(number)}" if rotating else f"{kind}-{secret(number)}"
    made = Token(f"{kind} {number}", kind, user, team.id, tuple(scopes), value)
    fake.tokens[value] = made
    shown: dict[str, Any] = {
        "access_token": value,
        "token_type": "bot" if kind == "xoxb" else "user",
        "scope": ",".join(scopes),
    }
    if rotating:
        made.expires = fake.time() + fake.rotating_last
        made.refresh = f"xoxe-1-{secret('refresh', number)}"
        shown |= {"refresh_token": made.refresh, "expires_in": int(fake.rotating_last)}
    return shown


def _refreshed(asked: Asked) -> dict[str, Any]:
    given, fake = asked.text("refresh_token"), asked.fake
    old = next((one for one in fake.tokens.values() if given and one.refresh == given), None)
    if old is None or old.revoked:
        raise Refusal("invalid_refresh_token")
    old.refresh, old.expires = "", 1.0
    team = fake.teams[old.team]
    made = _issued(fake, team, old.kind, old.user, old.scopes)
    team_shown = {"id": team.id, "name": team.name}
    made |= {"app_id": fake.app_id, "team": team_shown, "enterprise": None, "is_enterprise_install": False}
    if old.is_bot:
        return made | {"bot_user_id": old.user}
    return made | {"user_id": old.user}
