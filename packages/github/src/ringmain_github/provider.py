"""GitHub as a place where callers have accounts of their own."""

from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.accounts.provider import Identity, Json, Provider, ProviderClient
from ringmain_github.settings import GitHubSettings


def provider(settings: GitHubSettings) -> ProviderClient | None:
    """The provider, where the operator has registered an app for it.

    Raises:
        ConfigurationError: Where only half of the registration is set.
    """
    if settings.oauth_client_id is None and settings.oauth_client_secret is None:
        return None
    if settings.oauth_client_id is None or settings.oauth_client_secret is None:
        raise ConfigurationError(
            "RINGMAIN_GITHUB_OAUTH_CLIENT_ID and RINGMAIN_GITHUB_OAUTH_CLIENT_SECRET go together."
        )
    github = Provider(
        name="github",
        title="GitHub",
        issuer=settings.url,
        authorization_endpoint=f"{settings.url}/login/oauth/authorize",
        token_endpoint=f"{settings.url}/login/oauth/access_token",
        userinfo_endpoint=f"{settings.api_url}/user",
        identify=_identify,
        scopes=tuple(settings.oauth_scopes.split()),
        client_authentication="client_secret_post",
        dead_grant_errors=frozenset({"bad_refresh_token", "invalid_grant"}),
    )
    return ProviderClient(github, settings.oauth_client_id, settings.oauth_client_secret)


def _identify(answer: Json) -> Identity:
    return Identity(str(answer["id"]), str(answer["login"]))
