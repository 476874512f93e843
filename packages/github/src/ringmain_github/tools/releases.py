"""Releases: made, or changed, by their tag."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound
from ringmain_core.steps import sent_or_found
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.models import Outcome
from ringmain_github.paging import all_of
from ringmain_github.references import RepoName
from ringmain_github.rehearsing import fitted
from ringmain_github.repository import Repository
from ringmain_github.settling import if_noted


@if_noted
async def _settle(github: GitHub, call: Call, note: Any) -> Outcome | None:
    repository = await github.repo(call, note["repo"])
    if note["changes"]:
        return None  # it sets a state: sent again, it does no more
    found = await _release_of(github, repository, note["tag"])
    return None if found is None else _saved(repository, found)


async def _release_of(github: GitHub, repository: Repository, tag: str) -> Mapping[str, Any] | None:
    """The release of a tag; drafts, which GitHub does not find by their tag, are among all of them."""
    try:
        return (await github.get(repository.path("releases", "tags", tag))).json()
    except NotFound:
        found, _ = await all_of(github, repository.path("releases"))
        return next((release for release in found if release["tag_name"] == tag), None)


def _saved(repository: Repository, release: Mapping[str, Any]) -> Outcome:
    kind = "Draft" if release["draft"] else "Prerelease" if release["prerelease"] else "Release"
    what = f"{kind} {release['tag_name']} of {repository.full_name} is saved."
    return Outcome(done=True, summary=what, url=release["html_url"], id=str(release["id"]))


@tool(access="write", title="Save a release", settle=_settle)
async def save_release(
    github: GitHub,
    call: Call,
    repo: RepoName,
    tag: str,
    name: str | None = None,
    notes: Annotated[str | None, OnRecord(withheld)] = None,
    target: Annotated[str | None, Field(description="Branch or sha, for a new tag.")] = None,
    draft: Annotated[bool | None, Field(description="New ones: default true.")] = None,
    prerelease: bool | None = None,
    generate_notes: Annotated[bool, Field(description="By GitHub, for a new one.")] = False,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Create the release of a tag, or change its notes, name or draft state; publish it with draft=false."""
    repository = await github.repo(call, repo)
    there = await _release_of(github, repository, tag)
    if generate_notes and there is not None:
        raise InvalidArguments(
            f"There is a release {tag} already, and notes are generated for new ones only: give `notes`."
        )
    asked = {
        "name": name,
        "body": notes,
        "target_commitish": target,
        "draft": draft if draft is not None or there is not None else True,
        "prerelease": prerelease,
        "generate_release_notes": generate_notes or None,
    }
    body = {"tag_name": tag} | {key: value for key, value in asked.items() if value is not None}
    verb = "POST" if there is None else "PATCH"
    url = repository.path("releases") if there is None else repository.path("releases", there["id"])
    if dry_run:
        what = f"{'A new release' if there is None else 'The release'} {tag} of {repository.full_name}."
        return fitted(call, Outcome(done=False, summary=what, requests=[{verb: url, **body}]))
    await call.may_share(repository.audience, f"Save the release {tag} of {repository.full_name}")
    await call.note({"repo": repository.full_name, "tag": tag, "changes": there is not None})

    async def send() -> Outcome:
        reply = await github.send(verb, url, body, idempotent=there is not None)
        return _saved(repository, reply.json())

    async def look() -> Outcome | None:
        found = await _release_of(github, repository, tag)
        if found is None or (there is not None and any(found.get(key) != body[key] for key in body)):
            return None
        return _saved(repository, found)

    return await sent_or_found(send, look)


TOOLS = (save_release,)
