"""Routes of who one is: users, limits, apps and their installations, what repositories there are."""

import time
from datetime import UTC, datetime
from typing import Any

from standins.github import shapes
from standins.github.models import Owner
from standins.github.repository import Repository
from standins.github.web import Answer, Asked, Refusal, Routes, not_found

routes = Routes()


def _account(asked: Asked, owner: Owner, name: str) -> dict[str, Any]:
    made = shapes.shape(asked.fake, name) | shapes.user(asked.fake, owner.login)
    made |= {"name": owner.name, "user_view_type": "public"}
    return made


@routes.on("GET", "/user")
def user(asked: Asked) -> Any:
    if asked.token is None:
        raise Refusal(401, "Requires authentication")
    if asked.token.kind == "installation":
        raise Refusal(403, "Resource not accessible by integration")
    owner = asked.fake.owners[asked.login.lower()]
    made = _account(asked, owner, "private-user-response-with-public-and-private-profile-information")
    return made | {"user_view_type": "private"}


@routes.on("GET", "/users/{username}")
def other_user(asked: Asked) -> Any:
    owner = asked.fake.owners.get(asked.parts["username"].lower())
    if owner is None:
        raise not_found()
    return _account(asked, owner, "public-user-default-response")


@routes.on("GET", "/rate_limit")
def rate_limit(asked: Asked) -> Any:
    if asked.token is None:
        raise Refusal(401, "Requires authentication")
    used = asked.token.used
    limit = {
        "limit": asked.fake.limit,
        "remaining": max(0, asked.fake.limit - used),
        "used": used,
        "reset": int(time.time()) // 3600 * 3600 + 3600,
    }
    search = {**limit, "limit": 30, "remaining": 30, "used": 0}
    return {
        "resources": {"core": limit, "search": search, "graphql": limit, "code_search": search},
        "rate": limit,
    }


@routes.on("GET", "/user/repos")
def user_repositories(asked: Asked) -> Any:
    return asked.page([shapes.repository(one, asked.login) for one in _reached(asked)])


@routes.on("GET", "/orgs/{org}/repos")
def organization_repositories(asked: Asked) -> Any:
    return asked.page([shapes.repository(one, asked.login) for one in _owned(asked, asked.parts["org"])])


@routes.on("GET", "/users/{username}/repos")
def users_repositories(asked: Asked) -> Any:
    return asked.page([shapes.repository(one, asked.login) for one in _owned(asked, asked.parts["username"])])


@routes.on("GET", "/installation/repositories")
def installation_repositories(asked: Asked) -> Any:
    if asked.token is None or asked.token.kind != "installation":
        raise Refusal(403, "You must authenticate with an installation access token.")
    rows = [shapes.repository(one, asked.login) for one in _reached(asked)]
    return asked.page(rows, "repositories")


def _reached(asked: Asked) -> list[Repository]:
    token = asked.token
    rows = asked.fake.repositories.values()
    return [one for one in rows if not one.private or (token is not None and token.reaches(one.full_name))]


def _owned(asked: Asked, owner: str) -> list[Repository]:
    if owner.lower() not in asked.fake.owners:
        raise not_found()
    return [one for one in _reached(asked) if one.owner.login.lower() == owner.lower()]


@routes.on("GET", "/app")
def app(asked: Asked) -> Any:
    return shapes.shape(asked.fake, "GET /app", id=int(asked.app or 0))


# By the description an account is a user and an enterprise at once.
_ENTERPRISE = {"name": "Acme", "slug": "acme", "created_at": None, "updated_at": None}


@routes.on("GET", "/app/installations")
def installations(asked: Asked) -> Any:
    rows = [one for one in asked.fake.owners.values() if one.installation]
    shown = [_installation(asked, one) for one in rows]
    if asked.fake.enterprise_installation:  # which the description knows without an account only
        shown.append(shown[0] | {"id": 999, "target_type": "Enterprise", "account": None})
    return asked.page(shown)


def _installation(asked: Asked, owner: Owner) -> dict[str, Any]:
    return shapes.shape(
        asked.fake,
        "GET /repos/{owner}/{repo}/installation",
        id=owner.installation,
        account=shapes.user(asked.fake, owner.login) | _ENTERPRISE,
        target_type=owner.kind,
        repository_selection="all",
    )


@routes.on("GET", "/repos/{owner}/{repo}/installation")
def repository_installation(asked: Asked) -> Any:
    if asked.app is None:
        raise Refusal(401, "A JSON web token could not be decoded")
    if not asked.repo.owner.installation:
        raise not_found()
    return _installation(asked, asked.repo.owner)


@routes.on("POST", "/app/installations/{installation_id}/access_tokens")
def access_token(asked: Asked) -> Any:
    number = asked.number("installation_id")
    owner = next((one for one in asked.fake.owners.values() if one.installation == number), None)
    if owner is None:
        raise not_found()
    reached = [one.full_name for one in asked.fake.repositories.values() if one.owner is owner]
    made = asked.fake.token(
        f"installation {number} {asked.fake.next_id()}",
        login=owner.login,
        kind="installation",
        permissions=asked.fake.app_permissions,
        repositories=reached,
    )
    ends = datetime.fromtimestamp(time.time() + asked.fake.app_tokens_last, UTC)
    body = {
        "token": made,
        "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "permissions": dict(asked.fake.app_permissions or {"metadata": "read", "issues": "write"}),
        "repository_selection": "all",
    }
    return Answer(body, 201)
