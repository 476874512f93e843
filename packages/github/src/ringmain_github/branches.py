"""Branches to commit on: their heads as the caller has read them, and new ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringmain_core.errors import InvalidArguments, NotFound, ToolFailure, UpstreamRefused
from ringmain_core.steps import sent_or_found
from ringmain_github.api import GitHub
from ringmain_github.references import is_sha
from ringmain_github.repository import Repository


@dataclass(frozen=True, slots=True)
class Target:
    """The head to commit on, whether its branch has to be made first, and what else the branch is."""

    head: str
    is_new: bool
    kinds: list[str]


async def target_of(
    github: GitHub, repository: Repository, branch: str, head_sha: str | None, create_from: str | None
) -> Target:
    """Where the commit goes.

    Raises:
        NotFound: Where there is no such branch, and none is to be made.
        InvalidArguments: Where the caller does not say which head they have read.
        UpstreamRefused: Where its head is not the one that the caller has read; nothing was done.
    """
    origin = None
    if create_from is not None:
        origin = str((await github.get(repository.path("commits", create_from))).json()["sha"])
    try:
        found = (await github.get(repository.path("branches", branch))).json()
    except NotFound:
        if origin is None:
            raise NotFound(
                f"{repository.full_name} has no branch `{branch}`; `create_from` makes one, from a ref."
            ) from None
        target = Target(origin, is_new=True, kinds=[])
    else:
        kinds = ["the default branch"] if branch == repository.default_branch else []
        kinds += ["protected"] if found["protected"] else []
        target = Target(str(found["commit"]["sha"]), is_new=False, kinds=kinds)
    if head_sha is not None and not (is_sha(head_sha) and target.head.startswith(head_sha)):
        raise _moved(branch, head_sha, target.head)
    if head_sha is None and target.head != origin:
        raise InvalidArguments(
            f"Give `head_sha`, the head that your changes are made for: `{branch}` is at {target.head} now."
        )
    return target


async def require_head(github: GitHub, repository: Repository, branch: str, head: str) -> None:
    """Explain a refusal by the branch having moved, where that is so.

    Raises:
        UpstreamRefused: Where it is.
    """
    try:
        now = str((await github.get(repository.path("branches", branch))).json()["commit"]["sha"])
    except ToolFailure:  # then the refusal has to do
        return
    if now != head:
        raise _moved(branch, head, now)


def _moved(branch: str, read: str, now: str) -> UpstreamRefused:
    return UpstreamRefused(
        f"The head of `{branch}` is {now} now, not {read[:64]}, so nothing was committed. Look at what is "
        "new, then use the new `head_sha`.",
        head_sha=now,
    )


async def make_branch(
    github: GitHub, repository: Repository, branch: str, reference: Mapping[str, str]
) -> None:
    """Make a branch; where no answer came, it counts as made if it is there, at the right commit."""

    async def send() -> bool:
        await github.send("POST", repository.path("git", "refs"), reference)
        return True

    async def look() -> bool | None:
        try:
            found = (await github.get(repository.path("branches", branch))).json()
        except NotFound:
            return None
        return found["commit"]["sha"] == reference["sha"] or None

    await sent_or_found(send, look)
