"""Review threads of pull requests, which only GraphQL knows: with the ids that replies and resolving take."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ringmain_core.errors import NotFound
from ringmain_core.text import clean, prose
from ringmain_github.api import GitHub, Repository
from ringmain_github.references import login_of

_THREADS = """
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id isResolved isOutdated path line originalLine
          comments(first: 50) {
            totalCount
            nodes { databaseId body createdAt author { login } }
          }
        }
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
        said: Its comments, harmless, each with the number that replies take.
    """

    id: str
    resolved: bool
    place: str
    said: str


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
        for node in found["nodes"]:
            yield _thread(node)
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


def _thread(node: Mapping[str, Any]) -> Thread:
    line = node["line"] or node["originalLine"]
    place = f"{clean(node['path'])}:{line}" if line else clean(node["path"])
    comments = cast("list[Mapping[str, Any]]", node["comments"]["nodes"])
    said = [
        f"  [{each['databaseId']}] {login_of(each['author'])}, {each['createdAt']}: {prose(each['body'])}"
        for each in comments
    ]
    if node["comments"]["totalCount"] > len(comments):
        said.append(f"  … {node['comments']['totalCount'] - len(comments)} more comments")
    state = "resolved" if node["isResolved"] else "open"
    outdated = ", outdated" if node["isOutdated"] else ""
    head = f"{node['id']} {state}{outdated} {place}"
    return Thread(node["id"], node["isResolved"], place, "\n".join([head, *said]))
