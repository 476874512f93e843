"""Anthropic: tools of the Messages API."""

from collections.abc import Mapping, Sequence
from typing import Any

from ringmain_core.adapters.dialect import Asked, Told, Wire, as_text
from ringmain_core.adapters.narrow import Narrowed
from ringmain_core.adapters.plain import plain
from ringmain_core.schema import JsonSchema


class Messages:
    """The Messages API; it takes JSON Schema, but no alternatives at the root."""

    def narrow(self, schema: Mapping[str, Any]) -> Narrowed:
        return Narrowed(plain(schema))

    def tools(self, functions: Sequence[tuple[str, str, JsonSchema]]) -> list[Wire]:
        return [
            {"name": name, "description": description, "input_schema": schema}
            for name, description, schema in functions
        ]

    def asked(self, answer: Mapping[str, Any]) -> list[Asked]:
        content: str | list[Wire] = answer["content"]
        return [
            Asked(block["id"], block["name"], block["input"])
            for block in content
            if isinstance(block, Mapping) and block["type"] == "tool_use"
        ]

    def told(self, results: Sequence[Told]) -> list[Wire]:
        return [{"role": "user", "content": [_block(result) for result in results]}] if results else []


def _block(result: Told) -> Wire:
    content: list[Wire] = []
    if text := as_text(result, marked=False):
        content.append({"type": "text", "text": text})
    content += [
        {"type": "image", "source": {"type": "base64", "media_type": image.mime_type, "data": image.data}}
        for image in result.images
    ]
    block: Wire = {"type": "tool_result", "tool_use_id": result.asked.id, "content": content}
    return block | {"is_error": True} if result.failed else block
