"""What a change did, in words and lines for a model to read."""

import json
from collections.abc import Iterable

from pydantic import Field

from ringmain_core.results import Answer
from ringmain_core.text import untrusted
from ringmain_postgres.images import Image
from ringmain_postgres.writing import Change, Effect

_MOST_ROWS = 20
_MOST_CHARACTERS = 16_000
_LINE = 2_000  # characters


class Written(Answer):
    """What a statement has done to a table, or would do."""

    database: str
    table: str
    done: bool
    inserted: int
    updated: int
    deleted: int
    diff: list[str] = Field(default_factory=list[str])
    notes: list[str] = Field(default_factory=list[str])
    commit_token: str | None = None

    def text(self) -> str:
        kinds = {"inserted": self.inserted, "updated": self.updated, "deleted": self.deleted}
        counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count) or "no rows"
        standing = "Done and committed" if self.done else "Tried and rolled back; it would be"
        lines = [f"{standing}: {counts} in {self.table} ({self.database})."]
        if self.diff:
            lines.append(untrusted("\n".join(self.diff), f"{self.database}: {self.table}"))
        lines += [f"- {note}" for note in self.notes]
        if self.commit_token:
            lines.append(
                "Nothing has changed yet. To do exactly this within 10 minutes, call again with the same "
                f"arguments and commit_token={self.commit_token!r}, and an `idempotency_key` of your own."
            )
        return "\n".join(lines)


def diff_of(change: Change, effect: Effect) -> list[str]:
    """The first rows, one a line: what is new (+), what goes (-), what becomes of the rest (~)."""
    lines: list[str] = []
    size = 0
    for image in effect.after[:_MOST_ROWS]:
        line = _line(change, effect, image)
        line = line if len(line) <= _LINE else f"{line[:_LINE]}... [{len(line):,} characters]"
        size += len(line)
        if size > _MOST_CHARACTERS:
            break
        lines.append(line)
    if len(lines) < effect.rows:
        lines.append(f"... and {effect.rows - len(lines):,} more rows")
    return lines


def notes_of(change: Change, effect: Effect) -> list[str]:
    """What a reader of the diff has to know besides."""
    notes: list[str] = []
    target = change.target
    inserted, updated, _ = effect.counts
    if change.stated.all_rows:
        notes.append("It has no WHERE: it is about every row.")
    if effect.elsewhere:
        also = "; ".join(f"{name}: {_counted(counts)}" for name, counts in effect.elsewhere.items())
        notes.append(f"Triggers and foreign keys come with it: {also}.")
    if target.triggers:
        notes.append(
            f"Triggers of the table, code of its owner: {', '.join(target.triggers)}. They run in a "
            "rehearsal, too; what they do outside of the database is not rolled back."
        )
    if inserted and target.sequences:
        notes.append("Numbers drawn from sequences are used up by every try: new rows may get others.")
    if updated and not (target.key and target.plain_key):
        notes.append("Without a primary key of plain types, rows cannot be shown as they were.")
    elif updated and change.rekeys:
        notes.append("The primary key itself is set, so rows cannot be shown as they were.")
    elif any(
        effect.kind_of(image) == "updated" and image.place not in effect.before for image in effect.after
    ):
        notes.append("Some rows cannot be shown as they were: their keys have changed, or are there twice.")
    return notes


def _counted(counts: Iterable[int]) -> str:
    kinds = zip(counts, ("inserted", "updated", "deleted"), strict=True)
    return ", ".join(f"{count:,} {kind}" for count, kind in kinds if count)


def _line(change: Change, effect: Effect, image: Image) -> str:
    columns = change.target.columns
    named = ", ".join(f"{name}={value}" for name, value in zip(change.target.key, image.key, strict=True))
    whole = ", ".join(f"{name}: {_shown(cell)}" for name, cell in zip(columns, image.cells, strict=True))
    returned = "" if image.returned is None else f" returning {image.returned}"
    before = effect.before.get(image.place)
    match effect.kind_of(image):
        case "inserted":
            return f"+ {whole}{returned}"
        case "deleted":
            return f"- {whole}{returned}"
        case _ if before is None:
            return f"~ now {whole}{returned}"
        case _:
            changed = ", ".join(
                f"{name}: {_shown(was)} -> {_shown(cell)}"
                for name, was, cell in zip(columns, before.cells, image.cells, strict=True)
                if was != cell
            )
            return f"~ {named}: {changed or 'as it was'}{returned}"


def _shown(cell: str | None) -> str:
    return json.dumps(cell, ensure_ascii=False)
