"""What an operator says about Google Drive."""

import os
import re
import sys
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode, SettingsConfigDict

from ringmain_core.on_disk import is_loopback
from ringmain_core.secrets import Secret
from ringmain_core.settings import ConnectorSettings

Tier = Literal["metadata", "read", "app", "full"]
"""How much of Drive is asked for: names only; reading; reading, and changing what was made here; all."""


def _url(value: str) -> str:
    match = re.fullmatch(r"(https?)://([a-z0-9.-]+|\[::1\])(:\d{1,5})?(/[\w./-]*)?", value, re.IGNORECASE)
    if match is None or (match[1].lower() == "http" and not is_loopback(match[2].strip("[]"))):
        raise ValueError("write it like https://www.googleapis.com")
    return value.rstrip("/")


def _listed(value: object) -> object:
    return (
        [one.strip().lower() for one in value.split(",") if one.strip()] if isinstance(value, str) else value
    )


Url = Annotated[str, AfterValidator(_url)]
Domains = Annotated[frozenset[str], NoDecode, BeforeValidator(_listed)]


class GDriveSettings(ConnectorSettings):
    """Read from `RINGMAIN_GDRIVE_*`: an OAuth client for accounts of callers, or a service account's key."""

    model_config = SettingsConfigDict(env_prefix="RINGMAIN_GDRIVE_")

    oauth_client_id: Annotated[
        str | None, Field(description="Of the OAuth client with which each caller connects an account.")
    ] = None
    oauth_client_secret: Annotated[Secret | None, Field(description="The secret of that client id.")] = None
    service_account_key: Annotated[
        Secret | None, Field(description="A service account's key, the JSON file's content, instead.")
    ] = None
    subject: Annotated[
        str | None,
        Field(description="Whom the service account acts for (domain-wide delegation), by e-mail address."),
    ] = None
    subject_claim: Annotated[
        str | None,
        Field(description="The claim of a caller's token that names them instead: `email`, as a rule."),
    ] = None
    subject_domains: Annotated[
        Domains, Field(description="Domains of those whom it may act for, with commas; needed with a claim.")
    ] = frozenset()
    access: Annotated[
        Tier, Field(description="What is asked for: metadata, read, app (read, and change own files), full.")
    ] = "app"
    share_domains: Annotated[
        Domains, Field(description="Domains that files may be shared with; the own Workspace's if left out.")
    ] = frozenset()
    public_links: Annotated[
        bool, Field(description="Whether files may be shared with everybody who has the link.")
    ] = False
    raw_queries: Annotated[bool, Field(description="Let `search` take queries in Drive's own language.")] = (
        False
    )
    searches: dict[str, str] = Field(
        default_factory=dict,
        description="Saved searches, as JSON of names and queries in Drive's own language.",
    )
    cache_bytes: Annotated[
        int, Field(ge=0, description="Bytes of extracted text that are kept, so that a re-read is cheap.")
    ] = 64 * 1024 * 1024
    most_bytes: Annotated[int, Field(ge=1024, description="Most bytes of a file to read or write.")] = (
        50 * 1024 * 1024
    )
    url: Annotated[Url, Field(description="Where the API is.")] = "https://www.googleapis.com"
    authorize_url: Annotated[Url, Field(description="Where people allow access, in Google's universe.")] = (
        "https://accounts.google.com/o/oauth2/v2/auth"
    )
    token_url: Annotated[Url, Field(description="Where tokens come from.")] = (
        "https://oauth2.googleapis.com/token"  # noqa: S105 (an address)
    )
    at_once: Annotated[int, Field(ge=1, le=64, description="Requests to Drive side by side.")] = 8
    request_timeout: Annotated[float, Field(gt=0, description="Seconds to wait for one answer of Drive.")] = (
        30.0
    )
    limit_patience: Annotated[
        float,
        Field(
            ge=0, description="Most seconds that a call waits where Drive asks for a pause; then it says so."
        ),
    ] = 10.0


def bare_environment() -> Mapping[str, str]:
    """What a Python process needs to find its modules, and nothing of what else is set here: no secrets."""
    found = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    root = os.environ.get("SYSTEMROOT")
    return found | {"SYSTEMROOT": root} if root else found  # without it, Windows starts nothing
