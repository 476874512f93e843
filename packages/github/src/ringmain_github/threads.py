"""Review threads of pull requests, which only GraphQL knows: with the ids that replies and resolving take."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringmain_core.errors import NotFound
from ringmain_github.api import GitHub
from ringmain_github.references import is_by, login_of
from ringmain_github.repository import Repository
from ringmain_github.said import indented, one_line

_THREADS = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id isResolved isOutdated path line originalLine
          comments(first: 50) {
            pageInfo { hasNextPage endCursor }
            nodes { databaseId body url createdAt author { login } }
          }
        }
      }
    }
  }
}
"""
_COMMENTS = """
query($id: ID!, $after: String) {
  node(id: $id) {
    ... on PullRequestReviewThread {
      comments(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { databaseId body url createdAt author { login } }
      }
    }
  }
}
"""
_RESOLVE = "mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { id isResolved } } }"
_UNRESOLVE = (
    "mutation($id: ID!) { unresolveReviewThread(input: {threadId: $id}) { thread { id isResolved } } }"
)
_REPLY = """
mutation($id: ID!, $body: String!) {
  addPullRequestReviewThreadReply(input: {pullRequestReviewThreadId: $id, body: $body}) { comment { url } }
}
"""


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread of review comments.

    Attributes:
        id: GraphQL's, `PRRT_…`.
        comments: As GraphQL has them, all of them.
    """

    id: str
    resolved: bool
    outdated: bool
    place: str
    comments: Sequence[Mapping[str, Any]]

    @property
    def said(self) -> str:
        """It and its comments, harmless, each with the number that replies take."""
        state = "resolved" if self.resolved else "open"
        lines = [f"{self.id} {state}{', outdated' if self.outdated else ''} {self.place}"]
        lines += [
            f"  [{each['databaseId']}] {login_of(each['author'])}, {each['createdAt']}: "
            f"{indented(each['body'], 4)}"
            for each in self.comments
        ]
        return "\n".join(lines)

    @property
    def last(self) -> int:
        """The number of its last comment."""
        return max((each["databaseId"] for each in self.comments), default=0)

    def reply(self, body: str, login: str | None, after: int) -> str | None:
        """Where somebody's reply with this text is that has come after a comment; `None` for none."""
        for each in self.comments:
            alike = each["body"].strip() == body.strip() and is_by(each["author"], login)
            if alike and each["databaseId"] > after:
                return each["url"]
        return None


async def threads_of(github: GitHub, repository: Repository, number: int) -> AsyncGenerator[Thread]:
    """All threads of a pull request, from the first to the last."""
    after: str | None = None
    while True:
        answer = await github.query(
            _THREADS, owner=repository.owner, name=repository.name, number=number, after=after
        )
        pull = answer["repository"]["pullRequest"]
        if pull is None:
            raise NotFound(f"{repository.full_name} has no pull request #{number}.")
        found = pull["reviewThreads"]
        for node in filter(None, found["nodes"]):
            yield await _thread(github, repository, node)
        if not found["pageInfo"]["hasNextPage"]:
            return
        after = found["pageInfo"]["endCursor"]


async def resolve(github: GitHub, repository: Repository, thread: str, *, resolved: bool) -> None:
    """Resolve a thread, or open it again."""
    await github.mutate(_RESOLVE if resolved else _UNRESOLVE, repository.owner, id=thread)


async def reply_to(github: GitHub, repository: Repository, thread: str, body: str) -> str:
    """Reply in a thread; returns the reply's URL."""
    answer = await github.mutate(_REPLY, repository.owner, id=thread, body=body)
    return answer["addPullRequestReviewThreadReply"]["comment"]["url"]


async def thread_of(github: GitHub, repository: Repository, number: int, name: str) -> Thread | None:
    """One of a pull request's threads."""
    async for thread in threads_of(github, repository, number):
        if thread.id == name:
            return thread
    return None


async def _thread(github: GitHub, repository: Repository, node: Mapping[str, Any]) -> Thread:
    page = node["comments"]
    comments: list[Mapping[str, Any]] = [*filter(None, page["nodes"])]
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        answer = await github.query(_COMMENTS, repository.owner, id=node["id"], after=after)
        page = answer["node"]["comments"]
        comments += filter(None, page["nodes"])
    line = node["line"] or node["originalLine"]
    path = one_line(node["path"])
    place = f"{path}:{line}" if line else path
    return Thread(node["id"], node["isResolved"], node["isOutdated"], place, comments)
