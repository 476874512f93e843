"""Opening and changing issues."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments, NotFound
from ringmain_core.steps import sent_or_found, take
from ringmain_core.text import clean
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub
from ringmain_github.issue_steps import Change, Plan, plan
from ringmain_github.issues import (
    excerpt,
    issue_of,
    known_labels,
    mentions_in,
    milestone_number,
    require_assignable,
)
from ringmain_github.models import Outcome
from ringmain_github.references import Number, RepoName, login_of
from ringmain_github.repository import Repository
from ringmain_github.settling import if_noted

Names = Annotated[list[str] | None, Field(max_length=50)]


@if_noted
async def _settle(github: GitHub, call: Call, note: Any) -> Outcome | None:
    if "title" not in note:
        return None  # every step of a change sets a state: taken again, it does no more
    return await _opened(github, await github.repo(call, note["repo"]), note)


async def _opened(github: GitHub, repository: Repository, note: Mapping[str, Any]) -> Outcome | None:
    """The issue of ours with this title that has come since."""
    params = {"state": "all", "creator": note["login"], "per_page": 100}
    for issue in (await github.get(repository.path("issues"), params=params)).json():
        is_new = issue["number"] > note["after"] and "pull_request" not in issue
        if is_new and issue["title"] == note["title"]:
            return _made(repository, issue, note["wanted"])
    return None


def _made(repository: Repository, issue: Mapping[str, Any], wanted: Mapping[str, list[str]]) -> Outcome:
    """An issue that was opened, and what GitHub has left out in silence."""
    labels = {str(label["name"]).lower() for label in issue["labels"]}
    people = {login_of(user).lower() for user in issue["assignees"] or ()}
    missing = [f"label {name}" for name in wanted["labels"] if name.lower() not in labels]
    missing += [f"assignee {login}" for login in wanted["assignees"] if login.lower() not in people]
    left_out = f"GitHub has left out what this token may not set: {', '.join(missing)}."
    return Outcome(
        done=True,
        summary=f"Opened {repository.full_name}#{issue['number']} “{clean(issue['title'])}”.",
        url=issue["html_url"],
        number=issue["number"],
        warnings=[left_out] if missing else [],
    )


@tool(access="write", title="Open or change an issue", settle=_settle)
async def save_issue(
    github: GitHub,
    call: Call,
    repo: RepoName,
    number: Annotated[Number | None, Field(description="None: a new one.")] = None,
    title: Annotated[str | None, Field(min_length=1, max_length=256)] = None,
    body: Annotated[str | None, Field(max_length=65_536), OnRecord(withheld)] = None,
    state: Literal["open", "closed"] | None = None,
    reason: Annotated[
        Literal["completed", "not_planned", "duplicate"] | None, Field(description="For closing.")
    ] = None,
    add_labels: Names = None,
    remove_labels: Names = None,
    add_assignees: Names = None,
    remove_assignees: Names = None,
    milestone: Annotated[str | None, Field(description="Title, number or `none`.")] = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Open an issue, or change one: close it, add or remove labels and assignees one by one."""
    repository = await github.repo(call, repo)
    if reason is not None and state != "closed":
        raise InvalidArguments("`reason` goes with state='closed'.")
    if number is None and (not title or state or remove_labels or remove_assignees):
        raise InvalidArguments(
            "A new issue needs a `title`, and nothing to close or remove; an old one needs its `number`."
        )
    asked = {"title": title, "body": body, "state": state, "state_reason": reason}
    fields: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    issue = None if number is None else await issue_of(github, call, repository, number)
    if milestone is not None:
        fields["milestone"] = await milestone_number(github, repository, milestone)
    change = Change(
        fields,
        await known_labels(github, repository, add_labels or []),
        remove_labels or [],
        add_assignees or [],
        remove_assignees or [],
    )
    await require_assignable(github, repository, change.add_assignees)
    if issue is None:
        return await _open(github, call, repository, change, dry_run=dry_run)
    if change.is_empty:
        raise InvalidArguments("There is nothing to change: say what, like `title` or `add_labels`.")
    todo = plan(github, repository, issue, change)
    warnings = [*todo.idle, *mentions_in(body or "")]
    if dry_run:
        await call.saw(repository.audience)
        return _rehearsed(repository, issue, todo, warnings)
    if "title" in fields or "body" in fields:
        await call.may_share(repository.audience, f"Change {repository.full_name}#{number}")
    await call.note({"repo": repository.full_name, "number": number})
    await take(todo.steps)
    what = f"Changed {repository.full_name}#{number}: {_words(todo)}."
    return Outcome(done=True, summary=what, url=issue["html_url"], number=number, warnings=todo.idle)


def _words(todo: Plan) -> str:
    return "; ".join(step.what for step in todo.steps) or "nothing, for it is so already"


def _rehearsed(repository: Repository, issue: Mapping[str, Any], todo: Plan, warnings: list[str]) -> Outcome:
    return Outcome(
        done=False,
        summary=f"{repository.full_name}#{issue['number']}: {_words(todo)}.",
        url=issue["html_url"],
        number=issue["number"],
        requests=[step.request for step in todo.steps],
        preview=todo.preview or None,
        warnings=warnings,
    )


async def _open(
    github: GitHub, call: Call, repository: Repository, change: Change, *, dry_run: bool
) -> Outcome:
    url = repository.path("issues")
    named = {"labels": list(change.add_labels), "assignees": list(change.add_assignees)}
    wanted = {**change.fields, **{name: values for name, values in named.items() if values}}
    title, body = change.fields["title"], change.fields.get("body", "")
    if dry_run:
        return Outcome(
            done=False,
            summary=f"A new issue in {repository.full_name}: “{title}”.",
            requests=[{"POST": url, **wanted, **({"body": excerpt(body)} if body else {})}],
            warnings=mentions_in(body),
        )
    await call.may_share(repository.audience, f"Open an issue in {repository.full_name}")
    newest = (await github.get(url, params={"state": "all", "per_page": 1})).json()
    note = {
        "repo": repository.full_name,
        "title": title,
        "after": newest[0]["number"] if newest else 0,
        "login": await github.own_login(repository.owner),
        "wanted": named,
    }
    await call.note(note)

    async def send() -> Outcome:
        try:
            return _made(repository, (await github.send("POST", url, wanted)).json(), named)
        except NotFound:
            raise NotFound(
                f"{repository.full_name} has its issues switched off, or this token may not open any there."
            ) from None

    return await sent_or_found(send, lambda: _opened(github, repository, note))


TOOLS = (save_issue,)
