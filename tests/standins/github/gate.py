"""What stands before every route: tokens, scopes, permissions, hidden repositories, limits."""

import time
from urllib.parse import urlencode

import jwt

from standins.github.repository import Repository
from standins.github.web import Asked, Refusal, Route, not_found

_ANONYMOUS_LIMIT = 60


def known_token(asked: Asked) -> None:
    """Find whose token a request carries.

    Raises:
        Refusal: 401 for one that we did not make.
    """
    kind, _, value = asked.headers.get("authorization", "").partition(" ")
    if not value:
        return
    if kind.lower() == "bearer" and value.count(".") == 2:
        _known_app(asked, value)
        return
    if kind.lower() not in {"bearer", "token"} or value not in asked.fake.tokens:
        raise Refusal(401, "Bad credentials")
    asked.token = asked.fake.tokens[value]


def _known_app(asked: Asked, statement: str) -> None:
    claimed = str(jwt.decode(statement, options={"verify_signature": False}).get("iss"))
    if claimed not in asked.fake.apps:
        raise Refusal(404, "Integration not found")
    try:
        jwt.decode(statement, asked.fake.apps[claimed], algorithms=["RS256"], options={"verify_iat": False})
    except jwt.InvalidTokenError as error:
        raise Refusal(401, "A JSON web token could not be decoded") from error
    asked.app = claimed


def same_name(asked: Asked) -> None:
    """Lead on from a name that a repository had once.

    Raises:
        Refusal: 301 for reads and 307 for writes, to its address without a name.
    """
    place = "/".join(asked.path.split("/")[2:4]).lower()
    renamed = asked.fake.renamed.get(place)
    if renamed is not None and asked.path.startswith("/repos/"):
        query = f"?{urlencode(asked.query)}" if asked.query else ""
        rest = "/".join(asked.path.split("/")[4:])
        number = asked.fake.repositories[renamed].id
        url = f"{asked.fake.api}/repositories/{number}{'/' * bool(rest)}{rest}{query}"
        raise Refusal(301 if asked.method == "GET" else 307, "Moved Permanently", location=url)
    if asked.path.startswith("/repositories/"):
        _, _, number, *rest = asked.path.split("/")
        repo = next(one for one in asked.fake.repositories.values() if str(one.id) == number)
        asked.path = "/".join(["/repos", repo.full_name, *rest])


def admit(asked: Asked, route: Route) -> None:
    """Find the repository, and see that the token may do this.

    Raises:
        Refusal: 401, 403, 404.
    """
    if (asked.path == "/app" or asked.path.startswith("/app/")) and asked.app is None:
        raise Refusal(401, "A JSON web token could not be decoded")
    token = asked.token
    if "repo" in asked.parts:
        name = f"{asked.parts['owner']}/{asked.parts['repo']}"
        asked.found = visible(asked, asked.fake.repositories.get(name.lower()))
    public = asked.found is not None and not asked.found.private
    if token is None:
        if asked.app is None and not (public and not route.write):
            raise Refusal(401, "Requires authentication")
        return
    if token.scoped and route.write and not {"repo", "public_repo"} & {*token.scopes}:
        raise not_found()
    if not (public and not route.write) and not any(
        token.allows(one, write=route.write) for one in route.needs.split("|")
    ):
        kind = "integration" if token.kind == "installation" else "personal access token"
        raise Refusal(403, f"Resource not accessible by {kind}")
    if asked.found is not None and asked.found.archived and route.write:
        raise Refusal(403, "Repository was archived so is read-only.")


def visible(asked: Asked, repo: Repository | None) -> Repository:
    """The repository.

    Raises:
        Refusal: 404 where there is none, or none that the token may know about.
    """
    token = asked.token
    if repo is None:
        raise not_found()
    if repo.private and asked.app is None and (token is None or not token.reaches(repo.full_name)):
        raise not_found()
    return repo


def count(asked: Asked) -> None:
    """Count a request against its token's limit.

    Raises:
        Refusal: 403 where nothing is left.
    """
    if asked.token is not None:
        if asked.token.used >= asked.fake.limit:
            raise Refusal(403, "API rate limit exceeded for user ID 1.")
        asked.token.used += 1


def headers(asked: Asked, route: Route | None, number: int) -> dict[str, str]:
    """Those that every answer has."""
    token = asked.token
    limit = asked.fake.limit if token else _ANONYMOUS_LIMIT
    used = token.used if token else 0
    first = asked.path.split("/")[1]
    made = {
        "x-github-request-id": f"FAKE:{number:04X}",
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(max(0, limit - used)),
        "x-ratelimit-used": str(used),
        "x-ratelimit-reset": str(int(time.time()) // 3600 * 3600 + 3600),
        "x-ratelimit-resource": first if first in {"search", "graphql"} else "core",
    }
    if token is not None and token.scoped:
        made["x-oauth-scopes"] = ", ".join(token.scopes)
        made["x-accepted-oauth-scopes"] = "repo" if asked.found is not None else ""
    elif token is not None and route is not None:
        if token.kind == "user":
            made["x-oauth-scopes"] = ""
        access = "write" if route.write else "read"
        made["x-accepted-github-permissions"] = "; ".join(f"{one}={access}" for one in route.needs.split("|"))
    return made
