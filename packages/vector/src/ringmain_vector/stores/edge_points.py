"""Passages as points: their ids, and what is kept with them in a form that filters can use."""

import json
import math
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ringmain_vector.domain import Condition, Document, Passage, Value

GONE = -1
"""The number of a point that stands for nothing and waits to be deleted."""

DOCUMENT = ["tenant", "id", "title", "uri", "digest", "length", "passages", "metadata"]
"""What is kept of the document."""

_SPACE = uuid.UUID("6d0b7c9e-6d0f-5f0e-9a55-2f5d1c2f7a10")
_LARGEST = 1.7976931348623157e308


def point_id(tenant: str, document_id: str, number: int) -> str:
    """The same for the same passage always, so that a new one takes the place of an old one."""
    return str(uuid.uuid5(_SPACE, json.dumps([tenant, document_id, number])))


def payload_of(passage: Passage) -> dict[str, Any]:
    """What is kept with a passage.

    Metadata is there twice: as JSON, to be given back exactly, and in the forms that filters compare.
    """
    document = passage.document
    return {
        "tenant": document.tenant,
        "id": document.id,
        "title": document.title,
        "uri": document.uri,
        "digest": document.digest,
        "length": document.length,
        "passages": document.passages,
        "metadata": json.dumps(dict(document.metadata)),
        "number": passage.number,
        "start": passage.start,
        "text": passage.text,
        "is": {quote(name, safe=""): same(value) for name, value in document.metadata.items()},
        "at": {
            quote(name, safe=""): bound(value)
            for name, value in document.metadata.items()
            if not isinstance(value, bool | str) and not math.isnan(value)
        },
    }


def document_of(payload: Mapping[str, Any]) -> Document:
    """The document of a passage that was kept."""
    kept = {name: payload[name] for name in DOCUMENT}
    return Document(**kept | {"metadata": json.loads(kept["metadata"])})


def passage_of(payload: Mapping[str, Any]) -> Passage:
    """A passage that was kept, without its vector and words."""
    return Passage(document_of(payload), payload["number"], payload["text"], payload["start"])


def same_key(field: str) -> str:
    """Where the values of a field are kept for being equal."""
    return f'is."{quote(field, safe="")}"'


def range_key(field: str) -> str:
    """Where the values of a field are kept for being more or less."""
    return f'at."{quote(field, safe="")}"'


def same(value: Value) -> str:
    """A value as a word that only equal values have: 1 and 1.0 are equal, 1 and true are not.

    The library would take true for 1, and knows no equality of floats.
    """
    if isinstance(value, str):
        return f"s{value}"
    if isinstance(value, bool):
        return f"b{value:d}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"n{value}"


def bound(value: float) -> float:
    """A number as one that the library can compare: what is too large is the largest."""
    try:
        return max(-_LARGEST, min(float(value), _LARGEST))
    except OverflowError:
        return _LARGEST if value > 0 else -_LARGEST


def ends_of(condition: Condition) -> dict[str, float]:
    """The ends of a range; those that are open are beyond every number."""
    least, most = condition.least, condition.most
    return {
        "gte" if condition.least_counts else "gt": bound(float("-inf") if least is None else least),
        "lte" if condition.most_counts else "lt": bound(float("inf") if most is None else most),
    }
