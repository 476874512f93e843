"""Whose token a request carries: the operator's, an app's at the owner, or the caller's own."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from ringmain_core.call import Call
from ringmain_core.errors import ConfigurationError, NotFound, UpstreamRefused
from ringmain_core.services import Services
from ringmain_core.upstream.guard import Guard
from ringmain_github.client import Client
from ringmain_github.failures import require_success
from ringmain_github.settings import GitHubSettings

if TYPE_CHECKING:
    from ringmain_core.identity.accounts.accounts import Accounts

_EARLY = 120.0  # seconds before its end that a token is not used any more
_INSTALLATIONS_KEPT = 300.0
_NEW_ONES_SEEN_AFTER = 30.0


class Credentials(Protocol):
    """Gives the token for a request.

    Attributes:
        kind: For people: what the token is.
    """

    kind: str

    async def token(self, call: Call | None, owner: str | None) -> str:
        """The token to use.

        Args:
            call: For whom; `None` for what the process does by itself.
            owner: Of the repository that it is about; `None` where it is about none.
        """
        ...

    def refused(self, token: str) -> None:
        """Hear that GitHub does not accept a token any more."""
        ...

    async def permissions(self, call: Call | None, owner: str | None) -> Mapping[str, str] | None:
        """What the token for these may do; `None` where only its use shows that."""
        ...

    async def owners(self) -> Sequence[str | None]:
        """Whose tokens there are, where there is one for each owner; else `None` alone."""
        ...


class PersonalToken:
    """One token of the operator's for everybody."""

    kind = "token"

    def __init__(self, settings: GitHubSettings) -> None:
        self._settings = settings

    async def token(self, call: Call | None, owner: str | None) -> str:  # noqa: ARG002
        if self._settings.token is None:
            raise ConfigurationError("RINGMAIN_GITHUB_TOKEN is not set")
        return self._settings.token.get_secret_value()

    def refused(self, token: str) -> None:
        """There is no other."""

    async def permissions(self, call: Call | None, owner: str | None) -> None:
        """Its headers tell, of a classic token."""

    async def owners(self) -> Sequence[None]:
        """It is the same everywhere."""
        return [None]


class OwnAccounts:
    """Each caller's own account; what the process does by itself needs a token or an app beside it."""

    kind = "own account"

    def __init__(self, accounts: "Accounts", process: Credentials | None) -> None:
        self._accounts = accounts
        self._process = process

    async def token(self, call: Call | None, owner: str | None) -> str:
        if call is not None:
            return (await self._accounts.token(call)).value.get_secret_value()
        if self._process is None:
            raise UpstreamRefused(
                "Changes can be followed only where the operator has set a token or an app, too."
            )
        return await self._process.token(None, owner)

    def refused(self, token: str) -> None:
        """The caller has one account; the process may have more tokens."""
        if self._process is not None:
            self._process.refused(token)

    async def permissions(self, call: Call | None, owner: str | None) -> Mapping[str, str] | None:
        """An account's headers tell."""
        return (
            None
            if call is not None or self._process is None
            else await self._process.permissions(None, owner)
        )

    async def owners(self) -> Sequence[str | None]:
        """Those of the process."""
        return [None] if self._process is None else await self._process.owners()


@dataclass(frozen=True, slots=True)
class _AppToken:
    value: str = field(repr=False)
    ends: float
    permissions: Mapping[str, str]


class AppTokens:
    """Tokens of a GitHub App's installations, made when first needed and again before they end."""

    kind = "app installation"

    def __init__(self, settings: GitHubSettings, client: Client, guard: Guard) -> None:
        self._settings = settings
        self._client = client
        self._guard = guard
        self._tokens: dict[int, _AppToken] = {}
        self._installations: dict[str, int] = {}
        self._listed_at = float("-inf")
        self._alone = anyio.Lock()

    async def token(self, call: Call | None, owner: str | None) -> str:  # noqa: ARG002
        return (await self._current(owner)).value

    async def permissions(self, call: Call | None, owner: str | None) -> Mapping[str, str]:  # noqa: ARG002
        """What the app was given there."""
        return (await self._current(owner)).permissions

    def refused(self, token: str) -> None:
        """Make another one the next time."""
        self._tokens = {at: kept for at, kept in self._tokens.items() if kept.value != token}

    async def _current(self, owner: str | None) -> "_AppToken":
        async with self._alone:
            installation = self._settings.app_installation or await self._installation_at(owner)
            kept = self._tokens.get(installation)
            if kept is None or time.time() > kept.ends - _EARLY:
                made = await self._ask("POST", f"/app/installations/{installation}/access_tokens")
                ends = datetime.fromisoformat(made["expires_at"]).timestamp()
                kept = self._tokens[installation] = _AppToken(
                    made["token"], ends, made.get("permissions") or {}
                )
            return kept

    async def owners(self) -> Sequence[str | None]:
        """Where it is installed."""
        if self._settings.app_installation is not None:
            return [None]
        async with self._alone:
            await self._list_installations(_NEW_ONES_SEEN_AFTER)
        return sorted(self._installations)

    async def _list_installations(self, after: float) -> None:
        """See where the app is installed, if it is so many seconds since it was seen."""
        if time.monotonic() - self._listed_at <= after:
            return
        found: list[Any] = []
        page = 1
        while rows := await self._ask("GET", f"/app/installations?per_page=100&page={page}"):
            found += rows
            page += 1
        self._installations = {
            row["account"]["login"].lower(): row["id"]
            for row in found
            if "login" in (row["account"] or {})  # one at an enterprise has none, nor repositories
        }
        self._listed_at = time.monotonic()

    async def _installation_at(self, owner: str | None) -> int:
        known = owner is None or owner.lower() in self._installations
        await self._list_installations(_INSTALLATIONS_KEPT if known else _NEW_ONES_SEEN_AFTER)
        if owner is not None:
            if owner.lower() in self._installations:
                return self._installations[owner.lower()]
            raise NotFound(f"The GitHub App is not installed at `{owner}`: somebody there has to install it.")
        if len(self._installations) == 1:
            return next(iter(self._installations.values()))
        raise NotFound(
            f"The GitHub App is installed at {len(self._installations)} owners: name a repository."
        )

    async def _ask(self, verb: str, path: str) -> Any:
        key = self._settings.app_private_key
        if self._settings.app_id is None or key is None:
            raise ConfigurationError("RINGMAIN_GITHUB_APP_ID and RINGMAIN_GITHUB_APP_PRIVATE_KEY go together")
        pem = key.get_secret_value().replace("\\n", "\n")
        try:
            statement = self._client.app_token(self._settings.app_id, pem)
        except ValueError:
            said = "The GitHub App's private key cannot be read: the operator should check it."
            raise UpstreamRefused(said) from None

        def ask() -> Any:
            reply = self._client.request(statement, verb, path)
            require_success(reply)
            return reply.json()

        # Nobody minds one token more: the last one made is used, and all of them end within the hour.
        return await self._guard.call_in_thread(ask, access="read", name=f"app {verb}")


def credentials_of(settings: GitHubSettings, services: Services, client: Client, guard: Guard) -> Credentials:
    """As the settings want it.

    Raises:
        ConfigurationError: Where they say nothing, or contradict themselves.
    """
    process: Credentials | None = None
    if (settings.app_id is None) is not (settings.app_private_key is None):
        raise ConfigurationError("RINGMAIN_GITHUB_APP_ID and RINGMAIN_GITHUB_APP_PRIVATE_KEY go together.")
    if settings.token is not None and settings.app_id is not None:
        raise ConfigurationError("Set RINGMAIN_GITHUB_TOKEN or RINGMAIN_GITHUB_APP_ID, not both.")
    if settings.token is not None:
        process = PersonalToken(settings)
    if settings.app_id is not None:
        process = AppTokens(settings, client, guard)
    if services.accounts is not None:
        return OwnAccounts(services.accounts, process)
    if process is None:
        raise ConfigurationError(
            "no credentials are set: give RINGMAIN_GITHUB_TOKEN, or an app by RINGMAIN_GITHUB_APP_ID and "
            "RINGMAIN_GITHUB_APP_PRIVATE_KEY, or accounts by RINGMAIN_GITHUB_OAUTH_CLIENT_ID and _SECRET."
        )
    return process
