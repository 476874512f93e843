"""What a README claims that can be held against the code: examples, messages, links."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from contract.discover import ROOT, package_of

_FENCED = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NONCE = re.compile(r"untrusted-[0-9a-f]{8}")
_CELL = re.compile(r"^\| `([^|\n]+)` \|", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SAID_ENOUGH = 8  # letters: less is found anywhere
LEFT_OUT = "…"


@dataclass(frozen=True)
class Example:
    """A call, and what a model reads of its answer.

    Attributes:
        arguments: A value `…` is taken from the structured answer of the example before, by its name.
        answer: As it stands in the README: `…` in a line, or as a line, is what was left out.
    """

    tool: str
    arguments: Mapping[str, Any]
    answer: str

    def resolved(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments to call with."""
        return {name: before[name] if value == LEFT_OUT else value for name, value in self.arguments.items()}

    def fits(self, said: str) -> bool:
        """Whether an answer is the one that the README has."""
        pattern = "".join(_pattern(line) for line in _lines(self.answer))
        return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(said))) is not None


def _pattern(line: str) -> str:
    if line.strip() == LEFT_OUT:
        return r"(?:[^\n]*\n)+?"
    return r"[^\n]*".join(re.escape(part) for part in line.split(LEFT_OUT)) + "\n"


def _lines(text: str) -> list[str]:
    """Without what differs from call to call, and what editors take away."""
    return [line.rstrip() for line in _NONCE.sub("untrusted-0", text).rstrip().splitlines()]


def readme_of(connector: str) -> str:
    """The README of a connector's package."""
    return (package_of(connector) / "README.md").read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """What stands below a heading, up to the next of its kind; empty where there is no such heading."""
    found: list[str] = []
    inside = fenced = False
    for line in text.splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            inside = line[3:].strip() == title
        elif inside:
            found.append(line)
    return "".join(found)


def blocks(text: str, kind: str) -> list[str]:
    """The fenced blocks of a language."""
    return [content for language, content in _FENCED.findall(text) if language == kind]


def examples(text: str) -> list[Example]:
    """The calls of the section `Examples`: a tool and its arguments, an empty line, the answer."""
    found: list[Example] = []
    for block in blocks(section(text, "Examples"), "text"):
        call, _, answer = block.partition("\n\n")
        tool, _, arguments = call.partition(" ")
        found.append(Example(tool, json.loads(arguments or "{}"), answer))
    return found


def messages(text: str) -> list[str]:
    """The messages that the section `Troubleshooting` explains."""
    return _CELL.findall(section(text, "Troubleshooting"))


def parts(message: str) -> list[str]:
    """What a message says word by word, between what varies."""
    return [part.strip() for part in message.split(LEFT_OUT) if part.strip()]


def is_enough(message: str) -> bool:
    """Whether a message says enough to be told from others."""
    return max(map(len, parts(message)), default=0) >= _SAID_ENOUGH


def links(text: str) -> list[str]:
    """Where the links lead that stay in the project."""
    return [target for target in _LINK.findall(text) if "://" not in target]


def anchors(text: str) -> set[str]:
    """What links to headings can name."""
    return {
        re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


@cache
def said_by(package: Path) -> tuple[str, ...]:
    """Every text in the code of a package; what is put into it at run time is a line feed."""
    return tuple(
        text
        for path in sorted((package / "src").rglob("*.py"))
        for text in _texts(ast.parse(path.read_text(encoding="utf-8")))
    )


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "\n" for part in node.values)


CORE = ROOT / "shared"
