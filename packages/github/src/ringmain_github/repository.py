"""A repository as tools use it: its name as GitHub spells it, and who can read it."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringmain_core.errors import OutsideFence
from ringmain_core.flow import Audience
from ringmain_core.policy import Fence
from ringmain_github.references import path

_KEPT = 30.0  # seconds for which a repository counts as being what it was
_MOST = 1_000
_AUDIENCES: Mapping[str, Audience] = {"public": "public", "internal": "organisation"}


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that the caller may use.

    Attributes:
        owner: As GitHub spells it, like `name`: after renames, too.
        audience: Who can read it.
    """

    owner: str
    name: str
    default_branch: str
    audience: Audience

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def path(self, *parts: object) -> str:
        """A path of the API below this repository."""
        return path("repos", self.owner, self.name, *parts)


def repository_of(answer: Mapping[str, Any]) -> Repository:
    """A repository from what GitHub says of it."""
    visibility = answer.get("visibility") or ("private" if answer["private"] else "public")
    owner, _, name = str(answer["full_name"]).partition("/")
    return Repository(owner, name, answer["default_branch"], _AUDIENCES.get(visibility, "group"))


def outside(fence: Fence, owner: str, name: str) -> OutsideFence:
    """The refusal of a repository, in the same words whether it is there or not."""
    return OutsideFence(
        f"The repository `{owner}/{name}` is not there, or not among those that you may use for this "
        f"({fence.describe()})."
    )


class KnownRepositories:
    """What was at a name a moment ago, for each token: they may see different things."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Repository, float]] = OrderedDict()

    def get(self, token: str, owner: str, name: str) -> Repository | None:
        """What is known to be there."""
        known, until = self._known.get(_key(token, owner, name), (None, 0.0))
        return known if time.monotonic() < until else None

    def put(self, token: str, owner: str, name: str, repository: Repository) -> None:
        """Know what is there."""
        key = _key(token, owner, name)
        self._known[key] = (repository, time.monotonic() + _KEPT)
        self._known.move_to_end(key)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)

    def forget(self, place: tuple[str, str] | None) -> None:
        """Know no more of a repository by its own name, for it may have another one now."""
        name = "/".join(place or ()).lower()
        gone = [key for key, (each, _) in self._known.items() if each.full_name.lower() == name]
        for key in gone:
            del self._known[key]


def _key(token: str, owner: str, name: str) -> str:
    return hashlib.sha256(f"{token}\0{owner}/{name}".lower().encode()).hexdigest()
