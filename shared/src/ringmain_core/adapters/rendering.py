"""Results of tools as text and images: everything that came is shown, or named where it cannot be."""

import mcp_types as types

from ringmain_core.adapters.dialect import Asked, Image, Told
from ringmain_core.adapters.plain import compact


def rendered(asked: Asked, result: types.CallToolResult) -> Told:
    """What a tool answered, for a model."""
    texts: list[str] = []
    images: list[Image] = []
    for block in result.content:
        if isinstance(block, types.ImageContent):
            images.append(Image(block.data, block.mime_type))
        else:
            texts.append(_text_of(block))
    if not result.content and result.structured_content is not None:
        texts.append(compact(result.structured_content))
    return Told(asked, "\n".join(texts), images, failed=bool(result.is_error))


def _text_of(block: types.ContentBlock) -> str:
    match block:
        case types.TextContent():
            return block.text
        case types.ResourceLink():
            about = f": {block.description}" if block.description else ""
            return f"[resource {block.uri}{about}]"
        case types.EmbeddedResource(resource=types.TextResourceContents() as inner):
            return f"[resource {inner.uri}]\n{inner.text}"
        case types.EmbeddedResource(resource=inner):
            return f"[resource {inner.uri}, {inner.mime_type or 'bytes'}, which cannot be shown here]"
        case types.AudioContent():
            return f"[a recording, {block.mime_type}, which cannot be played here]"
        case types.ImageContent():
            return f"[an image, {block.mime_type}]"
