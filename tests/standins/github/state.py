"""A GitHub for tests, on a loopback port: `FakeGitHub` holds its state and is what tests talk to.

```python
fake = FakeGitHub()
fake.user("mona")                                # `octocat` exists from the start
repo = fake.repository("acme/widgets")           # private=True, …; owner `acme` is an organisation
repo.commit("main", {"README.md": "# Widgets\n", "old.txt": None}, "Say what it is", author="mona")  # -> sha
repo.branch("feature", "main")                   # from a branch, tag or sha; `repo.tag("v1", "main")`
issue = repo.issue("It breaks", body="…", author="mona", labels=["bug"], assignees=["octocat"])
repo.comment(issue.number, "Me too", author="octocat")
pull = repo.pull("Make it round", head="feature", base="main", author="mona", body="Fixes #1", draft=False)
repo.review(pull.number, "octocat", "APPROVED", "Fine")
repo.thread(pull.number, "README.md", 1, ["Why?", "Because"], authors=["octocat", "mona"])  # -> Thread
repo.check("main", "lint", conclusion="failure")     # a check run; `repo.status(ref, context, state)`
repo.workflow("ci.yml", name="CI", inputs=["target"])
run = repo.run("ci.yml", jobs=[("build", "success"), ("test", "failure")], logs={"test": "…"})
run.script = ["in_progress", "success"]          # one step further at each GET of the run or its jobs
repo.release("v1", body="…")
token = fake.token()                             # a classic token of `octocat` with `repo`: see `tokens.py`
fake.token("weak", kind="fine", permissions={"issues": "read"})  # a fine-grained one
fake.fault("/repos/*/issues", "GET", "502", times=1)              # kinds: see `faults.py`
with serving(fake) as url: ...                   # http://127.0.0.1:port, and its /api/v3 and /api/graphql
fake.requests                                    # every one: method, path (without /api/v3), query, body, …
fake.violations                                  # what GitHub's descriptions do not allow: assert it is []
```

A request for which there is no route here, but in GitHub's description, is a violation, too: add the route
to the module of its domain (`@routes.on("GET", "/repos/{owner}/{repo}/…", needs="issues")`: the template as
in the description). Objects start as the description's own example (`shapes.py`); routes get `Asked` and
return JSON or an `Answer` (`web.py`).
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from standins.github.faults import Fault
from standins.github.models import Owner
from standins.github.repository import Repository
from standins.github.tokens import Token


@dataclass(frozen=True)
class Recorded:
    """A request that came.

    Attributes:
        path: Without the prefix of GitHub Enterprise Server, and not decoded.
        token: The label of the token; empty for none or an unknown one.
        status: Of the answer; 0 where there was none.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int
    token: str
    headers: Mapping[str, str]


@dataclass
class FakeGitHub:
    """All of GitHub that the tests need.

    Attributes:
        url: Where it listens; set by `serving`.
        prefix: Of the last request: `/api/v3` where it came as to GitHub Enterprise Server.
        limit: Requests an hour of every token.
        search_ran_out: Whether searches say that they ran out of time.
        code_indexed: False finds nothing by code search, as for fresh repositories.
        dispatched: The script of a run that was dispatched or started again.
        tree_limit: Entries of a tree, after which it is cut.
        app_permissions: Of the tokens of an app's installations; `None` allows everything.
        app_tokens_last: Seconds.
        enterprise_installation: Whether the app is installed at an enterprise, too.
        renamed: What repositories were called, and are called now, in lower case.
        largest_numbered: Of so many entries at most, a list of issues is given by numbers of pages.
        old_server: What an older server makes of `return_run_details`: `ignores` or `refuses`.
    """

    url: str = "http://127.0.0.1"
    prefix: str = ""
    limit: int = 5000
    old_server: str = ""
    search_ran_out: bool = False
    code_indexed: bool = True
    dispatched: Sequence[str] = ()
    tree_limit: int = 100_000
    app_permissions: Mapping[str, str] | None = None
    app_tokens_last: float = 3600.0
    enterprise_installation: bool = False
    renamed: dict[str, str] = field(default_factory=dict[str, str])
    largest_numbered: int = 10_000
    owners: dict[str, Owner] = field(default_factory=dict[str, Owner])
    repositories: dict[str, Repository] = field(default_factory=dict[str, Repository])
    tokens: dict[str, Token] = field(default_factory=dict[str, Token])
    apps: dict[str, str] = field(default_factory=dict[str, str])
    faults: list[Fault] = field(default_factory=list[Fault])
    requests: list[Recorded] = field(default_factory=list[Recorded])
    violations: list[str] = field(default_factory=list[str])
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1001))
    _clock: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.user("octocat")

    @property
    def api(self) -> str:
        """The address of the REST API, as the last request spelled it."""
        return self.url + self.prefix

    def next_id(self) -> int:
        return next(self._ids)

    def now(self) -> str:
        """A moment, one minute after the last one that was asked for."""
        self._clock += timedelta(minutes=1)
        return self._clock.strftime("%Y-%m-%dT%H:%M:%SZ")

    def user(self, login: str, kind: str = "User") -> Owner:
        if login.lower() not in self.owners:
            self.owners[login.lower()] = Owner(self.next_id(), login, kind)
        return self.owners[login.lower()]

    def organization(self, login: str) -> Owner:
        return self.user(login, "Organization")

    def repository(
        self,
        full_name: str,
        *,
        private: bool = False,
        description: str = "",
        topics: Sequence[str] = (),
        archived: bool = False,
    ) -> Repository:
        owner, name = full_name.split("/")
        if owner.lower() not in self.owners:
            self.organization(owner)
        made = Repository(self, self.next_id(), self.owners[owner.lower()], name, private, description)
        made.topics = list(topics)
        made.archived = archived
        made.created_at = made.pushed_at = made.updated_at = self.now()
        self.repositories[full_name.lower()] = made
        return made

    def rename(self, old: str, new: str) -> Repository:
        """Give a repository another name; the old one leads on to it."""
        repo = self.repositories.pop(old.lower())
        owner, repo.name = new.split("/")
        repo.owner = self.owners[owner.lower()]
        self.repositories[new.lower()] = repo
        self.renamed[old.lower()] = new.lower()
        return repo

    def token(
        self,
        label: str = "token",
        *,
        login: str = "octocat",
        kind: str = "classic",
        scopes: Sequence[str] = ("repo", "workflow", "read:org"),
        permissions: Mapping[str, str] | None = None,
        repositories: Sequence[str] | None = None,
    ) -> str:
        """Make a token; the same label gives the same again. See `Token`."""
        made = Token(label, self.user(login).login, kind, tuple(scopes), permissions, repositories)
        self.tokens.setdefault(made.value, made)
        return made.value

    def revoke(self, token: str) -> None:
        self.tokens.pop(token)

    def app(self, app_id: int, public_key: str, installations: Sequence[str] = ()) -> None:
        """A GitHub App that signs with the key of this (PEM), installed at these owners."""
        self.apps[str(app_id)] = public_key
        for login in installations:
            owner = self.owners.get(login.lower()) or self.organization(login)
            owner.installation = owner.installation or self.next_id()

    def fault(
        self, path: str, method: str = "*", kind: str = "500", times: int | None = 1, seconds: float = 0.0
    ) -> Fault:
        """Break requests whose path fits this pattern (`*` fits slashes, too). See `faults.py`."""
        made = Fault(path, method, kind, times, seconds)
        self.faults.append(made)
        return made

    def asked(self, method: str, path: str) -> list[Recorded]:
        """The requests so far of a method and a path pattern."""
        probe = Fault(path, method, "500", None)
        return [one for one in self.requests if probe.fits(one.method, one.path)]
