"""What each kind of file is read as, and what to do about those that are not read."""

from collections.abc import Mapping
from dataclasses import dataclass

from ringmain_core.errors import InvalidArguments, UpstreamRefused
from ringmain_gdrive.extraction.formats import Format
from ringmain_gdrive.file import DOCUMENT, PRESENTATION, SPREADSHEET, DriveFile

_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
_EXCEL = "application/vnd.ms-excel"
XLSX = f"{_OFFICE}.spreadsheetml.sheet"
PPTX = f"{_OFFICE}.presentationml.presentation"
_DRAWING = "application/vnd.google-apps.drawing"
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

_EXPORTED: Mapping[str, tuple[str, Format | None]] = {
    DOCUMENT: ("text/markdown", "markdown"),
    SPREADSHEET: (XLSX, "workbook"),  # as text, Google gives the first tab only
    PRESENTATION: (PPTX, "pptx"),  # as text, without notes
    _DRAWING: ("image/png", None),
}
_KEPT: Mapping[str, Format] = {
    "application/pdf": "pdf",
    f"{_OFFICE}.wordprocessingml.document": "docx",
    "application/vnd.ms-word.document.macroenabled.12": "docx",
    XLSX: "workbook",
    _EXCEL: "workbook",
    f"{_EXCEL}.sheet.macroenabled.12": "workbook",
    f"{_EXCEL}.sheet.binary.macroenabled.12": "workbook",
    f"{_OPEN}.spreadsheet": "workbook",
    PPTX: "pptx",
    "application/vnd.ms-powerpoint.presentation.macroenabled.12": "pptx",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
}
_BY_ENDING: Mapping[str, Format] = {
    "pdf": "pdf",
    "docx": "docx",
    "xlsx": "workbook",
    "xlsm": "workbook",
    "xlsb": "workbook",
    "xls": "workbook",
    "ods": "workbook",
    "pptx": "pptx",
    "csv": "csv",
    "tsv": "csv",
    "html": "html",
    "htm": "html",
    "md": "markdown",
    "markdown": "markdown",
}
_TEXTS = ("json", "xml", "javascript", "typescript", "yaml", "toml", "sql", "x-sh", "x-python", "x-httpd-php")
_DATA = frozenset({"ipynb", "json", "jsonl", "ndjson", "sql", "xml"})
_SETTINGS = frozenset({"cfg", "conf", "env", "ini", "toml", "yaml", "yml"})
_WEB = frozenset({"css", "js", "jsx", "php", "svg", "ts", "tsx", "vue"})
_CODE = frozenset({"c", "cpp", "cs", "go", "h", "java", "kt", "lua", "pl", "py", "r", "rb", "rs", "swift"})
_OTHERS = frozenset({"bat", "log", "ps1", "rst", "sh", "srt", "tex", "txt", "vtt"})
_TEXT_ENDINGS = _DATA | _SETTINGS | _WEB | _CODE | _OTHERS


@dataclass(frozen=True, slots=True)
class Readable:
    """How a file is read.

    Attributes:
        kind: The media type that its bytes have, as exported or as it is kept.
        form: What it is extracted from; `None` for an image.
        is_exported: Whether Google makes the bytes from a format of its own.
    """

    kind: str
    form: Format | None
    is_exported: bool = False


def content_kind(file: DriveFile) -> Readable:
    """How to get at a file's bytes, whether or not they can be read as text.

    Raises:
        InvalidArguments, UpstreamRefused: Where there are none, with what to do instead.
    """
    if file.is_folder:
        raise InvalidArguments(f"`{file.name}` is a folder: `list_folder` shows what is in it.")
    if file.target:
        raise InvalidArguments(f"`{file.name}` is a shortcut to a file that is not there for you.")
    if file.is_native:
        kind, form = _EXPORTED.get(file.mime_type, ("", None))
        if not kind:
            what = file.mime_type.rpartition(".")[2]
            raise UpstreamRefused(
                f"`{file.name}` is a {what}: Google gives no content of it to programs. A person can open "
                f"{file.told.get('webViewLink') or 'it in Drive'}."
            )
        return Readable(kind, form, is_exported=True)
    return Readable(file.mime_type, _form_of(file))


def readable(file: DriveFile) -> Readable:
    """How a file is read.

    Raises:
        InvalidArguments, UpstreamRefused: Where it is not, with what to do instead.
    """
    found = content_kind(file)
    if found.form is None and found.kind not in IMAGES:
        raise UpstreamRefused(
            f"`{file.name}` is {found.kind or 'of an unknown kind'}: neither text, table, slides nor an "
            "image that is shown here. `download` gives a link to its bytes."
        )
    return found


def _form_of(file: DriveFile) -> Format | None:
    kind = file.mime_type.lower()
    ending = file.name.rpartition(".")[2].lower()
    if kind in _KEPT:
        return _KEPT[kind]
    if kind.startswith(("image/", "video/", "audio/")) and kind != "image/svg+xml":
        return None
    if ending in _BY_ENDING:
        return _BY_ENDING[ending]
    is_text = kind.startswith("text/") or kind.endswith(("+json", "+xml", *_TEXTS))
    return "text" if is_text or ending in _TEXT_ENDINGS else None
