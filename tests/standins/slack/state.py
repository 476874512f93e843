"""A Slack for tests, on a loopback port: `FakeSlack` holds its state and is what tests talk to.

```python
fake = FakeSlack()                               # or `seeded()`: see `seeded.py` for what it holds
ada = fake.user("ada", "Ada Moss")               # of the first workspace, `fake.team`; see `team.py`
bot = fake.user("ringmain", bot=True)
ops = fake.channel("ops", "private", members=["ada", "ringmain"])   # public, private; `fake.dm("ada", "bo")`
said = ops.post("Deploy at five", "ada", ago=3600)                  # -> Message; `ago` in seconds, or now
ops.reply(said, "Fine", "ringmain")              # a thread; `ops.react(said, "eyes", "ada")`
fake.file("notes.txt", "…", user="ada", channels=[ops.id])          # `fake.canvas("Plan", "# Plan\n\n…")`
fake.usergroup("oncall", ["ada"]); ops.bookmark("Wiki", "https://…"); ops.pins.append(said.ts)
fake.crowd(users=200_000, channels=20_000, joined=50)  # made when somebody looks: U9…, C9… `hall-<number>`
other = fake.workspace("Other"); other.user("zoe")     # another workspace; tokens: `team=other.id`
token = fake.token("bot", "xoxb", user="ringmain")     # all scopes; scopes=["chat:write"] for fewer
fake.token("person", "xoxp", user="ada"); fake.token("app", "xapp")
fake.revoke(token); fake.expire(token)                 # token_revoked; token_expired, until refreshed
fake.fault("conversations.history", "ratelimited", times=1, seconds=30)   # kinds: see `faults.py`
with serving(fake) as url: ...                   # http://127.0.0.1:port/api/ for `base_url`, from `serve.py`
fake.requests                                    # every one: method, arguments, token label, status
fake.asked("chat.*")                             # those whose method fits
fake.violations                                  # what Slack does not publish: assert it is []
fake.emit({"type": "app_mention", …})            # through Socket Mode, as messages and reactions do
fake.acknowledged, fake.unacknowledged           # ids of envelopes; `fake.disconnect()`; see `socket_mode.py`
fake.deliver(until=None)                         # post the scheduled messages that are due
fake.action_token()                              # lets a bot token use assistant.search.context
fake.client("id", "secret"); fake.code("ada", ["chat:write"])       # for oauth.v2.access: see `oauth.py`
```

Methods and their arguments are those of `published.py`; routes get `Asked` and return the fields of the
answer, or raise `Refusal(code)` (`web.py`).
"""

import fnmatch
import itertools
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from standins.slack.channel import Channel
from standins.slack.events import Events
from standins.slack.faults import Fault
from standins.slack.models import File, Message, Recorded, Token, User, UserGroup, secret
from standins.slack.scopes import every_scope
from standins.slack.team import Team


@dataclass
class FakeSlack:
    """All of Slack that the tests need.

    Attributes:
        url: Where it listens (with `/api/` behind it: `api`); set by `serving`.
        time: What time it is.
        rotating_last: Seconds that tokens of `oauth.v2.access` last; 0 for tokens without end.
        search_cursors: Whether `search.messages` gives cursors; else it only counts pages.
        search_enabled: Whether `assistant.search.context` is; else it answers `feature_not_enabled`.
    """

    url: str = "http://127.0.0.1"
    time: Callable[[], float] = time.time
    rotating_last: float = 43200.0
    search_cursors: bool = True
    search_enabled: bool = True
    teams: dict[str, Team] = field(default_factory=dict[str, Team])
    tokens: dict[str, Token] = field(default_factory=dict[str, Token])
    clients: dict[str, str] = field(default_factory=dict[str, str])
    codes: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    action_tokens: set[str] = field(default_factory=set[str])
    faults: list[Fault] = field(default_factory=list[Fault])
    requests: list[Recorded] = field(default_factory=list[Recorded])
    violations: list[str] = field(default_factory=list[str])
    events: Events = field(default_factory=Events)
    app_id: str = "A0RINGMAIN"
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1001))
    _last_ts: int = 0

    def __post_init__(self) -> None:
        self.workspace("Acme")

    @property
    def api(self) -> str:
        return f"{self.url}/api/"

    @property
    def team(self) -> Team:
        """The first workspace."""
        return next(iter(self.teams.values()))

    def next_number(self) -> int:
        return next(self._numbers)

    def next_ts(self, ago: float | None = None) -> str:
        """A moment that no message has: after all the others, unless it is one in the past."""
        wanted = int((self.time() - (ago or 0.0)) * 1_000_000)
        if ago is None:
            wanted = self._last_ts = max(wanted, self._last_ts + 1)
        else:
            taken = {
                ts for team in self.teams.values() for at in team.every_known_channel() for ts in at.messages
            }
            while f"{wanted // 1_000_000}.{wanted % 1_000_000:06d}" in taken:
                wanted += 1
        return f"{wanted // 1_000_000}.{wanted % 1_000_000:06d}"

    def workspace(self, name: str) -> Team:
        made = Team(self, f"T0{self.next_number():08d}", name, re.sub(r"\W+", "-", name.lower()))
        self.teams[made.id] = made
        return made

    def crowd(self, users: int = 0, channels: int = 0, joined: int = 0) -> None:
        """Fill the first workspace; all named users are in the first `joined` of the channels."""
        self.team.crowd, self.team.halls, self.team.joined = users, channels, joined

    def user(self, name: str, real_name: str = "", *, bot: bool = False, **more: Any) -> User:
        return self.team.user(name, real_name, bot=bot, **more)

    def channel(
        self, name: str, kind: str = "public", *, members: Sequence[str] = (), **more: Any
    ) -> Channel:
        return self.team.channel(name, kind, members=members, **more)

    def dm(self, *users: str) -> Channel:
        return self.team.dm(*users)

    def file(self, name: str, content: bytes | str = b"", **more: Any) -> File:
        return self.team.file(name, content, **more)

    def canvas(self, title: str, markdown: str, **more: Any) -> File:
        return self.team.canvas(title, markdown, **more)

    def usergroup(self, handle: str, users: Sequence[str], name: str = "") -> UserGroup:
        return self.team.usergroup(handle, users, name)

    def sections(self, markdown: str) -> dict[str, str]:
        """The sections of a canvas: one per paragraph."""
        parts = [one for one in re.split(r"\n{2,}", markdown.strip("\n")) if one.strip()]
        return {f"temp:C:{secret(self.next_number())[:20]}": one for one in parts}

    def token(
        self,
        label: str = "bot",
        kind: str = "xoxb",
        *,
        user: str = "",
        scopes: Sequence[str] | None = None,
        team: str = "",
    ) -> str:
        """Make a token; the same label gives the same again. Without `scopes` it has all of its kind."""
        home = self.teams[team] if team else self.team
        value = f"{kind}-{secret(label, home.id)}"
        if value in self.tokens:
            return value
        if scopes is None:
            scopes = every_scope(kind)
        who = home.known_user(user).id if user else ""
        if not who and kind != "xapp":
            who = home.user("ringmain", bot=True).id if kind == "xoxb" else home.user("ada", "Ada Moss").id
        self.tokens[value] = Token(label, kind, who, home.id, tuple(scopes), value)
        return value

    def revoke(self, token: str) -> None:
        self.tokens[token].revoked = True

    def expire(self, token: str) -> None:
        self.tokens[token].expires = 1.0

    def action_token(self) -> str:
        made = f"{self.next_number()}.{secret('action', self.next_number())[:12]}"
        self.action_tokens.add(made)
        return made

    def client(self, client_id: str, client_secret: str) -> None:
        """An app that may use `oauth.v2.access`."""
        self.clients[client_id] = client_secret

    def code(
        self, user: str, scopes: Sequence[str] = (), *, bot_scopes: Sequence[str] = (), **more: Any
    ) -> str:
        """A code as the consent page hands it out: for a user's token, a bot's, or both. Used up once."""
        made = f"code-{secret(self.next_number())}"
        self.codes[made] = {"user": user, "scopes": scopes, "bot_scopes": bot_scopes, **more}
        return made

    def fault(self, method: str, kind: str = "500", times: int | None = 1, **more: Any) -> Fault:
        """Break requests whose method fits this pattern. See `faults.py`."""
        made = Fault(method, kind, times, **more)
        self.faults.append(made)
        return made

    def asked(self, method: str) -> list[Recorded]:
        return [one for one in self.requests if fnmatch.fnmatchcase(one.method, method)]

    def on_message(self, channel: Channel, message: Message) -> None:
        self.events.message(self, channel, message)

    def emit(self, event: Mapping[str, Any], team: str = "", **more: Any) -> str:
        """Send an event through Socket Mode; returns the envelope's id, empty where nobody listens."""
        return self.events.send(self, event, team or self.team.id, **more)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell those who listen that their connection ends, and end it."""
        self.events.disconnect(reason)

    @property
    def acknowledged(self) -> list[str]:
        return self.events.acknowledged

    @property
    def unacknowledged(self) -> list[str]:
        return [one for one in self.events.sent if one not in self.events.acknowledged]

    def deliver(self, until: float | None = None) -> list[Message]:
        """Post the scheduled messages that are due by then (now); those with metadata never appear."""
        made: list[Message] = []
        for team in self.teams.values():
            for one in [one for one in team.scheduled.values() if one.post_at <= (until or self.time())]:
                del team.scheduled[one.id]
                found = team.find_channel(one.channel)
                if found is not None and one.message.get("metadata") is None:
                    made.append(found.post(one.text, one.user, **one.message))
        return made
