"""What people say in a repository: issues, pull requests, reviews, threads."""

from collections.abc import Sequence
from dataclasses import dataclass

from standins.github.models import Comment, Issue, Pull, Review, ReviewComment, Thread
from standins.github.storage import Storage


@dataclass
class Conversations(Storage):
    """A repository's issues and pull requests."""

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
