"""What a route gets and gives: `Asked`, `Media`; tables of routes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from standins.gdrive.described import Method
from standins.gdrive.errors import Refusal, invalid_value
from standins.gdrive.faults import Fault
from standins.gdrive.fields import EVERYTHING, Mask
from standins.gdrive.file import File
from standins.gdrive.models import Token
from standins.gdrive.store import Store
from standins.gdrive.viewer import View
from standins.gdrive.walks import Walk

if TYPE_CHECKING:
    from standins.gdrive.state import FakeDrive


@dataclass(frozen=True)
class Media:
    """An answer that is no JSON."""

    data: bytes
    type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass
class Asked:
    """A request.

    Attributes:
        name: The method's id, or a name for what is outside the API.
        given: The parameters as they came, of path and query.
        values: The parameters, typed as the description says.
        body: Of JSON; empty without one.
        mask: Which parts of the answer are wanted.
        fault: What is to go wrong.
    """

    fake: "FakeDrive"
    name: str
    verb: str
    path: str
    given: dict[str, str]
    headers: Mapping[str, str]
    content: bytes
    method: Method | None = None
    token: Token | None = None
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    body: dict[str, Any] = field(default_factory=dict[str, Any])
    mask: Mask = EVERYTHING
    fault: Fault | None = None
    _view: View | None = None

    @property
    def store(self) -> Store:
        return self.fake.store

    @property
    def view(self) -> View:
        """Who asks, and how far the token reaches."""
        if self._view is None:
            assert self.token is not None
            user = self.store.people.users[self.token.user]
            given = self.headers.get("x-goog-drive-resource-keys", "").split(",")
            keys = {name.strip(): key for name, _, key in (one.partition("/") for one in given)}
            scopes = frozenset(self.token.scopes)
            self._view = View(self.store, self.fake.url, user, self.token.app, scopes, keys)
        return self._view

    @property
    def me(self) -> str:
        return self.view.email

    def text(self, name: str, default: str = "") -> str:
        return str(self.values.get(name, default))

    def flag(self, name: str, *, default: bool = False) -> bool:
        return bool(self.values.get(name, default))

    def file(
        self, name: str = "fileId", *, role: str = "reader", scopes: frozenset[str] | None = None
    ) -> File:
        """The file of a parameter.

        Raises:
            Refusal: `notFound`; `insufficientFilePermissions` for who has less than this role.
        """
        assert self.method is not None
        drives = "supportsAllDrives" not in self.method.parameters or self.knows_drives
        writes = self.method.verb != "GET"
        found = self.view.find(self.text(name), scopes or self.method.scopes, drives=drives, writes=writes)
        self.view.require(found, role)
        return found

    @property
    def knows_drives(self) -> bool:
        return self.flag("supportsAllDrives") or self.flag("supportsTeamDrives")

    def page(
        self,
        of: Any,
        rows: Callable[[], Sequence[Any]],
        accept: Callable[[Any], bool] | None = None,
        size: int = 100,
    ) -> tuple[list[Any], str | None]:
        """The page of a list that is asked for, and the token of the next one."""
        key = (self.name, self.me, of)
        token = self.text("pageToken")
        walk = self.fake.walks.begun(token, key) if token else Walk(key, rows())
        return self.fake.walks.page(walk, int(self.values.get("pageSize", size)), accept)


class Answering(Protocol):
    def __call__(self, asked: Asked) -> dict[str, Any] | Media | None: ...


class Routes:
    """A table of methods that a module of a domain fills."""

    def __init__(self) -> None:
        self._routes: dict[str, Answering] = {}

    def on(self, *names: str) -> Callable[[Answering], Answering]:
        """Answer these methods with what the function returns; `None` is an answer without content."""

        def add(handler: Answering) -> Answering:
            self._routes.update(dict.fromkeys(names, handler))
            return handler

        return add

    def __iter__(self) -> Iterator[tuple[str, Answering]]:
        return iter(self._routes.items())


def stamp(moment: float) -> str:
    """A time as Google writes it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str, location: str) -> float:
    """A time that was given; without a zone it is UTC.

    Raises:
        Refusal: `invalid`.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise invalid_value(location, f'Invalid value for: Invalid format: "{text}"') from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def required(name: str) -> Refusal:
    return Refusal(400, "required", f"Required parameter: {name}", location=name)
