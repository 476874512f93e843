"""Files as documents: what kind each is by its name, and the text that is in it."""

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from ringmain_vector.chunking import Kind, first_heading
from ringmain_vector.office_files import Unreadable, docx, pdf
from ringmain_vector.web_pages import web_page

Format = Literal["markdown", "text", "code", "html", "pdf", "docx"]

_SUFFIXES: dict[Format, str] = {
    "markdown": ".md .mdx .markdown .mdown",
    "text": ".txt .text .rst .adoc .asciidoc .org .tex .log .csv .tsv",
    "html": ".html .htm .xhtml",
    "pdf": ".pdf",
    "docx": ".docx",
    "code": (
        ".py .pyi .js .mjs .cjs .jsx .ts .tsx .java .kt .kts .scala .go .rs .c .h .cc .cpp .hpp .cs .m "
        ".swift .rb .php .pl .pm .lua .r .jl .ex .exs .erl .hs .ml .clj .lisp .el .dart .vue .svelte "
        ".sh .bash .zsh .fish .ps1 .bat .sql .graphql .proto .tf .css .scss .less .json .jsonl .yaml "
        ".yml .toml .ini .cfg .conf .xml .gradle .cmake .nix"
    ),
}
_FORMATS: dict[str, Format] = {
    suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()
}
_NAMES: dict[str, Format] = {
    **dict.fromkeys(("readme", "license", "copying", "changelog", "authors", "notice"), "text"),
    **dict.fromkeys(("makefile", "dockerfile", "jenkinsfile", "gemfile", "procfile"), "code"),
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT = 8_192
_CHARSET = re.compile(
    rb"""<meta[^<>]{0,200}?charset\s{0,9}=\s{0,9}["']?([A-Za-z0-9_-]{1,40})""", re.IGNORECASE
)
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says.

    Attributes:
        title: Its own, or the name of the file.
        kind: How the text is cut.
    """

    text: str
    title: str
    kind: Kind


def format_of(name: str) -> Format | None:
    """The format of a file of this name; `None` for what is not read."""
    path = PurePath(name.lower())
    return _FORMATS.get(path.suffix) if path.suffix else _NAMES.get(path.name)


def most_bytes(form: Format) -> int:
    """How large a file of a format may be; of the packed ones only a part is text."""
    return (50 if form in ("pdf", "docx") else 5) * _MEGABYTE


def is_binary(data: bytes) -> bool:
    """Whether what should be text is none."""
    marked = any(data.startswith(mark) for mark, _ in _MARKS)
    return not marked and b"\0" in data[:_LOOKED_AT]


def read(name: str, form: Format, data: bytes) -> Reading:
    """The text of a file.

    Raises:
        Unreadable: With the reason.
    """
    match form:
        case "html":
            page = web_page(decoded(data, _declared(data)))
            return Reading(page.text, page.title or first_heading(page.text) or name, "markdown")
        case "pdf" | "docx":
            reader: Callable[[bytes], str] = pdf if form == "pdf" else docx
            text = reader(data)
            return Reading(text, (first_heading(text) if form == "docx" else "") or name, "markdown")
        case "markdown":
            text = decoded(data)
            return Reading(text, first_heading(text) or name, "markdown")
        case "text" | "code":
            return Reading(decoded(data), name, form)


def decoded(data: bytes, charset: str = "") -> str:
    """Bytes as text: by their mark, as UTF-8, or as they are said to be. Lines end with a line feed.

    What is no UTF-8, and not said to be anything, was mostly written on Windows.
    """
    marked = next((one for mark, one in _MARKS if data.startswith(mark)), "utf-8")
    text = data.decode("latin-1")  # which has a character for every byte
    for one in (marked, charset, "cp1252"):
        try:
            text = data.decode(one)
        except (UnicodeError, LookupError):
            continue
        break
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _declared(page: bytes) -> str:
    """The encoding that a page says of itself; empty where it does not."""
    found = _CHARSET.search(page[:_LOOKED_AT])
    return "" if found is None else found[1].decode()


__all__ = ["Format", "Reading", "Unreadable", "decoded", "format_of", "is_binary", "most_bytes", "read"]
