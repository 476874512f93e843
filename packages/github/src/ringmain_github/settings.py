"""What an operator says about GitHub."""

import os
import re
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from ringmain_core.on_disk import is_loopback
from ringmain_core.secrets import Secret
from ringmain_core.settings import ConnectorSettings


def _host_url(value: str) -> str:
    match = re.fullmatch(r"(https?)://([a-z0-9.-]+|\[::1\])(:\d{1,5})?/?", value, re.IGNORECASE | re.ASCII)
    if match is None or (match[1].lower() == "http" and not is_loopback(match[2].strip("[]"))):
        raise ValueError("write it like https://github.example.com, without a path")
    return value.lower().rstrip("/")


class GitHubSettings(ConnectorSettings):
    """Read from `RINGMAIN_GITHUB_*`: a token, an app, or an OAuth app with which callers connect accounts."""

    model_config = SettingsConfigDict(env_prefix="RINGMAIN_GITHUB_")

    token: Annotated[
        Secret | None,
        Field(description="A personal access token, fine-grained or classic; everybody here acts with it."),
    ] = None
    app_id: Annotated[
        str | None, Field(description="Id or client id of a GitHub App, instead of a token.")
    ] = None
    app_private_key: Annotated[
        Secret | None, Field(description="The app's private key, PEM; its tokens are made and renewed here.")
    ] = None
    app_installation: Annotated[
        int | None,
        Field(description="The installation to use; by default the one at the repository's owner."),
    ] = None
    oauth_client_id: Annotated[
        str | None, Field(description="Of an OAuth or GitHub App with which each caller connects an account.")
    ] = None
    oauth_client_secret: Annotated[Secret | None, Field(description="The secret of that client id.")] = None
    oauth_scopes: Annotated[str, Field(description="What accounts are asked for; GitHub Apps ignore it.")] = (
        "repo read:org workflow"
    )
    url: Annotated[
        Annotated[str, AfterValidator(_host_url)],
        Field(description="GitHub as browsers reach it: GitHub Enterprise Server and ghe.com work, too."),
    ] = "https://github.com"
    at_once: Annotated[int, Field(ge=1, le=64, description="Requests to GitHub side by side.")] = 8
    request_timeout: Annotated[
        float, Field(gt=0, description="Seconds to wait for one answer of GitHub.")
    ] = 15.0
    limit_patience: Annotated[
        float,
        Field(
            ge=0, description="Most seconds that a call waits where GitHub asks for a pause; then it says so."
        ),
    ] = 10.0

    @cached_property
    def api_url(self) -> str:
        """Where the REST API is, without a slash at the end."""
        scheme, _, host = self.url.partition("://")
        if host == "github.com" or host.endswith(".ghe.com"):
            return f"{scheme}://api.{host}"
        return f"{self.url}/api/v3"

    @cached_property
    def trusted_certificates(self) -> str | None:
        """A file or folder of certificates that the operator trusts instead of the usual ones."""
        return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
