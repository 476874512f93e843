"""What a model can read of GitHub by URI; pull requests and runs tell when they change."""

from ringmain_core.call import Call
from ringmain_core.errors import NotFound
from ringmain_core.text import untrusted
from ringmain_core.tooling import resource
from ringmain_github.api import GitHub
from ringmain_github.completions import (
    complete_number,
    complete_owner,
    complete_path,
    complete_pull,
    complete_ref,
    complete_repository,
    complete_run,
    complete_sha,
)
from ringmain_github.logs import job_log
from ringmain_github.tools.history import get_diff
from ringmain_github.tools.issues import get_issue
from ringmain_github.tools.pulls import get_pull_request
from ringmain_github.tools.repositories import get_repo, list_files, read_file
from ringmain_github.tools.runs import get_run

_IN = {"owner": complete_owner, "repo": complete_repository}


@resource("github://{owner}/{repo}", title="Repository", complete=_IN)
async def repository(github: GitHub, call: Call, owner: str, repo: str) -> str:
    """What a repository is, with its readme."""
    answer = await get_repo.function(github, call, f"{owner}/{repo}", include=["readme"])
    return answer.text()


@resource(
    "github://{owner}/{repo}/contents/{+path}{?ref}",
    title="File or folder",
    complete={**_IN, "path": complete_path, "ref": complete_ref},
)
async def contents(
    github: GitHub, call: Call, owner: str, repo: str, path: str, ref: str | None = None
) -> str:
    """A file's text, or what is in a folder."""
    name = f"{owner}/{repo}"
    try:
        return await read_file.function(github, call, name, path, ref)
    except NotFound:
        answer = await list_files.function(github, call, name, path, ref)
        return answer.text()


@resource(
    "github://{owner}/{repo}/issues/{number}", title="Issue", complete={**_IN, "number": complete_number}
)
async def issue(github: GitHub, call: Call, owner: str, repo: str, number: int) -> str:
    """An issue with its comments."""
    name = f"{owner}/{repo}"
    answer = await get_issue.function(github, call, name, number, include=["body", "comments"])
    return answer.text()


@resource(
    "github://{owner}/{repo}/pull/{number}", title="Pull request", complete={**_IN, "number": complete_pull}
)
async def pull(github: GitHub, call: Call, owner: str, repo: str, number: int) -> str:
    """A pull request with its reviews and checks; tells when it changes."""
    name = f"{owner}/{repo}"
    include = ["body", "files", "reviews", "checks"]
    answer = await get_pull_request.function(github, call, name, number, include=include)
    return answer.text()


@resource(
    "github://{owner}/{repo}/pull/{number}/diff",
    title="Diff of a pull request",
    complete={**_IN, "number": complete_pull},
)
async def pull_diff(github: GitHub, call: Call, owner: str, repo: str, number: int) -> str:
    """The diff of a pull request."""
    return await get_diff.function(github, call, f"{owner}/{repo}", number=number)


@resource("github://{owner}/{repo}/commit/{sha}", title="Commit", complete={**_IN, "sha": complete_sha})
async def commit(github: GitHub, call: Call, owner: str, repo: str, sha: str) -> str:
    """The diff of a commit."""
    return await get_diff.function(github, call, f"{owner}/{repo}", sha=sha)


@resource(
    "github://{owner}/{repo}/actions/runs/{run_id}",
    title="Workflow run",
    complete={**_IN, "run_id": complete_run},
)
async def run(github: GitHub, call: Call, owner: str, repo: str, run_id: int) -> str:
    """A workflow run with its jobs; tells when it changes."""
    answer = await get_run.function(github, call, f"{owner}/{repo}", run_id)
    return answer.text()


@resource("github://{owner}/{repo}/actions/jobs/{job_id}/log", title="Log of a job", complete=_IN)
async def log_of_job(github: GitHub, call: Call, owner: str, repo: str, job_id: int) -> str:
    """The end of a job's log, as much as fits."""
    found = await github.repo(call, f"{owner}/{repo}")
    log = await job_log(github, found, job_id)
    await call.saw(found.audience)
    text = "\n".join(line.text for line in log.lines)
    budget = call.room - 500
    tail = text.encode(errors="replace")[-budget:].decode(errors="ignore")
    kept = tail if len(tail) == len(text) else tail.partition("\n")[2]
    said = untrusted(kept, f"log of job {job_id} of {found.full_name}")
    if kept == text:
        return said
    shown = kept.count("\n") + 1
    return f"{said}\nTruncated: the last {shown:,} of {len(log.lines):,} lines; `get_run` has all."


RESOURCES = (repository, contents, issue, pull, pull_diff, commit, run, log_of_job)
