"""Speaks to a provider's endpoints: codes and refresh tokens become tokens, tokens become identities."""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

import anyio
from pydantic import SecretStr

from ringmain_core.identity.accounts.account import Tokens, early
from ringmain_core.identity.accounts.provider import Identity, ProviderClient
from ringmain_core.text import clean

if TYPE_CHECKING:
    import httpx2

_WITHIN = 10.0  # seconds for one request, all of it
_MOST_BYTES = 256 * 1024
_MOST_WORDS = 200


class Unreachable(Exception):
    """The provider did not answer, or not now; what was sent may have arrived."""


class Refused(Exception):
    """The provider said no, or something that is no answer.

    Attributes:
        error: The standard's code where there was one.
    """

    def __init__(self, error: object, description: object = "") -> None:
        self.error = _words(error) or "no_reason"
        self.description = _words(description)
        super().__init__(self.error)


class Endpoints:
    """One provider, as seen by one registered client. No redirect is followed; sizes and times are bounded.

    Args:
        client: The registration.
        make_http: Makes the HTTP client, once, at first use.
    """

    def __init__(
        self, client: ProviderClient, make_http: "Callable[[], httpx2.AsyncClient] | None" = None
    ) -> None:
        self._client = client
        self._make_http = make_http or _http
        self._http: httpx2.AsyncClient | None = None

    async def exchange(
        self, code: str, verifier: str, redirect_uri: str, asked: frozenset[str]
    ) -> tuple[Tokens, Identity]:
        """Turn an authorization code into tokens, and find out whose they are.

        Raises:
            Unreachable, Refused: Where that fails; the code is used up then.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
        }
        now = time.time()
        answer = await self._ask_for_tokens(form)
        tokens = _tokens(answer, now, asked, None)
        provider = self._client.provider
        about: Mapping[str, Any] = answer
        if provider.userinfo_endpoint is not None:
            bearer = {"Authorization": f"Bearer {tokens.access.get_secret_value()}"}
            status, body = await self._send("GET", provider.userinfo_endpoint, headers=bearer)
            about = _json(body) if status == 200 else {}
        try:
            identity = provider.identify(about)
        except (LookupError, TypeError, ValueError) as error:
            raise Refused("no_identity", "It does not say whose account this is.") from error
        return tokens, Identity(_words(identity.id), _words(identity.label))

    async def refresh(self, tokens: Tokens) -> Tokens:
        """Get new tokens for old ones; the old refresh token may be of no use from now on.

        Raises:
            Unreachable, Refused: Where that fails.
        """
        if tokens.refresh is None:
            raise Refused("no_refresh_token")
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh.get_secret_value()}
        now = time.time()
        return _tokens(await self._ask_for_tokens(form), now, tokens.scopes, tokens.refresh)

    async def revoke(self, tokens: Tokens) -> bool:
        """Give the tokens back; False where the provider has no endpoint for it.

        Raises:
            Unreachable, Refused: Where that fails.
        """
        provider = self._client.provider
        endpoint = provider.revocation_endpoint
        if endpoint is None:
            return False
        if provider.revokes_what_it_is_shown:
            bearer = {"Authorization": f"Bearer {tokens.access.get_secret_value()}"}
            status, body = await self._send("POST", endpoint, headers=bearer)
        else:
            kind, token = "access_token", tokens.access
            if tokens.refresh:
                kind, token = "refresh_token", tokens.refresh
            form = {"token": token.get_secret_value(), "token_type_hint": kind}
            status, body = await self._post(endpoint, form)
        error = _json(body).get("error")
        if status != 200 or error:
            raise Refused(error or f"http_{status}")
        return True

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def _ask_for_tokens(self, form: dict[str, str]) -> Mapping[str, Any]:
        status, body = await self._post(self._client.provider.token_endpoint, form)
        answer = self._client.provider.read_response(_json(body))
        if "error" in answer:  # some say so with status 200
            raise Refused(answer["error"], answer.get("error_description", ""))
        if status != 200:
            raise Refused(f"http_{status}")
        return answer

    async def _post(self, url: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        client, headers = self._client, dict[str, str]()
        secret = client.client_secret.get_secret_value() if client.client_secret is not None else ""
        match client.provider.client_authentication:
            case "client_secret_basic":
                pair = f"{quote(client.client_id, safe='')}:{quote(secret, safe='')}"
                headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            case "client_secret_post":
                form = {**form, "client_id": client.client_id, "client_secret": secret}
            case "none":
                form = {**form, "client_id": client.client_id}
        return await self._send("POST", url, data=form, headers=headers)

    async def _send(
        self, method: str, url: str, *, headers: dict[str, str], data: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body; `Unreachable` for everything that may be better later."""
        import httpx2

        if self._http is None:
            self._http = self._make_http()
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        body = bytearray()
        try:
            with anyio.fail_after(_WITHIN):
                async with self._http.stream(method, url, data=data, headers=headers) as response:
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        if len(body) > _MOST_BYTES:
                            raise Refused("too_large", "Its answer is larger than any real one.")
        except (httpx2.HTTPError, TimeoutError) as error:
            raise Unreachable(type(error).__name__) from None
        if response.status_code >= 500 or response.status_code == 429:
            raise Unreachable(f"status {response.status_code}")
        return response.status_code, bytes(body)


def _http() -> "httpx2.AsyncClient":
    import httpx2

    return httpx2.AsyncClient(follow_redirects=False, timeout=httpx2.Timeout(_WITHIN, connect=5.0))


def _tokens(
    answer: Mapping[str, Any], asked_at: float, asked: frozenset[str], before: SecretStr | None
) -> Tokens:
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(access, str) or not access:
        raise Refused("invalid_response", "It has sent no access token.")
    if str(answer.get("token_type", "bearer")).lower() != "bearer":
        raise Refused("invalid_response", "Its tokens are not bearer tokens.")
    lifetime = _seconds(answer.get("expires_in"))
    granted = answer.get("scope")
    return Tokens(
        access=SecretStr(access),
        refresh=SecretStr(refresh) if isinstance(refresh, str) and refresh else before,
        scopes=frozenset(re.split(r"[\s,]+", granted.strip())) if isinstance(granted, str) else asked,
        expires_at=None if lifetime is None else asked_at + lifetime,
        refresh_at=None if lifetime is None else early(asked_at, lifetime),
    )


def _seconds(value: object) -> float | None:
    """A lifetime, which some send as text; `None` for what is none (GitHub's classic tokens have no end)."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value[:12])
    return float(value) if isinstance(value, int | float) and 0 < value < 10**12 else None


def _json(body: bytes) -> Mapping[str, Any]:
    """The object in a body; an empty one where there is none."""
    try:
        answer: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}


def _words(value: object) -> str:
    """Foreign text, harmless and short."""
    return clean(str(value)).replace("\n", " ").strip()[:_MOST_WORDS]
