"""What a route gets and gives: `Asked`, `Answer`, `Refusal`; tables of routes; pages."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlencode

from standins.github.described import pattern_of
from standins.github.repository import Repository
from standins.github.state import FakeGitHub
from standins.github.tokens import Token


@dataclass
class Answer:
    """Attributes: body: JSON, or text or bytes as they are."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Refusal(Exception):
    """GitHub's way to say no."""

    def __init__(
        self, status: int, message: str, errors: Sequence[Any] | None = None, **headers: str
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {
            "message": message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(status),
        }
        if errors is not None:
            self.body["errors"] = list(errors)
        self.headers = headers


def not_found() -> Refusal:
    return Refusal(404, "Not Found")


def invalid(resource: str, field_name: str, code: str = "invalid", message: str | None = None) -> Refusal:
    """422, about one field."""
    error = {"resource": resource, "field": field_name, "code": code}
    return Refusal(422, "Validation Failed", [error | ({"message": message} if message else {})])


@dataclass
class Asked:
    """A request.

    Attributes:
        token: Whose it is; `None` without one (public reads) and for apps.
        parts: Of the path, by name, decoded.
        repo: Of the path, where it names one that the token may see.
    """

    fake: FakeGitHub
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    token: Token | None = None
    app: str | None = None
    parts: dict[str, str] = field(default_factory=dict[str, str])
    found: Repository | None = None

    @property
    def repo(self) -> Repository:
        if self.found is None:
            raise not_found()
        return self.found

    @property
    def login(self) -> str:
        return self.token.login if self.token else "octocat"

    @property
    def fields(self) -> dict[str, Any]:
        """The body, where it is an object."""
        body: Any = self.body
        return cast("dict[str, Any]", body) if isinstance(body, dict) else {}

    def number(self, name: str) -> int:
        try:
            return int(self.parts[name])
        except ValueError:
            raise not_found() from None

    def accepts(self, kind: str) -> bool:
        return f"application/vnd.github.{kind}" in self.headers.get("accept", "").replace("v3.", "")

    def page(
        self,
        rows: Sequence[Any],
        within: str | None = None,
        most: int = 100,
        after: Callable[[int], str] | None = None,
        **more: Any,
    ) -> Answer:
        """One page of these, as a list or under a name beside their number, with its `Link`.

        Args:
            after: What long lists want beside the number of a page.
        """
        size = min(int(self.query.get("per_page", 30)), most)
        page = int(self.query.get("page", 1))
        last = max(1, -(-len(rows) // size))
        shown = list(rows[(page - 1) * size : page * size])
        steps = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        if page >= last:
            del steps["next"], steps["last"]
        if page == 1:
            del steps["prev"], steps["first"]
        base = f"{self.fake.api}{self.path}"

        def places(number: int) -> dict[str, Any]:
            return {"page": number} if after is None else {"page": number, "after": after(number)}

        links = [
            f'<{base}?{urlencode({**self.query, **places(number)})}>; rel="{rel}"'
            for rel, number in steps.items()
        ]
        body = shown if within is None else {"total_count": len(rows), **more, within: shown}
        return Answer(body, headers={"link": ", ".join(links)} if links else {})


Handler = Callable[[Asked], Any]


@dataclass(frozen=True)
class Route:
    """Attributes: needs: The fine-grained permission; write follows from the method unless told."""

    method: str
    template: str
    handler: Handler
    needs: str
    write: bool

    @property
    def pattern(self) -> re.Pattern[str]:
        return pattern_of(self.template)


class Routes:
    """A table of routes that a module of a domain fills."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def on(
        self, method: str, template: str, *, needs: str = "metadata", write: bool | None = None
    ) -> Callable[[Handler], Handler]:
        """Answer these with what the function returns: JSON (200) or an `Answer`."""

        def add(handler: Handler) -> Handler:
            writes = method != "GET" if write is None else write
            self._routes.append(Route(method, template, handler, needs, writes))
            return handler

        return add

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)
