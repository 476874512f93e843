"""Pages: whole rows within the byte budget, and a cursor for the rest."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from ringmain_core.answers import size_of
from ringmain_core.call import Call
from ringmain_core.parts import Part
from ringmain_github.api import GitHub
from ringmain_github.client import JSON

T = TypeVar("T")
Prepare = Callable[[Sequence[Mapping[str, Any]]], Awaitable[None]]
_FRAME = 500  # bytes for what stands around the rows
_MOST_LOOKED_THROUGH = 10  # of GitHub's pages, of 100 items each, for one of ours


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and where the next ones begin.

    Attributes:
        next_cursor: `None` after the last row.
        total: How many there are in all, where GitHub says so.
        incomplete: Whether GitHub says that some may be missing.
    """

    rows: list[T]
    next_cursor: str | None
    total: int | None = None
    incomplete: bool = False


async def page_of(
    github: GitHub,
    call: Call,
    url: str,
    row: Callable[[Mapping[str, Any]], T | None],
    *,
    limit: int,
    cursor: str | None,
    params: Mapping[str, Any] | None = None,
    items: str | None = None,
    accept: str = JSON,
    owner: str | None = None,
    prepare: Prepare | None = None,
) -> Page[T]:
    """One page of a list of GitHub's, as rows.

    Args:
        github: Asked for it.
        call: For whom.
        url: Of the list; a cursor is good for this list only.
        row: Makes the row of an item; `None` leaves it out.
        limit: Most rows; the first page's counts.
        cursor: Where to go on; `None` for the first page.
        params: Further parameters of the query.
        items: The key of the list, where the answer is an object.
        accept: The media type.
        owner: Whose installation of an app to use, where the list is no repository's.
        prepare: Is shown the items before their rows are made.

    Raises:
        InvalidCursor: Where the cursor belongs elsewhere.
    """
    purpose = f"{call.target} {url} {json.dumps(params, sort_keys=True)}"
    page, skip, size = (1, 0, limit) if cursor is None else github.cursors.open(call, purpose, cursor)
    asked = {**(params or {}), "per_page": size, "page": page}
    reply = await github.get(url, params=asked, accept=accept, owner=owner)
    answer = reply.json()
    found = cast("list[Mapping[str, Any]]", answer if items is None else answer[items])
    if prepare is not None:
        await prepare(found[skip:])
    rows: list[T] = []
    used, following = _FRAME, None if reply.next_page is None else [reply.next_page, 0, size]
    for at, item in enumerate(found[skip:], start=skip):
        made = row(item)
        if made is None:
            continue
        used += size_of(made)
        if used > call.room and rows:
            following = [page, at, size]
            break
        rows.append(made)
    sealed = None if following is None else github.cursors.seal(call, purpose, following)
    if items is None:
        return Page(rows, sealed)
    return Page(rows, sealed, answer.get("total_count"), bool(answer.get("incomplete_results")))


async def page_of_kind(
    github: GitHub,
    call: Call,
    url: str,
    row: Callable[[Mapping[str, Any]], T | None],
    *,
    limit: int,
    cursor: str | None,
    params: Mapping[str, Any],
) -> Page[T]:
    """A page of those items of a mixed list that have a row; it may have few where they are rare.

    Args:
        github: Asked for it.
        call: For whom.
        url: Of the list.
        row: Makes the row of an item; `None` for one of another kind.
        limit: Most rows.
        cursor: Where to go on; `None` for the first page.
        params: Of the query; `kind` only tells cursors apart.

    Raises:
        InvalidCursor: Where the cursor belongs elsewhere.
    """
    purpose = f"{call.target} {url} {json.dumps(params, sort_keys=True)}"
    at_page, skip = ({"page": 1}, 0) if cursor is None else github.cursors.open(call, purpose, cursor)
    asked = {name: value for name, value in params.items() if name != "kind"} | {"per_page": 100}
    rows: list[T] = []
    used = _FRAME
    for _ in range(_MOST_LOOKED_THROUGH):
        reply = await github.get(url, params={**asked, **at_page})
        for at, item in enumerate(reply.json()[skip:], start=skip):
            made = row(item)
            if made is None:
                continue
            used += size_of(made)
            if len(rows) == limit or (used > call.room and rows):
                return Page(rows, github.cursors.seal(call, purpose, [at_page, at]))
            rows.append(made)
        if not reply.following:
            return Page(rows, None)
        at_page, skip = reply.following, 0
        if len(rows) == limit:
            break
    return Page(rows, github.cursors.seal(call, purpose, [at_page, skip]))


async def page_of_admitted(
    github: GitHub,
    call: Call,
    url: str,
    row: Callable[[Mapping[str, Any]], T | None],
    *,
    limit: int,
    cursor: str | None,
    params: Mapping[str, Any],
    items: str,
    accept: str,
    owner: str | None,
    prepare: Prepare,
) -> Page[T]:
    """A page of those results of a search that have a row; how many others there are shows in nothing.

    Args:
        github: Asked for it.
        call: For whom.
        url: Of the search.
        row: Makes the row of a result; `None` leaves it out.
        limit: Most rows.
        cursor: Where to go on; `None` for the first page.
        params: Of the query.
        items: The key of the results.
        accept: The media type.
        owner: Whose installation of an app to use.
        prepare: Is shown the results before their rows are made.

    Raises:
        InvalidCursor: Where the cursor belongs elsewhere.
    """
    purpose = f"{call.target} {url} {json.dumps(params, sort_keys=True)}"
    page, skip = (1, 0) if cursor is None else github.cursors.open(call, purpose, cursor)
    rows: list[T] = []
    used, incomplete = _FRAME, False
    while page is not None:
        asked = {**params, "per_page": 100, "page": page}
        reply = await github.get(url, params=asked, accept=accept, owner=owner)
        answer = reply.json()
        incomplete = incomplete or bool(answer["incomplete_results"])
        await prepare(answer[items][skip:])
        for at, item in enumerate(answer[items][skip:], start=skip):
            made = row(item)
            if made is None:
                continue
            used += size_of(made)
            if len(rows) == limit or (used > call.room and rows):
                sealed = github.cursors.seal(call, purpose, [page, at])
                return Page(rows, sealed, incomplete=incomplete)
            rows.append(made)
        page, skip = reply.next_page, 0
    return Page(rows, None, incomplete=incomplete)


async def all_of(
    github: GitHub,
    url: str,
    *,
    params: Mapping[str, Any] | None = None,
    items: str | None = None,
    most: int = 1_000,
) -> tuple[list[dict[str, Any]], bool]:
    """A list of GitHub's to its end; also says whether there is more than `most`."""
    found: list[dict[str, Any]] = []
    page: int | None = 1
    while page is not None:
        reply = await github.get(url, params={**(params or {}), "per_page": 100, "page": page})
        answer = reply.json()
        found += answer if items is None else answer[items]
        page = reply.next_page
        if len(found) > most or (len(found) == most and page is not None):
            return found[:most], True
    return found, False


def listed(github: GitHub, url: str, line: Callable[[Mapping[str, Any]], str]) -> Part:
    """A list of GitHub's as a part, page by page to its end."""

    async def pieces(begin: int) -> AsyncGenerator[str]:
        page: int | None = begin // 100 + 1
        skip = begin % 100
        while page is not None:
            reply = await github.get(url, params={"per_page": 100, "page": page})
            for item in reply.json()[skip:]:
                yield line(item)
            page, skip = reply.next_page, 0

    return pieces
