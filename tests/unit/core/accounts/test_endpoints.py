"""What a provider may answer, and what is made of it."""

import time
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.accounts.account import Tokens
from ringmain_core.identity.accounts.endpoints import Endpoints, Refused, Unreachable
from ringmain_core.identity.accounts.provider import Identity, Json, Provider, ProviderClient
from unit.core.accounts.desk import DESK

pytestmark = pytest.mark.anyio

Seen = list[httpx2.Request]
HUSH = "hush"


def about(answer: Json) -> Identity:
    return Identity(str(answer["user"]), "Somebody")


def endpoints(
    answer: httpx2.Response | dict[str, Any], secret: str | None = HUSH, **habits: Any
) -> tuple[Endpoints, Seen]:
    """A provider that always says the same."""
    seen: Seen = []

    def respond(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return answer if isinstance(answer, httpx2.Response) else httpx2.Response(200, json=answer)

    given: dict[str, Any] = {
        "name": "desk",
        "title": "Desk",
        "issuer": "https://desk.example.com",
        "authorization_endpoint": "https://desk.example.com/authorize",
        "token_endpoint": "https://desk.example.com/token",
        "revocation_endpoint": "https://desk.example.com/revoke",
        "identify": about,
    }
    client = ProviderClient(
        Provider(**(given | habits)), "client", None if secret is None else SecretStr(secret)
    )
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(respond))
    return Endpoints(client, lambda: http), seen


async def exchanged(answer: httpx2.Response | dict[str, Any], **habits: Any) -> tuple[Tokens, Identity]:
    at, _ = endpoints(answer, **habits)
    try:
        return await at.exchange("code", "verifier", "https://us.example.com/back", frozenset({"asked"}))
    finally:
        await at.close()


async def refused(answer: httpx2.Response | dict[str, Any], **habits: Any) -> str:
    with pytest.raises(Refused) as refusal:
        await exchanged(answer, **habits)
    return refusal.value.error


async def test_a_plain_answer() -> None:
    now = time.time()
    tokens, identity = await exchanged(
        {"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": "100", "user": 7}
    )
    assert (tokens.access.get_secret_value(), tokens.scopes) == ("a", {"asked"})
    assert tokens.refresh == SecretStr("r")
    assert tokens.expires_at is not None
    assert tokens.refresh_at is not None
    assert now + 100 <= tokens.expires_at < now + 110
    assert tokens.expires_at - tokens.refresh_at == pytest.approx(10)
    assert identity == Identity("7", "Somebody")


async def test_scopes_may_be_separated_by_commas_and_tokens_need_no_end() -> None:
    tokens, _ = await exchanged({"access_token": "a", "scope": "repo,read:org user", "user": 1})
    assert (tokens.scopes, tokens.refresh, tokens.expires_at) == ({"repo", "read:org", "user"}, None, None)
    assert tokens.are_fresh
    assert tokens.still_work


async def test_a_provider_that_wraps_its_answer() -> None:
    def inside(answer: Json) -> Json:
        return answer if "error" in answer else {**answer["authed_user"], "user": answer["authed_user"]["id"]}

    wrapped = {"ok": True, "authed_user": {"id": "U1", "access_token": "xoxp", "scope": "search:read"}}
    tokens, identity = await exchanged(wrapped, read_response=inside)
    assert (tokens.access.get_secret_value(), identity.id) == ("xoxp", "U1")
    assert await refused({"ok": False, "error": "invalid_code"}, read_response=inside) == "invalid_code"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"error": "bad_verification_code"}, "bad_verification_code"),
        (httpx2.Response(400, json={"error": "invalid_grant"}), "invalid_grant"),
        (httpx2.Response(400, text="<html>"), "http_400"),
        (httpx2.Response(302, headers={"location": "https://evil.example"}), "http_302"),
        (httpx2.Response(200, text="[]"), "invalid_response"),
        (httpx2.Response(200, text="[" * 100_000), "invalid_response"),
        ({"access_token": "", "user": 1}, "invalid_response"),
        ({"access_token": ["a"], "user": 1}, "invalid_response"),
        ({"access_token": "a", "token_type": "DPoP", "user": 1}, "invalid_response"),
        ({"access_token": "a"}, "no_identity"),
        ({"error": {"nested": "\u202e" + "x" * 500}}, "{'nested': '\\u202e" + "x" * 182),
        (httpx2.Response(200, content=b" " * 300_000), "too_large"),
    ],
)
async def test_answers_that_are_none(answer: httpx2.Response | dict[str, Any], error: str) -> None:
    assert await refused(answer) == error


async def test_a_redirect_is_not_followed() -> None:
    at, seen = endpoints(httpx2.Response(307, headers={"location": "https://evil.example/token"}))
    with pytest.raises(Refused, match="http_307"):
        await at.refresh(Tokens(SecretStr("a"), SecretStr("r"), frozenset(), None, None))
    assert [str(request.url) for request in seen] == ["https://desk.example.com/token"]
    await at.close()


@pytest.mark.parametrize(
    ("how", "secret", "authorization", "in_form"),
    [
        ("client_secret_basic", "a b:c", "Basic Y2xpZW50OmElMjBiJTNBYw==", {}),
        ("client_secret_post", "hush", None, {"client_id": "client", "client_secret": "hush"}),
        ("none", None, None, {"client_id": "client"}),
    ],
)
async def test_how_the_client_says_who_it_is(
    how: str, secret: str | None, authorization: str | None, in_form: dict[str, str]
) -> None:
    at, seen = endpoints({"access_token": "b"}, secret, client_authentication=how)
    await at.refresh(Tokens(SecretStr("a"), SecretStr("r"), frozenset(), None, None))
    await at.close()
    form = dict(pair.split("=") for pair in seen[0].content.decode().split("&"))
    assert form == {"grant_type": "refresh_token", "refresh_token": "r", **in_form}
    assert seen[0].headers.get("authorization") == authorization


async def test_revoking_names_the_token_that_ends_most() -> None:
    both = Tokens(SecretStr("a"), SecretStr("r"), frozenset(), None, None)
    at, seen = endpoints(httpx2.Response(200))
    assert await at.revoke(both) is True
    assert await at.revoke(Tokens(SecretStr("a"), None, frozenset(), None, None)) is True
    await at.close()
    assert [request.content.decode() for request in seen] == [
        "token=r&token_type_hint=refresh_token",
        "token=a&token_type_hint=access_token",
    ]
    without, seen = endpoints(httpx2.Response(200), revocation_endpoint=None)
    assert (await without.revoke(both), seen) == (False, [])
    broken, _ = endpoints(httpx2.Response(503))
    with pytest.raises(Unreachable, match="status 503"):
        await broken.revoke(both)
    refusing, _ = endpoints(httpx2.Response(400, json={"error": "unsupported_token_type"}))
    with pytest.raises(Refused, match="unsupported_token_type"):
        await refusing.revoke(both)
    for each in (broken, refusing):
        await each.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://desk.example.com/token",
        "http://127.0.0.1.evil.example/",
        "ftp://127.0.0.1/",
        "https://",
        "//x",
        "",
    ],
)
def test_endpoints_that_others_could_listen_to_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="is not https"):
        Provider(
            name="desk",
            title="Desk",
            issuer=DESK.issuer,
            authorization_endpoint=DESK.authorization_endpoint,
            token_endpoint=url,
            identify=about,
        )


@pytest.mark.parametrize("name", ["", "Desk", "a/b", "..", "a b"])
def test_a_name_that_is_no_word_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name"):
        Provider(
            name=name,
            title="Desk",
            issuer=DESK.issuer,
            authorization_endpoint=DESK.authorization_endpoint,
            token_endpoint=DESK.token_endpoint,
            identify=about,
        )


def test_a_missing_client_secret_is_noticed_at_the_start() -> None:
    with pytest.raises(ConfigurationError, match="Desk wants a client secret"):
        ProviderClient(DESK, "client")
    assert "hush" not in repr(ProviderClient(DESK, "client", SecretStr("hush")))
