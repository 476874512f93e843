"""Who there is: users, groups, domains."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from standins.gdrive.models import Domain, User, secret


def account_number(email: str) -> str:
    """The id that permissions and users have in common."""
    return str(int(secret(email, size=16), 16)).rjust(20, "0")[:20]


@dataclass
class People:
    users: dict[str, User] = field(default_factory=dict[str, User])
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    domains: dict[str, Domain] = field(default_factory=dict[str, Domain])
    _principals: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def add(self, user: User) -> None:
        self.users[user.email] = user
        self.domain(user.domain)
        self._principals.clear()

    def domain(self, name: str) -> Domain:
        return self.domains.setdefault(name, Domain(name))

    def group(self, email: str, members: Sequence[str]) -> None:
        self.groups[email] = tuple(members)
        self.domain(email.partition("@")[2])
        self._principals.clear()

    def find(self, email: str) -> User | None:
        return self.users.get(email)

    def principals(self, email: str) -> frozenset[str]:
        """What a person is for permissions: themselves, their groups, their domain, anyone."""
        found = self._principals.get(email)
        if found is None:
            groups = {f"group:{name}" for name, members in self.groups.items() if email in members}
            found = frozenset({f"user:{email}", f"domain:{email.partition('@')[2]}", "anyone:", *groups})
            self._principals[email] = found
        return found
