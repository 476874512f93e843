"""SQL text in lexemes, as Postgres' own scanner cuts it; one pass, however the text is made."""

import re
from collections.abc import Iterator

_BITS = r"[bBxX]'[^']*+'?"
_PLAIN = r"'[^']*+(?:''[^']*+)*+'?"
_ESCAPED = r"'[^'\\]*+(?:(?:''|\\.)[^'\\]*+)*+'?"
# A string goes on behind a line break, in the same kind of quotes.
_GAP = r"[ \t\f\v]*+[\r\n][ \t\r\n\f\v]*+"
_LETTER = "A-Za-z_\x80-\U0010ffff"

# What nothing ends goes on to the end of the text, which Postgres then refuses.
_LEXEME = re.compile(
    r"(?P<space>[ \t\n\r\f\v]++)"
    r"|(?P<line>--[^\r\n]*+)"
    r"|(?P<block>/\*)"
    rf"|(?P<string>[eE]{_ESCAPED}(?:{_GAP}{_ESCAPED})*+|{_BITS}|{_PLAIN})"
    rf"|(?P<dollar>\$(?:[{_LETTER}][{_LETTER}0-9]*+)?\$)"
    r'|(?P<name>"[^"]*+(?:""[^"]*+)*+"?)'
    rf"|(?P<word>[{_LETTER}][{_LETTER}0-9$]*+)"
    r"|(?P<number>(?:[0-9][0-9_]*+(?:\.(?!\.)[0-9_]*+)?+|\.[0-9][0-9_]*+)(?:[eE][-+]?[0-9_]++)?+|\$[0-9]++)"
    r"|(?P<sign>.)",
    re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")


def lexemes(text: str) -> Iterator[tuple[str, str]]:
    """The kind and text of each lexeme: `word`, `name` (in quotes), `string`, `number`, `space`.

    `line` and `block` are comments. Everything else is a `sign`, each character by itself.
    """
    at = 0
    while (found := _LEXEME.match(text, at)) is not None:
        kind, start, at = found.lastgroup or "", at, found.end()
        if kind == "block":
            at = _end_of_comment(text, at)
        elif kind == "dollar":
            closing = text.find(found[0], at)
            kind, at = "string", len(text) if closing < 0 else closing + len(found[0])
        yield kind, text[start:at]


def _end_of_comment(text: str, at: int) -> int:
    depth = 1
    while depth and (edge := _BLOCK_EDGE.search(text, at)) is not None:
        depth += 1 if edge[0] == "/*" else -1
        at = edge.end()
    return at if depth == 0 else len(text)
