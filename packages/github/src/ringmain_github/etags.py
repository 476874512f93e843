"""Answers that GitHub lets us ask for again at no cost: “has this changed?” does not count against limits."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringmain_github.client import Reply

_MOST_BYTES = 32 * 1024 * 1024
_MOST_OF_ONE = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer with the tag that GitHub knows it by."""

    etag: str
    reply: Reply


class ETags:
    """The last answers, each for one token: tags differ between tokens, and so may the answers.

    Bounded by bytes; those that were not asked for the longest time go first.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def get(self, key: str) -> Kept | None:
        """What is known under a key."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: str, reply: Reply) -> None:
        """Keep an answer, if it has a tag and is not too large."""
        etag = reply.headers.get("etag")
        before = self._kept.pop(key, None)
        if before is not None:
            self._bytes -= len(before.reply.text)
        if etag is None or len(reply.text) > _MOST_OF_ONE:
            return
        self._kept[key] = Kept(etag, reply)
        self._bytes += len(reply.text)
        while self._bytes > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.reply.text)


def key_of(token: str, path: str, params: Mapping[str, Any], accept: str) -> str:
    """Names a request with its token, without holding it."""
    asked = "\0".join([token, accept, path, *(f"{name}={params[name]}" for name in sorted(params))])
    return hashlib.sha256(asked.encode()).hexdigest()


def renewed(kept: Reply, now: Reply) -> Reply:
    """A known answer that still holds; which pages there are beside it may have changed all the same."""
    headers = {name: value for name, value in kept.headers.items() if name != "link"}
    return Reply(kept.status, {**headers, **now.headers}, kept.text)
