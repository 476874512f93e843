"""What an operator says about Slack."""

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode, SettingsConfigDict

from ringmain_core.on_disk import is_loopback
from ringmain_core.secrets import Secret
from ringmain_core.settings import ConnectorSettings

Kind = Literal["public", "private", "dm", "group"]
"""Of a conversation: a public or private channel, a direct message, a group's direct messages."""


def _slack_url(value: str) -> str:
    match = re.fullmatch(r"(https?)://([a-z0-9.-]+|\[::1\])(:\d{1,5})?/?", value, re.IGNORECASE | re.ASCII)
    if match is None or (match[1].lower() == "http" and not is_loopback(match[2].strip("[]"))):
        raise ValueError("write it like https://slack.com, without a path")
    return value.lower().rstrip("/")


def _listed(value: object) -> object:
    return [one.strip() for one in value.split(",") if one.strip()] if isinstance(value, str) else value


class SlackSettings(ConnectorSettings):
    """Read from `RINGMAIN_SLACK_*`: a token, tokens of several workspaces, or an app."""

    model_config = SettingsConfigDict(env_prefix="RINGMAIN_SLACK_")

    token: Annotated[
        Secret | None,
        Field(description="A bot (`xoxb-`) or user token (`xoxp-`); everybody here acts with it."),
    ] = None
    tokens: dict[str, Secret] = Field(
        default_factory=dict,
        description='Of several workspaces, by domain, as JSON: `{"acme": "xoxb-…", "labs": "…"}`.',
    )
    app_token: Annotated[
        Secret | None,
        Field(description="An app-level token (`xapp-`): changes are then heard at once, by Socket Mode."),
    ] = None
    oauth_client_id: Annotated[
        str | None, Field(description="Of the Slack app with which each caller connects an account.")
    ] = None
    oauth_client_secret: Annotated[Secret | None, Field(description="The secret of that client id.")] = None
    oauth_scopes: Annotated[
        str | None, Field(description="What accounts are asked for; by default all that the tools need.")
    ] = None
    conversations: Annotated[
        frozenset[Kind],
        NoDecode,
        BeforeValidator(_listed),
        Field(
            description="Kinds that may be used where no policy fences channels: public, private, dm, group."
        ),
    ] = frozenset({"public"})
    index: Annotated[
        Path | None,
        Field(description="A file for the search index of bot tokens; in memory if left out."),
    ] = None
    index_messages: Annotated[
        int, Field(ge=1_000, description="Most messages in the search index; the oldest go first.")
    ] = 200_000
    url: Annotated[
        Annotated[str, AfterValidator(_slack_url)], Field(description="Slack, or GovSlack at slack-gov.com.")
    ] = "https://slack.com"
    at_once: Annotated[int, Field(ge=1, le=64, description="Requests to Slack side by side.")] = 8
    request_timeout: Annotated[float, Field(gt=0, description="Seconds to wait for one answer of Slack.")] = (
        15.0
    )
    limit_patience: Annotated[
        float,
        Field(ge=0, description="Most seconds that a call waits for one of Slack's limits; then it says so."),
    ] = 10.0

    rates: Annotated[
        float, Field(gt=0, description="How many times Slack's published rates the app is given.")
    ] = 1.0

    @cached_property
    def api_url(self) -> str:
        """Where the Web API is, with a slash at the end."""
        return f"{self.url}/api/"
