"""What a Qdrant server's refusals mean, in words that say what to do next."""

import re

from ringmain_core.text import clean
from ringmain_core.upstream.trouble import Trouble

_UNINDEXED = re.compile(r'Index required but not found for "(?P<key>.+)" of one of .*?\[(?P<kinds>[^\]]*)\]')
_MOST_SAID = 300


class Answered(Exception):
    """The server has answered, and not with success.

    Args:
        said: Its words; empty where it had none, or a page of HTML.
        retry_after: Seconds, where it has said when to come back.
    """

    def __init__(self, status: int, said: str, retry_after: float | None = None) -> None:
        super().__init__(f"{status}")
        self.status = status
        self.said = said
        self.retry_after = retry_after


class NotReached(Exception):
    """There is no connection to the server, so nothing has happened."""


class Broke(Exception):
    """The connection broke, or no answer came in time."""


class NotQdrant(Exception):
    """Something answered that does not speak Qdrant's API: a proxy, a log-in page."""


def trouble_of(error: Exception) -> Trouble | None:
    """What an exception of `qdrant_rest.py` means."""
    match error:
        case Answered():
            return _refusal(error)
        case NotReached():
            return Trouble("down")
        case Broke():
            return Trouble("transient")
        case NotQdrant():
            return Trouble("transient", message="What answers is no Qdrant server: check its address.")
        case _:
            return None


def _refusal(error: Answered) -> Trouble:
    if error.status == 429:
        return Trouble("throttled", error.retry_after)
    if error.status == 408 or error.status >= 500:
        return Trouble("transient")
    if error.status == 401:
        said = "Qdrant does not accept the API key. Tell the operator to check RINGMAIN_VECTOR_STORE_KEY."
        return Trouble("auth", message=said)
    if error.status == 403:
        said = "Qdrant does not let this API key do that: it may only read, perhaps, or not this collection."
        return Trouble("auth", message=said)
    if error.status == 404:
        return Trouble("refused", message="Qdrant has no such collection any more.")
    unindexed = _UNINDEXED.search(error.said)
    if unindexed:
        return Trouble("refused", message=_repair(unindexed["key"], unindexed["kinds"]))
    return Trouble(
        "refused", message=f"Qdrant refuses this: {clean(error.said)[:_MOST_SAID] or error.status}"
    )


def _repair(key: str, kinds: str) -> str:
    kind = kinds.rpartition(",")[2].strip()
    return (
        f"Qdrant does not filter by `{key}` without a payload index (strict mode). Add a document with that "
        f"field, which makes the index; or let the operator make it: PUT /collections/…/index with "
        f'{{"field_name": "{key}", "field_schema": "{kind}"}}.'
    )
