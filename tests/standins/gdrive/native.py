"""What Google's own editors keep: documents, spreadsheets, presentations, drawings; and their types."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_OWN = "application/vnd.google-apps."
FOLDER = f"{_OWN}folder"
SHORTCUT = f"{_OWN}shortcut"
DOCUMENT = f"{_OWN}document"
SPREADSHEET = f"{_OWN}spreadsheet"
PRESENTATION = f"{_OWN}presentation"
DRAWING = f"{_OWN}drawing"

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Document:
    """A document, as the Markdown it is exported to."""

    markdown: str = ""

    @property
    def text(self) -> str:
        return self.markdown


@dataclass(frozen=True)
class Tab:
    title: str
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Spreadsheet:
    tabs: tuple[Tab, ...] = (Tab("Sheet1", ()),)

    @property
    def text(self) -> str:
        cells = (cell for tab in self.tabs for row in tab.rows for cell in row)
        return "\n".join(str(one) for one in cells if one is not None)


@dataclass(frozen=True)
class Slide:
    title: str
    body: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Presentation:
    slides: tuple[Slide, ...] = ()

    @property
    def text(self) -> str:
        return "\n".join(f"{one.title}\n{one.body}" for one in self.slides)


@dataclass(frozen=True)
class Drawing:
    text: str = ""


Native = Document | Spreadsheet | Presentation | Drawing
EMPTY: Mapping[str, Native] = {
    DOCUMENT: Document(),
    SPREADSHEET: Spreadsheet(),
    PRESENTATION: Presentation(),
    DRAWING: Drawing(),
}


def spreadsheet(tabs: Mapping[str, Iterable[Sequence[Cell]]]) -> Spreadsheet:
    """A spreadsheet from the rows of its tabs."""
    return Spreadsheet(tuple(Tab(title, tuple(tuple(row) for row in rows)) for title, rows in tabs.items()))


def presentation(slides: Iterable[Sequence[str]]) -> Presentation:
    """A presentation from (title, body, notes)."""
    return Presentation(tuple(Slide(*one) for one in slides))
