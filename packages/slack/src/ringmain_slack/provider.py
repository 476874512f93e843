"""Slack as a place where callers have accounts of their own."""

from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.accounts.provider import Identity, Json, Provider, ProviderClient
from ringmain_slack.permissions import every_scope
from ringmain_slack.settings import SlackSettings


def provider(settings: SlackSettings) -> ProviderClient | None:
    """The provider, where the operator has registered an app for it.

    Raises:
        ConfigurationError: Where only half of the registration is set.
    """
    if settings.oauth_client_id is None and settings.oauth_client_secret is None:
        return None
    if settings.oauth_client_id is None or settings.oauth_client_secret is None:
        raise ConfigurationError(
            "RINGMAIN_SLACK_OAUTH_CLIENT_ID and RINGMAIN_SLACK_OAUTH_CLIENT_SECRET go together."
        )
    asked = settings.oauth_scopes
    scopes = every_scope(is_bot=False) if asked is None else asked.replace(",", " ").split()
    slack = Provider(
        name="slack",
        title="Slack",
        issuer=settings.url,
        authorization_endpoint=f"{settings.url}/oauth/v2/authorize",
        token_endpoint=f"{settings.api_url}oauth.v2.access",
        revocation_endpoint=f"{settings.api_url}auth.revoke",
        revokes_what_it_is_shown=True,
        identify=_identify,
        scopes=tuple(scopes),
        scope_parameter="user_scope",
        scope_separator=",",
        read_response=_read,
        dead_grant_errors=frozenset({"invalid_refresh_token", "token_revoked", "invalid_grant"}),
    )
    return ProviderClient(slack, settings.oauth_client_id, settings.oauth_client_secret)


def _read(answer: Json) -> Json:
    """Slack puts a user's token beside the bot's, and its scopes with commas."""
    person: Json = answer.get("authed_user") or {}
    found = {**answer, **{name: value for name, value in person.items() if name != "id"}}
    if "access_token" in found:
        found |= {"token_type": "bearer"}  # Slack says whose it is there
    if "scope" in found:
        found["scope"] = str(found["scope"]).replace(",", " ")
    if person:
        found["user_id"] = person["id"]
    return found


def _identify(answer: Json) -> Identity:
    team: Json = answer["team"]
    return Identity(f"{team['id']}/{answer['user_id']}", f"{answer['user_id']} at {team['name']}")
