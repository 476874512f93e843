"""Objects as GitHub sends them: the example of its description, with our addresses and state."""

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from standins.github import described

if TYPE_CHECKING:
    from standins.github.git import Commit
    from standins.github.models import Owner
    from standins.github.repository import Repository
    from standins.github.state import FakeGitHub


@lru_cache(maxsize=512)
def _text(name: str, *path: str | int) -> str:
    value = described.example(name)
    for part in path:
        value = value[part]
    return json.dumps(value)


def shape(
    fake: "FakeGitHub", known_as: str, /, *path: str | int, of: str = "", **fields: Any
) -> dict[str, Any]:
    """An example (see `described.example`) at a path within it, with these fields in place of its own.

    Args:
        of: `owner/name` that its addresses should have in place of the example's `octocat/Hello-World`.
    """
    text = _text(known_as, *path)
    if of:
        for known in (
            "octocat/Hello-World",
            "octocat/hello-world",
            "octo-org/octo-repo",
            "github/hello-world",
        ):
            text = text.replace(known, of)
    text = text.replace("https://api.github.com", fake.api)
    text = text.replace("https://github.com", fake.url).replace("https://uploads.github.com", fake.url)
    made: dict[str, Any] = json.loads(text.replace("https://HOSTNAME", fake.url))
    return made | fields


def user(fake: "FakeGitHub", login: str) -> dict[str, Any]:
    """A user as other objects hold them."""
    owner: Owner = fake.owners[login.lower()]
    text = json.dumps(shape(fake, "full-repository-default-response", "owner"))
    made: dict[str, Any] = json.loads(text.replace("octocat", owner.login))
    made |= {"id": owner.id, "node_id": f"U_{owner.id}", "type": owner.kind}
    return made


def repository(repo: "Repository", login: str = "octocat") -> dict[str, Any]:
    """A repository as lists hold it (minimal)."""
    made = shape(repo.fake, "GET /orgs/{org}/repos", 0, of=repo.full_name)
    return made | _repository(repo, login)


def full_repository(repo: "Repository", login: str) -> dict[str, Any]:
    made = shape(repo.fake, "full-repository-default-response", of=repo.full_name)
    for name in ("parent", "source", "template_repository"):
        made.pop(name, None)
    if repo.forked_from:
        made["source"] = made["parent"] = repository(repo.fake.repositories[repo.forked_from], login)
    made["organization"] = user(repo.fake, repo.owner.login)
    return made | _repository(repo, login)


def _repository(repo: "Repository", login: str) -> dict[str, Any]:
    role = repo.roles.get(login, "admin" if login == repo.owner.login else "push")
    order = ("pull", "triage", "push", "maintain", "admin")
    license_ = {
        "key": "mit",
        "name": "MIT License",
        "spdx_id": "MIT",
        "node_id": "L_1",
        "url": f"{repo.fake.api}/licenses/mit",
    }
    return {
        "id": repo.id,
        "node_id": f"R_{repo.id}",
        "name": repo.name,
        "full_name": repo.full_name,
        "owner": user(repo.fake, repo.owner.login),
        "private": repo.private,
        "visibility": "private" if repo.private else "public",
        "description": repo.description or None,
        "default_branch": repo.default_branch,
        "archived": repo.archived,
        "has_issues": repo.has_issues,
        "topics": repo.topics,
        "html_url": f"{repo.fake.url}/{repo.full_name}",
        "url": f"{repo.fake.api}/repos/{repo.full_name}",
        "fork": False,
        "language": "Python",
        **dict.fromkeys(("forks", "forks_count", "watchers", "watchers_count", "stargazers_count"), 0),
        "open_issues": sum(issue.state == "open" for issue in repo.issues.values()),
        "license": license_,
        "open_issues_count": sum(issue.state == "open" for issue in repo.issues.values()),
        "created_at": repo.created_at,
        "updated_at": repo.updated_at,
        "pushed_at": repo.pushed_at,
        "permissions": {one: order.index(one) <= order.index(role) for one in order},
    }


def commit(repo: "Repository", found: "Commit") -> dict[str, Any]:
    """A commit as lists hold it."""
    api, html = f"{repo.fake.api}/repos/{repo.full_name}", f"{repo.fake.url}/{repo.full_name}"
    signature = {"name": found.author, "email": f"{found.author}@example.com", "date": found.date}
    made = shape(repo.fake, "GET /repos/{owner}/{repo}/commits", 0, of=repo.full_name)
    made["commit"] |= {
        "url": f"{api}/git/commits/{found.sha}",
        "author": signature,
        "committer": signature,
        "message": found.message,
        "tree": {"sha": found.tree, "url": f"{api}/git/trees/{found.tree}"},
    }
    return made | {
        "sha": found.sha,
        "node_id": f"C_{found.sha[:12]}",
        "url": f"{api}/commits/{found.sha}",
        "html_url": f"{html}/commit/{found.sha}",
        "comments_url": f"{api}/commits/{found.sha}/comments",
        "author": user(repo.fake, found.author),
        "committer": user(repo.fake, found.author),
        "parents": [
            {"sha": one, "url": f"{api}/commits/{one}", "html_url": f"{html}/commit/{one}"}
            for one in found.parents
        ],
    }
