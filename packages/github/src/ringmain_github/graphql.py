"""What GraphQL answers: data, or errors, which it tells with status 200."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ringmain_core.errors import NotFound, ToolFailure, UpstreamRefused
from ringmain_github.client import Reply
from ringmain_github.failures import Broke, limit_in
from ringmain_github.permissions import Permissions

_MOST_SAID = 500


def data_of(reply: Reply, needs: Permissions, *, write: bool) -> dict[str, Any]:
    """What an answer holds.

    Args:
        reply: The answer.
        needs: What the tool at hand needs, for a refusal.
        write: Whether it is a mutation's.

    Raises:
        Limited: Where a limit is reached.
        Broke: Where it has failed, perhaps after it was done.
        NotFound, UpstreamRefused: For the other errors.
    """
    answer = cast("dict[str, Any]", reply.json())
    errors = cast("list[dict[str, Any]]", answer.get("errors") or [])
    if not errors:
        return answer["data"]
    limited = limit_in(reply, errors)
    if limited is not None:
        raise limited
    data = cast("dict[str, Any]", answer.get("data") or {})
    if all(_leaves_the_rest(error, data, write=write) for error in errors):
        return data
    if not all(error.get("type") or error.get("extensions") for error in errors):
        raise Broke(reply.status)  # “Something went wrong while executing your query”
    raise _refusal(errors, needs)


def _leaves_the_rest(error: Mapping[str, Any], data: Mapping[str, Any], *, write: bool) -> bool:
    """Whether an error is about one node of several, or about what a mutation tells that was done."""
    where = cast("Sequence[str | int]", error.get("path") or ())
    if not where or data.get(str(where[0])) is None:
        return False
    return write or any(isinstance(part, int) for part in where)


def _refusal(errors: Sequence[Mapping[str, Any]], needs: Permissions) -> ToolFailure:
    kinds = {error.get("type") for error in errors}
    if "NOT_FOUND" in kinds:
        return NotFound("There is no such thing on GitHub, or this token may not see it.")
    said = "; ".join(str(error.get("message")) for error in errors)[:_MOST_SAID].rstrip(".")
    wanted = ", ".join(f"{name}: {level}" for name, level in needs.items())
    advice = f" The tool needs {wanted}." if wanted and "FORBIDDEN" in kinds else ""
    return UpstreamRefused(f"GitHub refuses this: {said}.{advice}", cause="graphql")
