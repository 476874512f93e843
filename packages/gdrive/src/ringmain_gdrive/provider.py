"""Google as a place where callers have accounts of their own."""

from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.accounts.provider import Identity, Json, Provider, ProviderClient
from ringmain_gdrive.permissions import SCOPES
from ringmain_gdrive.settings import GDriveSettings

_PREFIX = "https://www.googleapis.com/auth/"
_GRACE = 600.0  # seconds: Google has said `invalid_grant` of tokens that worked again a moment later


def provider(settings: GDriveSettings) -> ProviderClient | None:
    """The provider, where the operator has registered a client for it.

    Raises:
        ConfigurationError: Where only half of the registration is set.
    """
    if settings.oauth_client_id is None and settings.oauth_client_secret is None:
        return None
    if settings.oauth_client_id is None or settings.oauth_client_secret is None:
        raise ConfigurationError(
            "RINGMAIN_GDRIVE_OAUTH_CLIENT_ID and RINGMAIN_GDRIVE_OAUTH_CLIENT_SECRET go together."
        )
    google = Provider(
        name="google",
        title="Google",
        issuer="https://accounts.google.com",
        authorization_endpoint=settings.authorize_url,
        token_endpoint=settings.token_url,
        userinfo_endpoint=f"{settings.url}/drive/v3/about?fields=user(emailAddress,permissionId)",
        revocation_endpoint=f"{settings.token_url.rpartition('/')[0]}/revoke",
        identify=_identify,
        scopes=tuple(f"{_PREFIX}{scope}" for scope in SCOPES[settings.access]),
        authorize_parameters={
            "access_type": "offline",
            "prompt": "consent",
            "include_granted_scopes": "true",
        },
        client_authentication="client_secret_post",
        grace=_GRACE,
    )
    return ProviderClient(google, settings.oauth_client_id, settings.oauth_client_secret)


def _identify(answer: Json) -> Identity:
    user: Json = answer["user"]
    return Identity(str(user["permissionId"]), str(user["emailAddress"]))
