"""How high a statement's tree can be, seen from its text: the parser walks trees on the C stack."""

from dataclasses import dataclass

from ringmain_postgres.sql.lexemes import lexemes

MAX_HEIGHT = 2_000
"""Of a tree; 1.5 MB of stack. No statement that is judged harmless comes near it."""

_SHORT = 4_000  # characters; no text of this length makes a tree of a dangerous height
_BETWEEN_ITEMS = frozenset({"AND", "OR", "WHEN", "THEN", "ELSE"})
_SET_OPERATIONS = frozenset({"UNION", "INTERSECT", "EXCEPT"})
_SILENT = frozenset({"space", "line", "block"})


@dataclass(slots=True)
class _Group:
    """What stands between two parentheses, or CASE and END: items side by side, each a chain of lexemes.

    Attributes:
        chained: Set operations and joins, which chain items.
        highest: The height of the highest item before the present one.
        length: Of the present item.
        inner: The height of the highest group in it.
        between: Whether the next AND belongs to a BETWEEN.
    """

    is_case: bool
    chained: int = 0
    highest: int = 0
    length: int = 0
    inner: int = 0
    between: bool = False

    @property
    def height(self) -> int:
        return self.chained + max(self.highest, self.length + self.inner)

    def next_item(self) -> None:
        self.highest = max(self.highest, self.length + self.inner)
        self.length = self.inner = 0

    def next_statement(self) -> None:
        self.highest = self.height
        self.chained = self.length = self.inner = 0


def is_too_deep(text: str) -> bool:
    """Whether a tree of this text may be higher than the C stack allows. Every lexeme counts as one step."""
    if len(text) <= _SHORT:
        return False
    groups = [_Group(is_case=False)]
    after_dot = False
    for kind, lexeme in lexemes(text):
        if kind in _SILENT:
            continue
        if kind == "sign":
            _take_sign(groups, lexeme)
        elif kind == "word" and not after_dot:  # after a dot, every word is a name
            _take_word(groups, lexeme.upper())
        else:
            groups[-1].length += 1
        if groups[-1].height > MAX_HEIGHT:
            return True
        after_dot = lexeme == "."
    while len(groups) > 1:
        _close(groups)
    return groups[0].height > MAX_HEIGHT


def _take_sign(groups: list[_Group], sign: str) -> None:
    match sign:
        case "(" | "[":
            groups.append(_Group(is_case=False))
        case ")" | "]":
            while groups[-1].is_case:
                _close(groups)
            _close(groups)
        case ",":
            groups[-1].next_item()
        case ";":
            groups[-1].next_statement()
        case _:
            groups[-1].length += 1


def _take_word(groups: list[_Group], word: str) -> None:
    group = groups[-1]
    if word == "AND" and group.between:
        group.between = False
        group.length += 1
    elif word in _BETWEEN_ITEMS:
        group.next_item()
    elif word in _SET_OPERATIONS:
        group.next_item()
        group.chained += 1
    elif word == "JOIN":
        group.chained += 1
    elif word == "CASE":
        groups.append(_Group(is_case=True))
    elif word == "END" and group.is_case:
        _close(groups)
    else:
        group.between = group.between or word == "BETWEEN"
        group.length += 1


def _close(groups: list[_Group]) -> None:
    if len(groups) > 1:
        height = groups.pop().height + 1
        groups[-1].inner = max(groups[-1].inner, height)
