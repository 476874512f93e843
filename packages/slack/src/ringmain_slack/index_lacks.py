"""What a filling of the search index has not read."""

from dataclasses import dataclass, field
from typing import Protocol, TypeVar

T_contra = TypeVar("T_contra", contravariant=True)


@dataclass(slots=True)
class Lack:
    """What a filling has not read.

    Attributes:
        newest: Why not what is new in a conversation, by its id.
        refused: Those of them for which another try will find no more.
        heard: Ids of conversations that were read within the last minute, and since then only listened to.
        lately: Ids of those that were read within the last minute, and not again.
        older: Why not more of what is older, if there is a reason but time.
    """

    newest: dict[str, str] = field(default_factory=dict[str, str])
    refused: set[str] = field(default_factory=set[str])
    heard: set[str] = field(default_factory=set[str])
    lately: set[str] = field(default_factory=set[str])
    older: str = ""


class Lacks(Protocol[T_contra]):
    """Takes note of what was not read, why, and whether it is of no use to try it again."""

    def __call__(self, thing: T_contra, why: str, /, *, refused: bool) -> None: ...
