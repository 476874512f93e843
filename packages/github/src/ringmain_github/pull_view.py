"""A pull request as it is shown: its facts, and a line for each file, commit and review."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringmain_core.text import clean
from ringmain_github.references import author_of, headline_of, login_of
from ringmain_github.said import indented

_MOST_FILES, _MOST_COMMITS = 3_000, 250  # that GitHub lists


def beyond(pull: Mapping[str, Any], shown: Sequence[str]) -> list[str]:
    """What GitHub itself does not list."""
    said: list[str] = []
    if "files" in shown and pull["changed_files"] > _MOST_FILES:
        said.append(f"files: GitHub lists {_MOST_FILES:,} of {pull['changed_files']:,}; a clone has all.")
    if "commits" in shown and pull["commits"] > _MOST_COMMITS:
        head = pull["head"]["sha"]
        said.append(
            f"commits: GitHub lists {_MOST_COMMITS} of {pull['commits']} here; `list_commits` of ref={head} "
            "has all."
        )
    return said


def facts_of(pull: Mapping[str, Any]) -> dict[str, Any]:
    """Its state, with the head that locks take."""
    state = "merged" if pull["merged"] else pull["state"]
    mergeable = {True: "yes", False: "no"}.get(pull["mergeable"], "not known yet, ask again in seconds")
    return {
        "number": pull["number"],
        "title": clean(pull["title"]),
        "state": f"{state}, draft" if pull["draft"] else state,
        "author": login_of(pull["user"]),
        "head": clean(pull["head"]["label"]),
        "head_sha": pull["head"]["sha"],
        "base": clean(pull["base"]["ref"]),
        "merged": f"{pull['merged_at']} by {login_of(pull['merged_by'])}" if pull["merged"] else None,
        "auto_merge": pull["auto_merge"]["merge_method"] if pull["auto_merge"] else None,
        "mergeable": f"{mergeable} ({pull['mergeable_state']})",
        "changes": f"+{pull['additions']} -{pull['deletions']} in {pull['changed_files']} files, "
        f"{pull['commits']} commits",
        "labels": [clean(label["name"]) for label in pull["labels"]],
        "assignees": [user["login"] for user in pull["assignees"] or ()],
        "waiting_for": [user["login"] for user in pull["requested_reviewers"] or ()]
        + [f"team {team['slug']}" for team in pull["requested_teams"] or ()],
        "comments": f"{pull['comments']}, {pull['review_comments']} in reviews",
        "created": pull["created_at"],
        "updated": pull["updated_at"],
        "url": pull["html_url"],
    }


def commit_line(commit: Mapping[str, Any]) -> str:
    """A commit, by the first line of its message."""
    return f"{commit['sha'][:10]} {author_of(commit)}: {headline_of(commit)}"


def review_line(review: Mapping[str, Any]) -> str:
    """A review: by whom, of which head, and what it says."""
    said = f": {indented(review['body'])}" if review["body"] else ""
    return f"{review['state'].lower()} by {login_of(review['user'])} on {str(review['commit_id'])[:10]}{said}"
