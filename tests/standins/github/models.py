"""The plain things of the fake: people, issues, pull requests, runs; what git knows is in `git.py`."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Owner:
    """A user or an organisation; `installation` is the id of the app's installation there."""

    id: int
    login: str
    kind: str = "User"
    name: str | None = None
    installation: int | None = None


@dataclass
class Label:
    id: int
    name: str
    color: str = "ededed"
    description: str = ""


@dataclass
class Milestone:
    id: int
    number: int
    title: str
    state: str = "open"


@dataclass
class Comment:
    id: int
    author: str
    body: str
    created_at: str
    updated_at: str


@dataclass
class Issue:
    """An issue, or what a pull request has in common with one (`pull` is the rest)."""

    id: int
    number: int
    title: str
    author: str
    created_at: str
    updated_at: str
    body: str | None = None
    state: str = "open"
    state_reason: str | None = None
    closed_at: str | None = None
    labels: list[str] = field(default_factory=list[str])
    assignees: list[str] = field(default_factory=list[str])
    milestone: int | None = None
    locked: bool = False
    comments: list[Comment] = field(default_factory=list[Comment])
    sub_issues: list[int] = field(default_factory=list[int])
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    pull: "Pull | None" = None


@dataclass
class Review:
    id: int
    author: str
    state: str
    body: str
    commit_id: str
    submitted_at: str


@dataclass
class ReviewComment(Comment):
    review: int = 0
    reply_to: int | None = None


@dataclass
class Thread:
    """A conversation on a line of a pull request."""

    id: str
    path: str
    line: int | None
    comments: list[ReviewComment] = field(default_factory=list[ReviewComment])
    resolved: bool = False
    outdated: bool = False
    resolved_by: str | None = None
    side: str = "RIGHT"
    start_line: int | None = None


@dataclass
class Pull:
    """Attributes: head, base: names of branches; merge_sha: once merged, its commit."""

    id: int
    head: str
    base: str
    draft: bool = False
    merged_at: str | None = None
    merged_by: str | None = None
    merge_sha: str | None = None
    head_sha: str = ""
    base_sha: str = ""
    reviews: list[Review] = field(default_factory=list[Review])
    threads: list[Thread] = field(default_factory=list[Thread])
    reviewers: list[str] = field(default_factory=list[str])
    team_reviewers: list[str] = field(default_factory=list[str])
    mergeable: bool | None = True
    mergeable_state: str = "clean"
    auto_merge: str | None = None
    auto_merge_allowed: bool = True


@dataclass
class Check:
    """A check run or, where `context` says so, a commit status."""

    id: int
    sha: str
    name: str
    status: str
    conclusion: str | None
    started_at: str
    completed_at: str | None = None
    summary: str | None = None
    details_url: str | None = None


@dataclass
class Workflow:
    id: int
    path: str
    name: str
    state: str = "active"
    inputs: tuple[str, ...] = ()
    dispatchable: bool = True


@dataclass
class Job:
    id: int
    name: str
    status: str
    conclusion: str | None
    log: str | None
    started_at: str
    completed_at: str | None
    steps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass
class Run:
    """A run; each poll takes one step of `script`: a status or, for its end, a conclusion."""

    id: int
    number: int
    workflow: Workflow
    branch: str
    sha: str
    event: str
    actor: str
    created_at: str
    updated_at: str
    status: str = "completed"
    conclusion: str | None = "success"
    attempt: int = 1
    title: str = ""
    jobs: list[Job] = field(default_factory=list[Job])
    artifacts: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    script: list[str] = field(default_factory=list[str])
    pulls: list[int] = field(default_factory=list[int])
    inputs: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class Release:
    id: int
    tag: str
    target: str
    name: str | None
    body: str | None
    author: str
    created_at: str
    draft: bool = False
    prerelease: bool = False
    published_at: str | None = None
