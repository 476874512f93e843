"""Text that came from outside: made harmless, and marked as data rather than instruction."""

import re
import secrets

# Characters that a person does not see and a model may obey: C0/C1 controls but tab, line feed and carriage
# return; soft hyphen; zero-width and bidirectional marks; variation selectors; tags; interlinear annotation;
# halves of surrogate pairs, which no encoder takes.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_IMAGE = re.compile(r"!\[([^\]\n]{0,500})\]\(\s*<?([^\s)>]{1,2000})>?[^)\n]{0,500}\)")
_REFERENCE_IMAGE = re.compile(r"!\[([^\]\n]{0,500})\]\s?\[([^\]\n]{0,200})\]")
_HTML_IMAGE = re.compile(
    r"<\s*(?:img|picture|source|iframe|video|audio|svg|object|embed)\b[^>]{0,4000}>?", re.IGNORECASE
)
_COMMENT = re.compile(r"<!--(.*?)(?:-->|\Z)", re.DOTALL)


def clean(text: str) -> str:
    """The text without invisible, bidirectional and control characters."""
    if text.isascii() and text.replace("\n", "").isprintable():  # most texts: seen in a tenth of the time
        return text
    return _INVISIBLE.sub("", text)


def untrusted(text: str, source: str) -> str:
    """Fence cleaned text, so that a model can tell where data from `source` begins and ends.

    The fence carries a nonce, which the text cannot know and therefore cannot forge.
    """
    nonce = secrets.token_hex(4)
    return f"<untrusted-{nonce} from={source!r}>\n{clean(text)}\n</untrusted-{nonce}>"


def prose(text: str) -> str:
    """Cleaned Markdown in which nothing loads by itself, and what a page would hide is shown.

    A model that repeats an image makes the reader's client fetch its address, with whatever an attacker had
    the model put into it: so images become words. Comments, which a person does not see, are marked.
    """
    shown = clean(text)
    if "<!--" in shown:
        shown = _COMMENT.sub(r"[hidden comment: \1]", shown)
    if "![" in shown:
        shown = _IMAGE.sub(r"[image: \1, at \2]", shown)
        shown = _REFERENCE_IMAGE.sub(r"[image: \1, \2]", shown)
    return _HTML_IMAGE.sub("[embedded content removed]", shown) if "<" in shown else shown
