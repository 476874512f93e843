"""Who a token is, and where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ringmain_slack.client import Reply
from ringmain_slack.settings import Kind

_TYPES: Mapping[Kind, tuple[str, str]] = {
    "public": ("public_channel", "channels:read"),
    "private": ("private_channel", "groups:read"),
    "group": ("mpim", "mpim:read"),
    "dm": ("im", "im:read"),
}


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

    def types(self, kinds: Iterable[Kind] = ("public", "private", "dm", "group")) -> str:
        """What to ask Slack's lists for: of these kinds those that the token may list, in Slack's words.

        All of them where that is none, so that Slack's refusal names the scope.
        """
        wanted = [_TYPES[kind] for kind in kinds]
        listed = [name for name, scope in wanted if not self.scopes or scope in self.scopes]
        return ",".join(listed or [name for name, _ in wanted])


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
