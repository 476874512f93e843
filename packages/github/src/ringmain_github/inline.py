"""Inline comments of a review: they have to be on lines that its diff shows."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from ringmain_core.errors import InvalidArguments
from ringmain_github.api import GitHub
from ringmain_github.hunks import lines_of
from ringmain_github.paging import all_of
from ringmain_github.repository import Repository

_MOST_FILES = 3_000  # that GitHub lists
_MOST_FAULTS = 20


class InlineComment(BaseModel):
    """`side` LEFT is the file as it was."""

    model_config = ConfigDict(extra="forbid")

    path: str
    line: int
    body: Annotated[str, Field(min_length=1)]
    side: Literal["LEFT", "RIGHT"] = "RIGHT"
    start_line: int | None = None

    def as_sent(self) -> dict[str, Any]:
        """The comment as GitHub takes it."""
        sent: dict[str, Any] = {"path": self.path, "line": self.line, "side": self.side, "body": self.body}
        if self.start_line is not None:
            sent |= {"start_line": self.start_line, "start_side": self.side}
        return sent


async def require_lines(
    github: GitHub, repository: Repository, number: int, comments: Sequence[InlineComment]
) -> None:
    """Let comments pass that are on lines of the diff.

    Raises:
        InvalidArguments: Naming each one that is not, before anything is sent.
    """
    files, _ = await all_of(github, repository.path("pulls", number, "files"), most=_MOST_FILES)
    patches = {file["filename"]: cast("str | None", file.get("patch")) for file in files}
    faults: list[str] = []
    for comment in comments:
        if comment.path not in patches:
            if len(files) < _MOST_FILES:  # beyond that GitHub lists none, and has to say itself
                faults.append(f"{comment.path} is not changed here")
            continue
        patch = patches[comment.path]
        if patch is None:  # too large, or binary: GitHub itself has to say
            continue
        lines = lines_of(patch)
        shown = lines.left if comment.side == "LEFT" else lines.right
        start = comment.line if comment.start_line is None else comment.start_line
        if start > comment.line:
            faults.append(f"{comment.path}:{start}-{comment.line} ends before it starts")
        faults += [
            f"{comment.path}:{line} ({comment.side}) is not in the diff"
            for line in dict.fromkeys([start, comment.line])
            if line not in shown
        ]
    if faults:
        more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        raise InvalidArguments(
            f"Nothing was sent: {'; '.join(faults[:_MOST_FAULTS])}{more}. `get_diff` shows which lines can "
            "be commented on."
        )
