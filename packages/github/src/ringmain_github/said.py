"""What others have written, inside of lines of ours: it cannot pass for one of them."""

from ringmain_core.text import clean, prose


def one_line(text: str) -> str:
    """A name or title, harmless and on one line."""
    return " ".join(clean(text).split())


def indented(text: str, depth: int = 2) -> str:
    """A text, harmless, whose further lines stand deeper than what begins with it."""
    return f"\n{' ' * depth}".join(prose(text).splitlines())
