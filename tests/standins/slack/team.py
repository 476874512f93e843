"""A workspace: users and channels, a crowd of either made only when somebody looks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from standins.slack.channel import Channel
from standins.slack.models import File, Scheduled, User, UserGroup

if TYPE_CHECKING:
    from standins.slack.state import FakeSlack

_FIRST = ("Ada", "Bo", "Cleo", "Dev", "Eve", "Finn", "Gus", "Hana", "Ivo", "June")
_LAST = ("Moss", "Reyes", "Okafor", "Lind", "Tanaka", "Brandt", "Silva")


@dataclass
class Team:
    """A workspace.

    Attributes:
        crowd: How many users there are besides those in `users`.
        halls: How many public channels there are besides those in `channels`.
        joined: In how many of them all named users are.
    """

    fake: "FakeSlack"
    id: str
    name: str
    domain: str
    crowd: int = 0
    halls: int = 0
    joined: int = 0
    users: dict[str, User] = field(default_factory=dict[str, User])
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    files: dict[str, File] = field(default_factory=dict[str, File])
    scheduled: dict[str, Scheduled] = field(default_factory=dict[str, Scheduled])
    usergroups: dict[str, UserGroup] = field(default_factory=dict[str, UserGroup])
    _entered: dict[int, Channel] = field(default_factory=dict[int, Channel])

    @property
    def url(self) -> str:
        return f"https://{self.domain}.slack.com/"

    def user(self, name: str, real_name: str = "", *, bot: bool = False, **more: Any) -> User:
        """Somebody new, or who has this name already."""
        known = next((one for one in self.users.values() if one.name == name), None)
        if known is not None:
            return known
        number = self.fake.next_number()
        made = User(f"U0{number:08d}", name, real_name or name.title(), self.id, **more)
        if bot:
            made.bot_id = f"B0{number:08d}"
        elif not made.email:
            made.email = f"{name}@example.com"
        self.users[made.id] = made
        for hall in self._entered.values():
            if int(hall.id[2:]) < self.joined:
                hall.join(made.id)
        return made

    def find_user(self, of: str) -> User | None:
        """By id."""
        if of in self.users:
            return self.users[of]
        if of.startswith("U9") and of[2:].isdigit() and int(of[2:]) < self.crowd:
            return self._one_of_crowd(int(of[2:]))
        return None

    def known_user(self, of: str) -> User:
        """By name or id; somebody of the crowd, too."""
        found = self.find_user(of) or next((one for one in self.users.values() if one.name == of), None)
        if found is None:
            raise KeyError(of)
        return found

    def find_email(self, email: str) -> User | None:
        """By address; that of the crowd's are member<number>@example.com."""
        name, _, host = email.partition("@")
        number = name.removeprefix("member")
        if host == "example.com" and number.isdigit() and int(number) < self.crowd:
            return self._one_of_crowd(int(number))
        return next(
            (one for one in self.users.values() if one.email.lower() == email.lower() and email), None
        )

    def _one_of_crowd(self, number: int) -> User:
        real = f"{_FIRST[number % len(_FIRST)]} {_LAST[number % len(_LAST)]} {number}"
        return User(f"U9{number:08d}", f"member{number}", real, self.id, f"member{number}@example.com")

    def user_count(self) -> int:
        return len(self.users) + self.crowd

    def users_from(self, start: int, stop: int) -> Iterator[User]:
        named = list(self.users.values())
        for position in range(start, min(stop, self.user_count())):
            yield named[position] if position < len(named) else self._one_of_crowd(position - len(named))

    def channel(
        self, name: str, kind: str = "public", *, members: Sequence[str] = (), creator: str = "", **more: Any
    ) -> Channel:
        """A new conversation, or the one of this name; members and creator by name or id."""
        known = next((one for one in self.channels.values() if one.name == name and name), None)
        if known is not None:
            return known
        joining = [self.known_user(one).id for one in members]
        first = (
            self.known_user(creator).id if creator else (joining or [next(iter(self.users), "U00000000")])[0]
        )
        prefix = "D" if kind == "im" else "C"
        made = Channel(self, f"{prefix}0{self.fake.next_number():08d}", name, kind, first, joining, **more)
        self.channels[made.id] = made
        return made

    def dm(self, *users: str) -> Channel:
        """The conversation of two (im) or more (mpim) users, made if need be."""
        ids = [self.known_user(one).id for one in users]
        kind = "im" if len(ids) <= 2 else "mpim"
        for one in self.channels.values():
            if one.kind == kind and sorted(one.members) == sorted(ids):
                return one
        names = "--".join(self.known_user(one).name for one in ids)
        return self.channel(f"mpdm-{names}-1" if kind == "mpim" else "", kind, members=ids)

    def find_channel(self, of: str) -> Channel | None:
        """By id."""
        if of in self.channels:
            return self.channels[of]
        if of.startswith("C9") and of[2:].isdigit() and int(of[2:]) < self.halls:
            return self._hall(int(of[2:]))
        return None

    def named_channel(self, name: str) -> Channel | None:
        number = name.removeprefix("hall-")
        if number.isdigit() and number != name and int(number) < self.halls:
            return self._hall(int(number))
        return next((one for one in self.channels.values() if one.name == name), None)

    def _hall(self, number: int, *, keep: bool = True) -> Channel:
        if number in self._entered:
            return self._entered[number]
        members = [*self.users] if number < self.joined else []
        made = Channel(self, f"C9{number:08d}", f"hall-{number}", "public", "U900000000", members)
        made.purpose = f"About matter {number}"
        if keep:
            self._entered[number] = made
        return made

    def channel_count(self) -> int:
        return len(self.channels) + self.halls

    def channels_from(self, start: int, *, entered: bool = False) -> Iterator[tuple[int, Channel]]:
        """Conversations with their positions; those of the crowd are not kept.

        With `entered` without those of the crowd that nobody named is in.
        """
        named = list(self.channels.values())
        for position in range(start, self.channel_count()):
            if position < len(named):
                yield position, named[position]
            elif not entered or position - len(named) in self._entered or position - len(named) < self.joined:
                yield position, self._hall(position - len(named), keep=False)

    def every_known_channel(self) -> Iterator[Channel]:
        """Those that can hold messages."""
        yield from list(self.channels.values())
        yield from list(self._entered.values())

    def file(
        self,
        name: str,
        content: bytes | str = b"",
        *,
        user: str = "",
        channels: Sequence[str] = (),
        mimetype: str = "text/plain",
        filetype: str = "text",
        title: str = "",
    ) -> File:
        data = content.encode() if isinstance(content, str) else content
        author = self.known_user(user).id if user else next(iter(self.users))
        made = File(
            f"F0{self.fake.next_number():08d}", name, title or name, author, self.id, data, mimetype, filetype
        )
        made.created, made.length = int(self.fake.time()), len(data)
        made.channels = list(channels)
        self.files[made.id] = made
        return made

    def canvas(self, title: str, markdown: str, *, user: str = "", channels: Sequence[str] = ()) -> File:
        made = self.file(
            title.replace(" ", "_"),
            user=user,
            channels=channels,
            title=title,
            mimetype="application/vnd.slack-docs",
            filetype="quip",
        )
        made.sections = self.fake.sections(markdown)
        made.access[made.user] = "owner"
        return made

    def usergroup(self, handle: str, users: Sequence[str], name: str = "") -> UserGroup:
        ids = [self.known_user(one).id for one in users]
        made = UserGroup(f"S0{self.fake.next_number():08d}", handle, name or handle.title(), ids)
        self.usergroups[made.id] = made
        return made
