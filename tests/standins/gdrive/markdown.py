"""Just enough Markdown to export documents: headings, lists, tables, paragraphs; bold and italics go."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(.*)")
_MARKS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|`")
_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")


@dataclass(frozen=True)
class Block:
    """Attributes: kind: heading, item, table, text. level: Of a heading. rows: Of a table."""

    kind: str
    text: str = ""
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()


def blocks(markdown: str) -> Iterator[Block]:
    """What a document consists of, in order."""
    for part in re.split(r"\n\s*\n", markdown.strip("\n")):
        lines = part.splitlines()
        if lines and all(line.lstrip().startswith("|") for line in lines):
            yield Block("table", rows=tuple(_cells(line) for line in lines if set(line) - set("|-: ")))
            continue
        text: list[str] = []
        for line in lines:
            heading, item = _HEADING.fullmatch(line), _ITEM.fullmatch(line)
            if heading is None and item is None:
                text.append(line)
                continue
            if text:
                yield Block("text", _bare(" ".join(text)))
                text = []
            if heading is not None:
                yield Block("heading", _bare(heading[2]), len(heading[1]))
            elif item is not None:
                yield Block("item", _bare(item[1]))
        if text:
            yield Block("text", _bare(" ".join(text)))


def _cells(line: str) -> tuple[str, ...]:
    return tuple(_bare(one.strip()) for one in line.strip().strip("|").split("|"))


def _bare(text: str) -> str:
    return _MARKS.sub("", _LINK.sub(r"\1", text))


def to_plain(markdown: str) -> str:
    """The words alone, as `text/plain` has them."""
    made: list[str] = []
    for one in blocks(markdown):
        if one.kind == "table":
            made += ["\t".join(row) for row in one.rows]
        else:
            made.append(f"* {one.text}" if one.kind == "item" else one.text)
    return "\r\n".join(made) + "\r\n"


def to_html(markdown: str) -> str:
    made: list[str] = []
    for one in blocks(markdown):
        text = html.escape(one.text)
        if one.kind == "heading":
            made.append(f"<h{one.level}>{text}</h{one.level}>")
        elif one.kind == "item":
            made.append(f"<ul><li>{text}</li></ul>")
        elif one.kind == "table":
            rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in one.rows)
            made.append(f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>")
        else:
            made.append(f"<p>{text}</p>")
    head = '<html><head><meta content="text/html; charset=UTF-8" http-equiv="content-type"></head>'
    return f"{head}<body>{''.join(made)}</body></html>"


def from_html(text: str) -> str:
    """The Markdown that a page of HTML is imported as."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.markdown()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = [""]
        self._hidden = 0

    def markdown(self) -> str:
        return "\n\n".join(one.strip() for one in self._lines if one.strip()) + "\n"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 (their name)
        if tag in {"script", "style", "head"}:
            self._hidden += 1
        elif re.fullmatch(r"h[1-6]", tag):
            self._lines.append("#" * int(tag[1]) + " ")
        elif tag == "li":
            self._lines.append("- ")
        elif tag in {"p", "div", "tr", "br", "table", "ul", "ol"}:
            self._lines.append("")
        elif tag in {"td", "th"}:
            self._lines[-1] += " "

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style", "head"}:
            self._hidden -= 1
        elif re.fullmatch(r"h[1-6]|p|li|div|tr", tag):
            self._lines.append("")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._lines[-1] += re.sub(r"\s+", " ", data)
