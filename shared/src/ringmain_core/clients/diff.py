"""What would change in a file, for eyes: with nothing in it that other entries keep secret."""

import difflib
import re
from collections.abc import Iterator

from ringmain_core.clients.document import Form

_QUOTED = re.compile(r"(\"(?:[^\"\\]|\\.)*\"|'[^']*')(\s*[:=])?|(//|/\*|#).*")
_YAML_LINE = re.compile(r"(\s*(?:- )*)([\w.-]+:)?(\s*)(.*)")
_COMMENT = re.compile(r"\s*(?:#|//|/\*|\*)")
_HARMLESS = re.compile(r"(?:true|false|null|-?[\d.]+|\{\}|\[\])?,?")
_HIDDEN = "…"


def changes(before: str, after: str, path: str, form: Form, known: frozenset[str]) -> Iterator[str]:
    """The changed lines with a little of what is around them; only texts that are known are shown.

    A line that is added may be another entry's, which has only got a comma.
    """
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{path} (now)", f"{path} (then)", n=2, lineterm=""
    )
    for number, line in enumerate(lines):
        shown = number < 2 or line.startswith("@@")
        visible = line if shown else line[0] + _hidden(line[1:], form, known)
        yield "".join(mark if mark.isprintable() or mark == "\t" else "\ufffd" for mark in visible)


def _hidden(line: str, form: Form, known: frozenset[str]) -> str:
    comment = _COMMENT.match(line)
    if comment and line.strip():
        return comment[0] + " " + _HIDDEN
    if form == "yaml":
        return _hidden_yaml(line, known)
    if form == "toml" and line.strip() and not re.match(r"\s*\[|[^\"']*=|\s*[\"'\]]", line):
        return _HIDDEN  # a line of a longer text
    return _QUOTED.sub(lambda match: _hidden_text(match, known), line)


def _hidden_text(match: re.Match[str], known: frozenset[str]) -> str:
    text, label, comment = match.groups()
    if comment:
        return f"{comment} {_HIDDEN}"
    if label or not text[1:-1] or text[1:-1] in known:
        return match[0]
    return f"{text[0]}{_HIDDEN}{text[-1]}"


def _hidden_yaml(line: str, known: frozenset[str]) -> str:
    match = _YAML_LINE.fullmatch(line)
    if match is None:
        return _HIDDEN
    lead, key, space, value = match[1], match[2] or "", match[3], match[4]
    plain = value.strip().strip("\"'")
    if plain in known or _HARMLESS.fullmatch(plain):
        return line
    quoted = _QUOTED.sub(lambda found: _hidden_text(found, known), value)
    only_quoted = re.fullmatch(r"[\[{\s]*(?:\"[^\"]*\"[\s,:]*)*[\]}\s]*", quoted) is not None
    return f"{lead}{key}{space}{quoted if only_quoted else _HIDDEN}"
