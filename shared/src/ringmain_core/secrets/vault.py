"""Vault and OpenBao: KV version 2 secrets, read with a token that is kept alive."""

import math
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from ringmain_core.secrets.local import opened_locally, service_account
from ringmain_core.secrets.reference import Unresolved
from ringmain_core.secrets.settings import VaultSettings
from ringmain_core.secrets.sources import OutOfReach

_SECONDS = 5.0
_RENEW_AFTER = 0.6  # of a lease
_AGAIN = frozenset({408, 412, 429})


@dataclass(frozen=True, slots=True)
class _Login:
    """A token at work.

    Attributes:
        granted: Seconds that it was given at the login; 0 where it never ends.
        renew_at: When to ask for more time, on the monotonic clock.
    """

    token: str
    granted: float
    renewable: bool
    renew_at: float


class Vault:
    """A client that reads. It logs in when first asked, and again when its token has ended."""

    def __init__(self, settings: VaultSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._login: _Login | None = None
        self._mounts: dict[str, str] = {}
        headers = {"X-Vault-Request": "true"}
        if settings.namespace:
            headers["X-Vault-Namespace"] = settings.namespace
        self._http = httpx2.Client(
            base_url=f"{settings.addr}/v1/",
            headers=headers,
            timeout=_SECONDS,
            limits=httpx2.Limits(max_keepalive_connections=0),  # the process may fork between two readings
            verify=_trust(settings),
            trust_env=urlsplit(settings.addr).scheme == "https",  # no token goes through a proxy in the clear
        )

    def due(self) -> float | None:
        """Seconds until the token should be renewed."""
        if self._login is None or math.isinf(self._login.renew_at):
            return None
        return max(0.0, self._login.renew_at - self._clock())

    def read(self, place: str) -> Mapping[str, Any]:
        """The newest version of a secret, by its path as `kv get` takes it."""
        token = self._valid_token()
        answer = self._get(place, token)
        if answer.status_code == 403 and self._ended(token):
            answer = self._get(place, self._log_in().token)
        if answer.status_code == 403:
            raise Unresolved(
                "Vault does not let this token read it: its policy may not allow it, or it has ended"
            )
        if answer.status_code == 404:
            self._mounts.pop(place, None)
            raise Unresolved("Vault has no such secret, or its newest version is deleted")
        data = _content(answer, "data").get("data")
        if not isinstance(data, dict):
            raise Unresolved("Vault answers something that is not a KV version 2 secret")
        return data  # pyright: ignore[reportUnknownVariableType]

    def _get(self, place: str, token: str) -> httpx2.Response:
        mount = self._mounts.get(place)
        if mount is None:
            mount = self._mount_of(place, token)
        rest = f"{place}/".removeprefix(mount).rstrip("/")
        return self._send("GET", f"{mount}data/{rest}", token)

    def _mount_of(self, place: str, token: str) -> str:
        """The secrets engine that a path is in, with a slash at its end; a mount may have several parts."""
        answer = self._send("GET", f"sys/internal/ui/mounts/{place}", token)
        if answer.status_code != 200:  # it is not for everybody; the usual mount has one part
            return place.partition("/")[0] + "/"
        engine = _content(answer, "data")
        options = engine.get("options")
        if not isinstance(options, dict) or options.get("version") != "2":  # pyright: ignore[reportUnknownMemberType]
            raise Unresolved(f"Vault keeps no KV version 2 secrets at {engine.get('path', place)}")
        mount = self._mounts[place] = str(engine["path"])
        return mount

    def _valid_token(self) -> str:
        login = self._login
        if login is None or (self._clock() >= login.renew_at and not self._renewed(login)):
            login = self._log_in()
        return login.token

    def _renewed(self, login: _Login) -> bool:
        """Ask for more time; False where a new login is due, also because the token comes to its last end."""
        if not login.renewable:
            return False
        answer = self._send("POST", "auth/token/renew-self", login.token, {})
        if answer.status_code != 200:
            return False
        seconds = float(_content(answer, "auth").get("lease_duration") or 0)
        if seconds < login.granted / 2:
            return False
        self._login = _Login(login.token, login.granted, login.renewable, self._renewal(seconds))
        return True

    def _ended(self, token: str) -> bool:
        return self._send("GET", "auth/token/lookup-self", token).status_code == 403

    def _log_in(self) -> _Login:
        settings = self._settings
        if settings.token is not None:
            token = opened_locally(settings.token.get_secret_value(), "RINGMAIN_VAULT_TOKEN")
            answer = self._send("GET", "auth/token/lookup-self", token)
            # A token without the usual policy may not look; whether it is of use, the reading shows.
            known = _content(answer, "data") if answer.status_code == 200 else {}
            seconds, renewable = known.get("ttl"), known.get("renewable")
        else:
            mount, credentials = self._credentials()
            answer = self._send("POST", f"auth/{mount}/login", None, credentials)
            if answer.status_code != 200:
                # Not tried again for the next secret: Vault locks out whoever fails too often.
                raise OutOfReach(f"Vault refuses the login at auth/{mount} (HTTP {answer.status_code})")
            granted = _content(answer, "auth")
            token = str(granted["client_token"])
            seconds, renewable = granted.get("lease_duration"), granted.get("renewable")
        lease = float(seconds or 0)
        self._login = _Login(token, lease, bool(renewable), self._renewal(lease))
        return self._login

    def _credentials(self) -> tuple[str, dict[str, str]]:
        settings = self._settings
        if settings.role_id is not None:
            credentials = {"role_id": settings.role_id}
            if settings.secret_id is not None:
                secret_id = settings.secret_id.get_secret_value()
                credentials["secret_id"] = opened_locally(secret_id, "RINGMAIN_VAULT_SECRET_ID")
            return settings.auth_mount.strip("/") or "approle", credentials
        mount = settings.auth_mount.strip("/") or "kubernetes"
        jwt = service_account(settings.kubernetes_token)
        return mount, {"role": settings.kubernetes_role or "", "jwt": jwt}

    def _renewal(self, seconds: float) -> float:
        return self._clock() + seconds * _RENEW_AFTER if seconds else math.inf

    def _send(
        self, method: str, path: str, token: str | None, body: dict[str, str] | None = None
    ) -> httpx2.Response:
        headers = {"X-Vault-Token": token} if token else {}
        try:
            answer = self._http.request(method, quote(path), headers=headers, json=body)
        except httpx2.HTTPError as error:
            # Only this text is about the connection alone; others may quote a header.
            said = f": {error}" if isinstance(error, httpx2.ConnectError) else ""
            raise OutOfReach(f"Vault cannot be reached ({type(error).__name__}{said})") from None
        if answer.is_redirect:
            raise OutOfReach("Vault sends elsewhere; set RINGMAIN_VAULT_ADDR to the node that is active")
        if answer.status_code >= 500 or answer.status_code in _AGAIN:
            raise OutOfReach(f"Vault is not ready (HTTP {answer.status_code}); it may be sealed")
        return answer


def _trust(settings: VaultSettings) -> ssl.SSLContext | bool:
    if settings.cacert is None:
        return True
    try:
        return ssl.create_default_context(cafile=settings.cacert)
    except OSError as error:
        name = type(error).__name__
        raise Unresolved(f"RINGMAIN_VAULT_CACERT: {settings.cacert}: cannot be used ({name})") from None


def _content(answer: httpx2.Response, part: str) -> dict[str, Any]:
    try:
        content = answer.json()[part]
        if answer.status_code == 200 and isinstance(content, dict):
            return content  # pyright: ignore[reportUnknownVariableType]
    except (ValueError, KeyError, TypeError):
        pass
    raise Unresolved(f"Vault answers something unexpected (HTTP {answer.status_code})")
