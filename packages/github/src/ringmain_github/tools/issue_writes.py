"""Opening and changing issues."""

from collections.abc import Awaitable, Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from ringmain_core.arguments import DryRun, IdempotencyKey, OnRecord, withheld
from ringmain_core.call import Call
from ringmain_core.errors import InvalidArguments
from ringmain_core.tooling import tool
from ringmain_github.api import GitHub, Repository
from ringmain_github.issues import issue_of, known_labels, milestone_number, require_assignable
from ringmain_github.models import Outcome
from ringmain_github.references import Number, RepoName, login_of
from ringmain_github.steps import Step, take
from ringmain_github.writes import lately, own_login, sent_or_found

Names = Annotated[list[str] | None, Field(max_length=50)]


async def _settle_issue(github: GitHub, call: Call, note: Any) -> Outcome | None:
    repository = await github.repo(call, note["repo"])
    if "number" in note:
        return None  # every step sets a state: taken again, it does no more
    return await _opened(github, repository, note)


async def _opened(github: GitHub, repository: Repository, note: Mapping[str, Any]) -> Outcome | None:
    """The issue of ours with this title that has come since."""
    params = {"state": "all", "since": note["since"], "creator": note["login"], "per_page": 100}
    for issue in (await github.get(repository.path("issues"), params=params)).json():
        if issue["title"] == note["title"] and issue["number"] > note["after"]:
            return _made(repository, issue)
    return None


def _made(repository: Repository, issue: Mapping[str, Any]) -> Outcome:
    what = f"Opened {repository.full_name}#{issue['number']} “{issue['title']}”."
    return Outcome(done=True, summary=what, url=issue["html_url"], number=issue["number"])


@tool(access="write", title="Open or change an issue", settle=_settle_issue)
async def save_issue(
    github: GitHub,
    call: Call,
    repo: RepoName,
    number: Annotated[Number | None, Field(description="Leave out to open a new one.")] = None,
    title: str | None = None,
    body: Annotated[str | None, OnRecord(withheld)] = None,
    state: Literal["open", "closed"] | None = None,
    reason: Literal["completed", "not_planned", "duplicate"] | None = None,
    add_labels: Names = None,
    remove_labels: Names = None,
    add_assignees: Names = None,
    remove_assignees: Names = None,
    milestone: Annotated[str | None, Field(description="Title or number.")] = None,
    dry_run: DryRun = False,
    idempotency_key: IdempotencyKey = None,  # noqa: ARG001 (the core keeps it)
) -> Outcome:
    """Open a new issue, or change one: close it, add and remove labels and assignees one by one."""
    repository = await github.repo(call, repo)
    issue = None if number is None else await issue_of(github, repository, number)
    labels = await known_labels(github, repository, add_labels) if add_labels else []
    await require_assignable(github, repository, add_assignees or [])
    asked: dict[str, Any] = {"title": title, "body": body, "state": state, "state_reason": reason}
    if milestone is not None:
        asked["milestone"] = await milestone_number(github, repository, milestone)
    fields = {name: value for name, value in asked.items() if value is not None}
    if reason is not None and state != "closed":
        raise InvalidArguments("`reason` goes with state='closed'.")
    if issue is None:
        if not title or state is not None or remove_labels or remove_assignees:
            raise InvalidArguments(
                "A new issue needs a `title`, and nothing to close or remove; an old one its `number`."
            )
        wanted = {**fields, "labels": labels, "assignees": add_assignees or []}
        return await _open(github, call, repository, wanted, dry_run=dry_run)
    steps = _steps(
        github,
        repository,
        issue,
        fields,
        labels,
        remove_labels or [],
        add_assignees or [],
        remove_assignees or [],
    )
    what = f"{repository.full_name}#{number}: {'; '.join(step.what for step in steps) or 'nothing to change'}"
    if dry_run or not steps:
        requests = [step.request for step in steps]
        return Outcome(
            done=not dry_run,
            summary=f"{what}.",
            url=issue["html_url"],
            number=number,
            requests=requests or None,
        )
    if title is not None or body is not None:
        await call.may_share(repository.audience, f"Change {repository.full_name}#{number}")
    await call.note({"repo": repository.full_name, "number": number})
    await take(steps)
    return Outcome(done=True, summary=f"{what}.", url=issue["html_url"], number=number)


def _steps(
    github: GitHub,
    repository: Repository,
    issue: Mapping[str, Any],
    fields: dict[str, Any],
    add_labels: list[str],
    remove_labels: list[str],
    add_assignees: list[str],
    remove_assignees: list[str],
) -> list[Step]:
    """One request for each kind of change; what is so already needs none."""
    url = repository.path("issues", issue["number"])
    has = {str(label["name"]).lower(): str(label["name"]) for label in issue["labels"]}
    who = {login_of(user).lower() for user in issue["assignees"] or ()}
    steps: list[Step] = []

    def add(what: str, verb: str, path: str, body: dict[str, Any] | None) -> None:
        def send() -> Awaitable[Any]:
            return github.send(verb, path, body, idempotent=True)

        steps.append(Step(what, {verb: path, **(body or {})}, send))

    if fields:
        changes = [_change(issue, name, value) for name, value in fields.items()]
        add(", ".join(changes), "PATCH", url, fields)
    if new := [name for name in add_labels if name.lower() not in has]:
        add(f"labels {', '.join(new)} added", "POST", f"{url}/labels", {"labels": new})
    for name in remove_labels:
        if name.lower() in has:
            path = repository.path("issues", issue["number"], "labels", has[name.lower()])
            add(f"label {name} removed", "DELETE", path, None)
    if new := [login for login in add_assignees if login.lower() not in who]:
        add(f"{', '.join(new)} assigned", "POST", f"{url}/assignees", {"assignees": new})
    if old := [login for login in remove_assignees if login.lower() in who]:
        add(f"{', '.join(old)} no longer assigned", "DELETE", f"{url}/assignees", {"assignees": old})
    return steps


def _change(issue: Mapping[str, Any], name: str, value: Any) -> str:
    if name == "body":
        return f"body set ({len(value):,} characters, before {len(issue['body'] or ''):,})"
    before = issue.get(name)
    if isinstance(before, Mapping):
        before = cast("Mapping[str, Any]", before)["number"]
    return f"{name} {before!r} to {value!r}"


async def _open(
    github: GitHub, call: Call, repository: Repository, wanted: dict[str, Any], *, dry_run: bool
) -> Outcome:
    url = repository.path("issues")
    if dry_run:
        what = f"A new issue in {repository.full_name}: “{wanted['title']}”."
        return Outcome(
            done=False, summary=what, requests=[{"POST": url, **wanted}], preview=wanted.get("body")
        )
    await call.may_share(repository.audience, f"Open an issue in {repository.full_name}")
    newest = (await github.get(url, params={"state": "all", "per_page": 1})).json()
    note = {
        "repo": repository.full_name,
        "title": wanted["title"],
        "since": lately(),
        "after": newest[0]["number"] if newest else 0,
        "login": await own_login(github),
    }
    await call.note(note)

    async def send() -> Outcome:
        return _made(repository, (await github.send("POST", url, wanted)).json())

    return await sent_or_found(send, lambda: _opened(github, repository, note))


TOOLS = (save_issue,)
