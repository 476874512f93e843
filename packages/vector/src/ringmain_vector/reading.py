"""The text of a document, put together again from its passages."""

from collections.abc import Sequence

from ringmain_core.errors import NotFound
from ringmain_vector.domain import Passage


def page_of(passages: Sequence[Passage], offset: int, length: int) -> str:
    """So many characters from an offset on. What lay between two passages was space, and is line ends here.

    Args:
        passages: In their order.
        offset: Characters from the beginning of the document.
        length: Characters, at most.
    """
    end = offset + length
    parts: list[str] = []
    at = offset
    for passage in passages:
        stop = passage.start + len(passage.text)
        if stop <= at:
            continue
        if passage.start >= end:
            break
        if passage.start > at:
            parts.append("\n" * (min(passage.start, end) - at))
            at = passage.start
        part = passage.text[at - passage.start : end - passage.start]
        parts.append(part)
        at += len(part)
    return "".join(parts)


def window_of(passages: Sequence[Passage], passage_id: str, length: int) -> int:
    """Where a page begins that has a passage in its middle.

    Raises:
        NotFound: Where the document has no such passage.
    """
    found = next((one for one in passages if one.id == passage_id), None)
    if found is None:
        raise NotFound(f"The document has no passage `{passage_id[:200]}`.")
    return max(0, found.start - max(0, length - len(found.text)) // 2)
