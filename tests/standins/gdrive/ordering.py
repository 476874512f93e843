"""`orderBy`: the order of lists. Orders of everything are kept until something changes."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from standins.gdrive.errors import Refusal
from standins.gdrive.file import File
from standins.gdrive.viewer import View

_DIGITS = re.compile(r"(\d+)")
DEFAULT = "modifiedTime desc"


def _natural(name: str) -> list[tuple[int, str]]:
    parts = _DIGITS.split(name.casefold())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts if part]


def _recency(file: File, view: View) -> float:
    me = view.email
    shared = file.shared_with[me][0] if me in file.shared_with else 0.0
    return max(file.modified, file.created, file.viewed.get(me, 0.0), shared)


_KEYS: Mapping[str, Callable[[File, View], Any]] = {
    "createdTime": lambda file, _: file.created,
    "folder": lambda file, _: not file.is_folder,
    "modifiedByMeTime": lambda file, view: file.modified_by.get(view.email, 0.0),
    "modifiedTime": lambda file, _: file.modified,
    "name": lambda file, _: file.name.casefold(),
    "name_natural": lambda file, _: _natural(file.name),
    "quotaBytesUsed": lambda file, _: file.content.size if file.content is not None else 0,
    "recency": _recency,
    "sharedWithMeTime": lambda file, view: file.shared_with.get(view.email, (0.0, ""))[0],
    "starred": lambda file, view: view.email not in file.starred,
    "viewedByMeTime": lambda file, view: file.viewed.get(view.email, 0.0),
}


def _keys(text: str) -> list[tuple[str, bool]]:
    made: list[tuple[str, bool]] = []
    for one in text.split(","):
        name, *rest = one.split() or [""]
        if name not in _KEYS or rest not in ([], ["desc"]):
            raise Refusal(400, "invalid", "Invalid Value", location="orderBy")
        made.append((name, bool(rest)))
    return made


class Orders:
    def __init__(self) -> None:
        self._epoch = -1
        self._known: dict[tuple[str, str], list[str]] = {}

    def of_all(self, view: View, text: str) -> list[str]:
        """All files in this order."""
        if self._epoch != view.store.epoch:
            self._epoch = view.store.epoch
            self._known.clear()
        key = (text, view.email)
        if key not in self._known:
            self._known[key] = in_order(list(view.store.files.values()), view, text)
        return self._known[key]


def in_order(files: Iterable[File], view: View, text: str) -> list[str]:
    """These in this order.

    Raises:
        Refusal: `invalid` for a key that is not known.
    """
    made = list(files)
    for name, down in reversed(_keys(text)):
        key = _KEYS[name]
        made.sort(key=lambda file, key=key: key(file, view), reverse=down)
    return [one.id for one in made]
