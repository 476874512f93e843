"""What a client's file can be told, and what cannot be done with it."""


class Unusable(Exception):
    """A text cannot be edited; says where and why, without quoting what stands there."""


def at(text: str, offset: int) -> str:
    """The place of a character, as editors count."""
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return f"line {line}, column {column}"


def newline_of(text: str) -> str:
    """How the lines of a text end: as the first of them does."""
    end = text.find("\n")
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"
