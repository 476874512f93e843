"""A repository: how tests and routes change it. The surface is announced in `state.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from standins.github.git import Commit, Files, Objects
from standins.github.models import (
    Check,
    Comment,
    Issue,
    Job,
    Label,
    Milestone,
    Owner,
    Pull,
    Release,
    Review,
    ReviewComment,
    Run,
    Thread,
    Workflow,
)

if TYPE_CHECKING:
    from standins.github.state import FakeGitHub


@dataclass
class Repository:
    """A repository.

    Attributes:
        heads, tags: Names and commits.
        issues: By number, pull requests among them (those have `pull`).
        roles: Who has which role: admin, maintain, push, triage, pull. Everybody not named here may push.
        required_checks: Merging is refused (405) while one of these has not succeeded.
    """

    fake: "FakeGitHub"
    id: int
    owner: Owner
    name: str
    private: bool = False
    description: str = ""
    default_branch: str = "main"
    archived: bool = False
    created_at: str = ""
    updated_at: str = ""
    pushed_at: str = ""
    topics: list[str] = field(default_factory=list[str])
    git: Objects = field(default_factory=Objects)
    heads: dict[str, str] = field(default_factory=dict[str, str])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    issues: dict[int, Issue] = field(default_factory=dict[int, Issue])
    labels: dict[str, Label] = field(default_factory=dict[str, Label])
    milestones: list[Milestone] = field(default_factory=list[Milestone])
    checks: list[Check] = field(default_factory=list[Check])
    statuses: list[Check] = field(default_factory=list[Check])
    workflows: list[Workflow] = field(default_factory=list[Workflow])
    runs: list[Run] = field(default_factory=list[Run])
    releases: list[Release] = field(default_factory=list[Release])
    roles: dict[str, str] = field(default_factory=dict[str, str])
    protected: set[str] = field(default_factory=set[str])
    required_checks: list[str] = field(default_factory=list[str])

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    def find(self, ref: str) -> str | None:
        """The commit that a branch, a tag or the beginning of a name means."""
        name = ref.removeprefix("refs/").removeprefix("heads/").removeprefix("tags/")
        if known := self.heads.get(name) or self.tags.get(name):
            return known
        if name.startswith("pull/") and name.endswith("/head"):
            issue = self.issues.get(int(name.split("/")[1]))
            return issue.pull.head_sha if issue and issue.pull else None
        if name == "HEAD":
            return self.heads.get(self.default_branch)
        found = [sha for sha in self.git.commits if len(name) >= 7 and sha.startswith(name.lower())]
        return found[0] if len(found) == 1 else None

    def sha(self, ref: str) -> str:
        found = self.find(ref)
        if found is None:
            raise KeyError(ref)
        return found

    def at(self, ref: str) -> Commit:
        return self.git.commits[self.sha(ref)]

    def read(self, path: str, ref: str = "HEAD") -> bytes:
        return self.git.blobs[self.at(ref).files[path]]

    def commit(
        self,
        branch: str,
        changes: Mapping[str, str | bytes | None],
        message: str = "Change files",
        *,
        author: str = "octocat",
        parents: tuple[str, ...] | None = None,
    ) -> str:
        """Put a commit on a branch, which is made if need be; `None` deletes a file."""
        head = self.heads.get(branch)
        files: Files = dict(self.git.commits[head].files) if head else {}
        for path, content in changes.items():
            if content is None:
                del files[path]
            else:
                files[path] = self.git.blob(content.encode() if isinstance(content, str) else content)
        self.fake.user(author)
        before = parents if parents is not None else (head,) if head else ()
        self.heads[branch] = self.git.commit(files, before, message, author, self.fake.now()).sha
        self.pushed_at = self.fake.now()
        self._follow(branch)
        return self.heads[branch]

    def _follow(self, branch: str) -> None:
        for issue in self.issues.values():
            if issue.pull and issue.state == "open" and issue.pull.head == branch:
                issue.pull.head_sha = self.heads[branch]
                issue.updated_at = self.fake.now()

    def branch(self, name: str, origin: str = "HEAD") -> str:
        self.heads[name] = self.sha(origin)
        return self.heads[name]

    def tag(self, name: str, ref: str = "HEAD") -> str:
        self.tags[name] = self.sha(ref)
        return self.tags[name]

    def label(self, name: str, color: str = "ededed", description: str = "") -> Label:
        known = self.labels.get(name.lower())
        if known is None:
            known = self.labels[name.lower()] = Label(self.fake.next_id(), name, color, description)
        return known

    def milestone(self, title: str, state: str = "open") -> Milestone:
        made = Milestone(self.fake.next_id(), len(self.milestones) + 1, title, state)
        self.milestones.append(made)
        return made

    def issue(
        self,
        title: str,
        *,
        body: str | None = None,
        author: str = "octocat",
        labels: Sequence[str] = (),
        assignees: Sequence[str] = (),
        milestone: int | None = None,
        state: str = "open",
    ) -> Issue:
        now = self.fake.now()
        number = max(self.issues, default=0) + 1
        made = Issue(self.fake.next_id(), number, title, self.fake.user(author).login, now, now, body)
        made.labels = [self.label(name).name for name in labels]
        made.assignees = [self.fake.user(login).login for login in assignees]
        made.milestone = milestone
        self.issues[number] = made
        if state == "closed":
            made.state, made.state_reason, made.closed_at = "closed", "completed", self.fake.now()
        return made

    def comment(self, number: int, body: str, *, author: str = "octocat") -> Comment:
        now = self.fake.now()
        made = Comment(self.fake.next_id(), self.fake.user(author).login, body, now, now)
        self.issues[number].comments.append(made)
        self.issues[number].updated_at = now
        return made

    def pull(
        self,
        title: str,
        *,
        head: str,
        base: str = "main",
        body: str | None = None,
        author: str = "octocat",
        draft: bool = False,
        labels: Sequence[str] = (),
    ) -> Issue:
        """A pull request: an issue with `pull`."""
        made = self.issue(title, body=body, author=author, labels=labels)
        made.pull = Pull(self.fake.next_id(), head, base, draft)
        made.pull.head_sha, made.pull.base_sha = self.heads[head], self.heads[base]
        return made

    def pull_of(self, number: int) -> Pull:
        pull = self.issues[number].pull
        if pull is None:
            raise KeyError(number)
        return pull

    def review(
        self, number: int, author: str, state: str = "COMMENTED", body: str = "", commit: str | None = None
    ) -> Review:
        pull = self.pull_of(number)
        login = self.fake.user(author).login
        made = Review(self.fake.next_id(), login, state, body, commit or pull.head_sha, self.fake.now())
        pull.reviews.append(made)
        return made

    def thread(
        self,
        number: int,
        path: str,
        line: int | None,
        bodies: Sequence[str],
        *,
        authors: Sequence[str] = ("octocat",),
        resolved: bool = False,
        outdated: bool = False,
        review: Review | None = None,
    ) -> Thread:
        """Comments on a line: the first opens the thread, the others answer it."""
        opened = review or self.review(number, authors[0])
        made = Thread(f"PRRT_{self.fake.next_id()}", path, line, resolved=resolved, outdated=outdated)
        for place, body in enumerate(bodies):
            self.reply(made, body, authors[place % len(authors)], opened)
        self.pull_of(number).threads.append(made)
        return made

    def reply(self, thread: Thread, body: str, author: str, review: Review | None = None) -> ReviewComment:
        first = thread.comments[0] if thread.comments else None
        now = self.fake.now()
        made = ReviewComment(self.fake.next_id(), self.fake.user(author).login, body, now, now)
        made.review = review.id if review else first.review if first else 0
        made.reply_to = first.id if first else None
        thread.comments.append(made)
        return made

    def check(
        self,
        ref: str,
        name: str,
        *,
        conclusion: str | None = "success",
        status: str | None = None,
        summary: str | None = None,
    ) -> Check:
        now = self.fake.now()
        state = status or ("completed" if conclusion else "in_progress")
        made = Check(self.fake.next_id(), self.sha(ref), name, state, conclusion, now)
        made.completed_at = self.fake.now() if conclusion else None
        made.summary = summary
        self.checks.append(made)
        return made

    def status(self, ref: str, context: str, state: str = "success", description: str = "") -> Check:
        """A commit status: error, failure, pending or success."""
        made = Check(self.fake.next_id(), self.sha(ref), context, state, None, self.fake.now())
        made.summary = description
        self.statuses.append(made)
        return made

    def workflow(
        self, file: str, *, name: str = "CI", inputs: Sequence[str] = (), dispatchable: bool = True
    ) -> Workflow:
        path = f".github/workflows/{file}"
        made = Workflow(self.fake.next_id(), path, name, "active", tuple(inputs), dispatchable)
        self.workflows.append(made)
        return made

    def run(
        self,
        workflow: str,
        *,
        branch: str = "main",
        sha: str | None = None,
        event: str = "push",
        actor: str = "octocat",
        jobs: Sequence[tuple[str, str | None]] = (("build", "success"),),
        logs: Mapping[str, str] | None = None,
        status: str = "completed",
        artifacts: Sequence[str] = (),
        script: Sequence[str] = (),
    ) -> Run:
        """A run; a job is its name and conclusion (`None`: at work still); logs are by name of job."""
        known = next(one for one in self.workflows if one.path.endswith(f"/{workflow}"))
        now = self.fake.now()
        made = Run(
            self.fake.next_id(),
            len(self.runs) + 1,
            known,
            branch,
            sha or self.heads[branch],
            event,
            self.fake.user(actor).login,
            now,
            now,
        )
        made.title = self.git.commits[made.sha].message.partition("\n")[0]
        made.jobs = [self.job(name, end, (logs or {}).get(name)) for name, end in jobs]
        made.status, made.script = status, list(script)
        bad = next(
            (one.conclusion for one in made.jobs if one.conclusion not in {"success", "skipped"}), None
        )
        made.conclusion = (bad or "success") if status == "completed" else None
        made.pulls = [one.number for one in self.issues.values() if one.pull and one.pull.head == branch]
        made.artifacts = [
            {"id": self.fake.next_id(), "name": one, "size_in_bytes": 1234} for one in artifacts
        ]
        self.runs.append(made)
        return made

    def job(self, name: str, conclusion: str | None, log: str | None = None) -> Job:
        started = self.fake.now()
        ended = self.fake.now() if conclusion else None
        made = Job(
            self.fake.next_id(),
            name,
            "completed" if conclusion else "in_progress",
            conclusion,
            log,
            started,
            ended,
        )
        for number, step in enumerate(("Set up job", f"Run {name}"), 1):
            end = "success" if number == 1 or conclusion == "success" else conclusion
            made.steps.append(
                {
                    "name": step,
                    "number": number,
                    "status": "completed" if end else "in_progress",
                    "conclusion": end,
                    "started_at": started,
                    "completed_at": ended,
                }
            )
        return made

    def release(
        self,
        tag: str,
        *,
        name: str | None = None,
        body: str | None = "",
        author: str = "octocat",
        target: str = "main",
        draft: bool = False,
        prerelease: bool = False,
    ) -> Release:
        now = self.fake.now()
        login = self.fake.user(author).login
        made = Release(self.fake.next_id(), tag, target, name or tag, body, login, now, draft, prerelease)
        if not draft:
            made.published_at = now
            self.tags.setdefault(tag, self.sha(target))
        self.releases.append(made)
        return made
