"""GraphQL, executed with GitHub's own schema: what is asked beyond what we hold is a violation."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from graphql import ExecutionResult, GraphQLError, parse

from standins.github import described, gate, graphql_writes, validate
from standins.github.graphql_objects import issue_object, pull_object, repository_object, thread_object
from standins.github.graphql_parts import Problem, connection, user_object
from standins.github.models import Issue
from standins.github.repository import Repository
from standins.github.search import issues_found
from standins.github.web import Answer, Asked, Refusal, Routes

routes = Routes()


@routes.on("POST", "/graphql", write=False)
def graphql(asked: Asked) -> Any:
    if asked.token is None:
        raise Refusal(401, "This endpoint requires you to be authenticated.")
    query = str(asked.fields.get("query", ""))
    before = len(asked.fake.violations)
    asked.fake.violations += validate.graphql(query)
    body: dict[str, Any] = {}
    if not asked.fake.violations[before:]:
        result = _executed(asked, query)
        body["data"] = result.data
        if result.errors:
            body["errors"] = [_error(asked, one) for one in result.errors]
    wrong = asked.fake.violations[before:]
    return Answer({"message": "; ".join(wrong)}, 599) if wrong else body


def _executed(asked: Asked, query: str) -> ExecutionResult:
    library: Any = import_module("graphql")  # half of its types are unknown

    def resolve(source: Any, info: Any, **arguments: Any) -> Any:
        if isinstance(source, dict) and info.field_name not in source:
            asked.fake.violations.append(
                f"GraphQL: the fake has no {info.parent_type.name}.{info.field_name}"
            )
        return library.default_field_resolver(source, info, **arguments)

    made: ExecutionResult = library.execute_sync(
        described.graphql_schema(),
        parse(query),
        _root(asked),
        variable_values=asked.fields.get("variables") or {},
        field_resolver=resolve,
    )
    return made


def _error(asked: Asked, error: GraphQLError) -> dict[str, Any]:
    original = error.original_error
    places = [{"line": one.line, "column": one.column} for one in error.locations or []]
    made: dict[str, Any] = {"message": error.message, "locations": places}
    if isinstance(original, Problem):
        return {"type": original.kind, "path": error.path} | made
    if original is not None and not isinstance(original, GraphQLError):
        asked.fake.violations.append(f"GraphQL: the fake failed: {original!r}")
    elif "non-nullable" in error.message:
        asked.fake.violations.append(f"GraphQL: {error.message}")
    return made


def _root(asked: Asked) -> dict[str, Any]:
    def repository(_: Any, owner: str, name: str, **__: Any) -> Any:
        try:
            found = gate.visible(asked, asked.fake.repositories.get(f"{owner}/{name}".lower()))
        except Refusal as refusal:
            raise Problem(
                "NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'."
            ) from refusal
        return repository_object(asked, found)

    def search(info: Any, query: str, **page: Any) -> Any:
        try:
            rows = issues_found(asked, query)
        except Refusal as refusal:
            raise Problem("INVALID", "The search cannot be made.") from refusal
        found = connection(rows, lambda one: _either(asked, *one), "search")(info, **page)
        return found | {"issueCount": len(rows)}

    def rate_limit(_: Any, **__: Any) -> Any:
        used = asked.token.used if asked.token else 0
        return {"limit": asked.fake.limit, "cost": 1, "remaining": asked.fake.limit - used, "used": used}

    def user(_: Any, login: str) -> Any:
        if login.lower() not in asked.fake.owners:
            raise Problem("NOT_FOUND", f"Could not resolve to a User with the login of '{login}'.")
        return user_object(asked, login)

    def viewer(_: Any) -> Any:
        return user_object(asked, asked.login)

    def one_node(_: Any, **given: str) -> Any:
        return node(asked, given["id"])

    def nodes(_: Any, ids: list[str]) -> Any:
        return [_node_or_problem(asked, one) for one in ids]

    queries: dict[str, Callable[..., Any]] = {
        "repository": repository,
        "search": search,
        "rateLimit": rate_limit,
        "user": user,
        "viewer": viewer,
        "node": one_node,
        "nodes": nodes,
    }
    return queries | graphql_writes.mutations(asked)


def _either(asked: Asked, repo: Repository, issue: Issue) -> dict[str, Any]:
    return pull_object(asked, repo, issue) if issue.pull else issue_object(asked, repo, issue)


def _node_or_problem(asked: Asked, name: str) -> Any:
    """One of several nodes: what is wrong with it is a matter of its own."""
    try:
        return node(asked, name)
    except Problem as problem:
        return problem


def node(asked: Asked, name: str) -> dict[str, Any]:
    """Whatever has this id.

    Raises:
        Problem: NOT_FOUND.
    """
    kind, _, _ = name.partition("_")
    for repo in asked.fake.repositories.values():
        if name == f"R_{repo.id}":
            return repository_object(asked, repo)
        for issue in repo.issues.values():
            if kind in {"I", "PR"} and name == f"{kind}_{issue.id}":
                return _either(asked, repo, issue)
            for thread in issue.pull.threads if issue.pull else []:
                if thread.id == name:
                    return thread_object(asked, repo, issue, thread)
    raise Problem("NOT_FOUND", f"Could not resolve to a node with the global id of '{name}'")
