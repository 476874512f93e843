"""Whose token a request carries: the operator's for a workspace, or the caller's own."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import SecretStr

from ringmain_core.call import Call
from ringmain_core.errors import ConfigurationError, NotFound, UpstreamRefused
from ringmain_core.services import Services
from ringmain_slack.settings import SlackSettings

if TYPE_CHECKING:
    from ringmain_core.identity.accounts.accounts import Accounts

_ONLY = ""
_KINDS = ("xoxb-", "xoxp-", "xoxe.xoxb-", "xoxe.xoxp-")


class Credentials:
    """Gives the token for a workspace and call.

    Args:
        tokens: Of the operator, by the names of workspaces; `""` for a single one without a name.
        accounts: Of callers; where there are some, the operator's tokens serve only the process itself.
    """

    def __init__(self, tokens: Mapping[str, SecretStr], accounts: "Accounts | None") -> None:
        self._tokens = tokens
        self._accounts = accounts

    @property
    def kind(self) -> str:
        """For people: what is used."""
        return "own account" if self._accounts is not None else "token"

    def names(self, call: Call | None) -> list[str]:
        """The workspaces that the operator has named, for those who use the operator's tokens."""
        return [name for name in self._tokens if name != _ONLY] if self._is_operators(call) else []

    def _is_operators(self, call: Call | None) -> bool:
        return call is None or self._accounts is None

    @property
    def can_follow(self) -> bool:
        """Whether the process has a token of its own."""
        return bool(self._tokens)

    async def token(self, call: Call | None, workspace: str | None) -> str:
        """The token to use.

        Args:
            call: For whom; `None` for what the process does by itself.
            workspace: Its name; `None` for the only one there is.

        Raises:
            AccountNeeded: Where the caller has to connect an account first.
            NotFound: Where there is no such workspace, or several and no name.
            UpstreamRefused: Where the process needs a token and has none.
        """
        if call is not None and self._accounts is not None:
            return (await self._accounts.token(call)).value.get_secret_value()
        if not self._tokens:
            raise UpstreamRefused("Changes can be followed only where the operator has set a token, too.")
        if _ONLY in self._tokens:
            return _checked(self._tokens[_ONLY])
        known = ", ".join(f"`{name}`" for name in self._tokens)
        if workspace is None and len(self._tokens) > 1:
            raise NotFound(f"Say which `workspace`: {known}; channels can be written as `workspace/channel`.")
        name = next(iter(self._tokens)) if workspace is None else workspace
        if name not in self._tokens:
            raise NotFound(f"There is no workspace `{name[:64]}`; there is {known}.")
        return _checked(self._tokens[name])


def _checked(secret: SecretStr) -> str:
    token = secret.get_secret_value()
    if not token.startswith(_KINDS):
        raise UpstreamRefused(
            "Only bot (`xoxb-`) and user tokens (`xoxp-`) are used; tokens of browser sessions never are. "
            "Tell the operator to set one.",
            cause="auth",
        )
    return token


def credentials_of(settings: SlackSettings, services: Services) -> Credentials:
    """As the settings want it.

    Raises:
        ConfigurationError: Where they say nothing, or contradict themselves.
    """
    if settings.token is not None and settings.tokens:
        raise ConfigurationError("Set RINGMAIN_SLACK_TOKEN or RINGMAIN_SLACK_TOKENS, not both.")
    tokens: dict[str, SecretStr] = dict(settings.tokens)
    if settings.token is not None:
        tokens = {_ONLY: settings.token}
    if not tokens and services.accounts is None:
        raise ConfigurationError(
            "no credentials are set: give RINGMAIN_SLACK_TOKEN, or RINGMAIN_SLACK_TOKENS for several, or "
            "accounts by RINGMAIN_SLACK_OAUTH_CLIENT_ID and _SECRET."
        )
    return Credentials(tokens, services.accounts)
