"""Messages between the server and its worker: a header in JSON and bytes, after their lengths."""

import json
import struct
from collections.abc import Mapping
from typing import Any

LENGTHS = struct.Struct(">IQ")
"""Bytes of the header and of the body."""

MOST_HEADER = 32 * 1024 * 1024
MOST_BODY = 512 * 1024 * 1024


def framed(header: Mapping[str, Any], body: bytes) -> bytes:
    """What goes before the body."""
    told = json.dumps(header).encode()
    return LENGTHS.pack(len(told), len(body)) + told
