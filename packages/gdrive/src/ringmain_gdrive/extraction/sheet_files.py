"""What python-calamine does not tell of an xlsx file: how far sheets reach, which cells have no value."""

import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from xml.etree import ElementTree as ET

from ringmain_gdrive.extraction.letters import column_number

_WORKBOOK, _RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_BELIEVED = 5_000_000  # cells; some programs say of each sheet that it reaches as far as it can
_AT = rb'\br="([A-Z]{1,3})(\d{1,7})"'
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension\s[^<>]*\bref="(?:[A-Z]{1,3}\d{1,7}:)?([A-Z]{1,3})(\d{1,7})"')
_FILLED = re.compile(rb"<(?:\w+:)?c\s[^<>]*?" + _AT + rb"[^<>]*(?<!/)>")
_FORMULA = rb"<(?:\w+:)?f\b(?:[^<>]*/>|[^<>]*>[^<]*</(?:\w+:)?f>)"
_HAS_FORMULAS = re.compile(rb"<(?:\w+:)?f[\s/>]")
_ERROR = re.compile(
    rb"""
    <(?:\w+:)?c\s (?=[^<>]*\bt="e") [^<>]*? %b [^<>]*>
    \s*+ (?:%b)?+ \s*+ <(?:\w+:)?v> ([^<]*) <
    """
    % (_AT, _FORMULA),
    re.VERBOSE,
)
_WITHOUT_VALUE = re.compile(
    rb"""
    <(?:\w+:)?c\s (?![^<>]*\bt="str") [^<>]*? %b [^<>]*>
    \s*+ %b \s*+ (?:<(?:\w+:)?v\s*+/>|<(?:\w+:)?v\s*+>\s*+</(?:\w+:)?v>)?+ \s*+ </(?:\w+:)?c>
    """
    % (_AT, _FORMULA),
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Outline:
    """What is in a sheet, without its values.

    Attributes:
        columns: That it reaches, counted from A.
        errors: Row and column, counted from 0, and what stands there.
        without_value: Addresses of formulas whose values were not saved.
    """

    rows: int
    columns: int
    errors: Sequence[tuple[int, int, str]]
    without_value: Sequence[str]


def sheet_files(data: bytes, names: Sequence[str]) -> Mapping[str, str]:
    """The names of sheets, with those of their files in the archive; none where it is no xlsx file."""
    if not {_WORKBOOK, _RELATIONS} <= {*names}:
        return {}
    with zipfile.ZipFile(BytesIO(data)) as archive:
        parts = (archive.read(one) for one in (_WORKBOOK, _RELATIONS))
        book, relations = (ET.fromstring(part) for part in parts)  # noqa: S314 (no document type is in them)
    targets = {one.get("Id"): one.get("Target", "") for one in relations}
    found: dict[str, str] = {}
    for one in book.iter():
        if one.tag.endswith("}sheet"):
            key = next((value for name, value in one.items() if name.endswith("}id")), "")
            target = targets.get(key, "")
            file = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if file in names:
                found[one.get("name", "")] = file
    return found


def outline(data: bytes, file: str) -> Outline:
    """Look at one sheet of an xlsx file."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        xml = archive.read(file)
    rows, columns = _reach(xml)
    errors = [
        (int(row) - 1, column_number(letters.decode()) - 1, said.decode(errors="replace"))
        for letters, row, said in (_ERROR.findall(xml) if b't="e"' in xml else ())
    ]
    formulas = _WITHOUT_VALUE.findall(xml) if _HAS_FORMULAS.search(xml) else ()
    without = [f"{letters.decode()}{row.decode()}" for letters, row in formulas]
    return Outline(rows, columns, errors, without)


def _reach(xml: bytes) -> tuple[int, int]:
    """The last row and column: as is said, or of the cells where that is too far to be believed."""
    said = _DIMENSION.search(xml)
    if said is not None:
        columns, rows = column_number(said[1].decode()), int(said[2])
        if rows * columns <= _BELIEVED:
            return rows, columns
    last, letters = 0, set[bytes]()
    for cell in _FILLED.finditer(xml):
        letters.add(cell[1])
        last = max(last, int(cell[2]))
    return last, max((column_number(one.decode()) for one in letters), default=0)
