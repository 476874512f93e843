"""Who a token is, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ringmain_slack.client import Reply


@dataclass(frozen=True, slots=True)
class Identity:
    """What `auth.test` says of a token.

    Attributes:
        team: Id of the workspace.
        domain: Its name in addresses: `acme` of acme.slack.com.
        url: Where browsers find it, with a slash at the end.
        user: Id of the user that the token acts as.
        handle: Its name.
        is_bot: Whether it is a bot's token, which Slack lets do other things than a user's.
        scopes: What the token may do, as Slack's headers say.
    """

    team: str
    team_name: str
    domain: str
    url: str
    user: str
    handle: str
    is_bot: bool
    scopes: frozenset[str]


def identity_of(reply: Reply) -> Identity:
    """From the answer of `auth.test`."""
    said: Mapping[str, str] = reply.data
    url = said["url"]
    scopes = reply.headers.get("x-oauth-scopes", "")
    return Identity(
        team=said["team_id"],
        team_name=said["team"],
        domain=(urlsplit(url).hostname or said["team"]).partition(".")[0],
        url=url,
        user=said["user_id"],
        handle=said["user"],
        is_bot="bot_id" in said,
        scopes=frozenset(scope.strip() for scope in scopes.split(",") if scope.strip()),
    )
