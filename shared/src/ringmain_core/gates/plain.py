"""Tool calls and answers so plain that the protocol's models have nothing to find in them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    CLIENT_INFO_META_KEY,
    LOG_LEVEL_META_KEY,
    PROTOCOL_VERSION_META_KEY,
)
from mcp_types.methods import validate_client_request
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from ringmain_core.gates import Result
from ringmain_core.results import Structure

_PARAMS = frozenset({"name", "arguments", "_meta"})
_ANSWER = frozenset({"content", "structuredContent", "resultType"})
_TYPED_META = (
    PROTOCOL_VERSION_META_KEY,
    CLIENT_INFO_META_KEY,
    CLIENT_CAPABILITIES_META_KEY,
    LOG_LEVEL_META_KEY,
)
_MOST_REMEMBERED = 2_000  # bytes


def is_plain_call(params: Mapping[str, Any], version: str) -> bool:
    """Whether these parameters of `tools/call` are sure to be valid, and hold nothing but a call."""
    name = params.get("name")
    return (
        params.keys() <= _PARAMS
        and isinstance(name, str)
        and name.isascii()
        and isinstance(params.get("arguments"), dict)
        and _has_plain_meta(params, version)
    )


def plain_answer(result: Result) -> dict[str, Any] | None:
    """The members of an answer that is one text, perhaps with its structure; `None` where it holds more."""
    content = result.get("content")
    if not result.keys() <= _ANSWER or not isinstance(content, list) or len(content) != 1:  # pyright: ignore[reportUnknownArgumentType]
        return None
    (block,) = cast("list[object]", content)
    if not isinstance(block, dict) or block.keys() != {"type", "text"} or block["type"] != "text":
        return None
    if not _is_text(cast("object", block["text"])):
        return None
    if "structuredContent" not in result:
        return {"content": content}
    structure = result["structuredContent"]
    return {"content": content, "structuredContent": structure} if isinstance(structure, Structure) else None


def _has_plain_meta(params: Mapping[str, Any], version: str) -> bool:
    if "_meta" not in params:
        return version not in MODERN_PROTOCOL_VERSIONS
    meta = params["_meta"]
    if not isinstance(meta, dict):
        return False
    meta = cast("dict[str, Any]", meta)
    if not isinstance(meta.get("progressToken", ""), str | int):
        return False
    said = to_json([meta.get(key) for key in _TYPED_META])
    return len(said) <= _MOST_REMEMBERED and _is_valid_meta(version, said)


@lru_cache(maxsize=256)
def _is_valid_meta(version: str, said: bytes) -> bool:
    """Whether the protocol's own model takes it: clients say the same of themselves in every request."""
    meta = {key: value for key, value in zip(_TYPED_META, from_json(said), strict=True) if value is not None}
    try:
        validate_client_request("tools/call", version, {"name": "", "_meta": meta})
    except (KeyError, ValidationError):
        return False
    return True


def _is_text(value: object) -> bool:
    """Whether it is text that can be sent: half a surrogate pair cannot."""
    if not isinstance(value, str):
        return False
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False
