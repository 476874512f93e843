"""Where people have accounts: a provider as data, and this deployment's registration with it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from ringmain_core.errors import ConfigurationError

Json = Mapping[str, Any]
ClientAuthentication = Literal["client_secret_basic", "client_secret_post", "none"]

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose account it is at the provider.

    Attributes:
        id: Stays the same for ever; compared.
        label: For people: an e-mail address, a login.
    """

    id: str
    label: str


def as_it_is(answer: Json) -> Json:
    return answer


@dataclass(frozen=True, kw_only=True)
class Provider:
    """An OAuth 2.0 authorization server and its habits.

    Attributes:
        name: One word; it stands in paths and keys.
        title: For people.
        issuer: What it calls itself in `iss` (RFC 9207); an answer that names another one is refused.
        identify: Whose account it is, from the answer of `userinfo_endpoint`, or from the token response
            where there is none.
        revocation_endpoint: Takes tokens back (RFC 7009).
        revokes_what_it_is_shown: Whether that endpoint instead takes back the access token that authenticates
            the request, as Slack's does.
        scopes: Asked for every time, spelled as the provider repeats them in its token response.
        authorize_parameters: Sent along with the browser (`access_type=offline`).
        scope_parameter: The parameter that carries the scopes.
        scope_separator: What stands between them.
        sends_issuer: Whether an answer without `iss` is refused as well.
        read_response: Gives the token endpoint's answer the standard's shape, for providers that wrap it.
        dead_grant_errors: Errors of the token endpoint that say that a refresh token is of no use any more.
        grace: Seconds between two of them before that is believed: some say so of tokens that still work.
    """

    name: str
    title: str
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    identify: Callable[[Json], Identity]
    userinfo_endpoint: str | None = None
    revocation_endpoint: str | None = None
    revokes_what_it_is_shown: bool = False
    scopes: tuple[str, ...] = ()
    authorize_parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    client_authentication: ClientAuthentication = "client_secret_basic"
    scope_parameter: str = "scope"
    scope_separator: str = " "
    sends_issuer: bool = False
    read_response: Callable[[Json], Json] = as_it_is
    dead_grant_errors: frozenset[str] = frozenset({"invalid_grant"})
    grace: float = 0.0

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None:
            raise ConfigurationError(f"{self.name!r} cannot be the name of a provider: use a-z, 0-9 and -.")
        for endpoint in (
            self.authorization_endpoint,
            self.token_endpoint,
            self.userinfo_endpoint,
            self.revocation_endpoint,
        ):
            if endpoint is not None and not is_safe(endpoint):
                raise ConfigurationError(
                    f"{self.title}: {endpoint} is not https, and tokens would be readable on the way."
                )


@dataclass(frozen=True, slots=True)
class ProviderClient:
    """What a deployment has registered at a provider.

    Attributes:
        client_id: Of the registered app; accounts connected through another one cannot be refreshed.
        client_secret: `None` for public clients only.
    """

    provider: Provider
    client_id: str
    client_secret: SecretStr | None = None

    def __post_init__(self) -> None:
        if self.client_secret is None and self.provider.client_authentication != "none":
            raise ConfigurationError(
                f"{self.provider.title} wants a client secret beside the client id {self.client_id!r}."
            )


def is_safe(url: str) -> bool:
    """Whether what is sent to a URL cannot be read on the way: https, or this machine."""
    from ringmain_core.on_disk import is_loopback

    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = parts.hostname or ""
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))
