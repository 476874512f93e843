"""What a repository holds, and its git."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from standins.github.git import Commit, Files, Objects
from standins.github.models import (
    Check,
    Issue,
    Label,
    Milestone,
    Owner,
    Release,
    Run,
    Workflow,
)

if TYPE_CHECKING:
    from standins.github.state import FakeGitHub


@dataclass
class Storage:
    """A repository.

    Attributes:
        heads, tags: Names and commits.
        issues: By number, pull requests among them (those have `pull`).
        roles: Who has which role: admin, maintain, push, triage, pull. Everybody not named here may push.
        required_checks: Merging is refused (405) while one of these has not succeeded.
        has_issues: False has them switched off; pull requests are listed all the same.
        forked_from: The repository that it is a fork of, `owner/name` in lower case.
        moved: Where issues are now that were here, by number: `owner/name` and the number there.
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
    has_issues: bool = True
    forked_from: str = ""
    moved: dict[int, tuple[str, int]] = field(default_factory=dict[int, tuple[str, int]])

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
        """Put a commit on a branch, which is made from the default one if need be; `None` deletes a file."""
        head = self.heads.get(branch) or self.heads.get(self.default_branch)
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

    def link(self, branch: str, path: str, to: str) -> str:
        """Put a symbolic link on a branch, to a path beside it."""
        self.git.links.add(self.git.blob(to.encode()))
        return self.commit(branch, {path: to}, f"Link {path}")

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
