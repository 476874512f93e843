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


def clean(text: str) -> str:
    """The text without invisible, bidirectional and control characters."""
    return _INVISIBLE.sub("", text)


def untrusted(text: str, source: str) -> str:
    """Fence cleaned text, so that a model can tell where data from `source` begins and ends.

    The fence carries a nonce, which the text cannot know and therefore cannot forge.
    """
    nonce = secrets.token_hex(4)
    return f"<untrusted-{nonce} from={source!r}>\n{clean(text)}\n</untrusted-{nonce}>"
