"""Opaque cursors: where a caller stands in a list, sealed so that only this server can make them."""

import base64
import hashlib
import hmac
import json
import zlib
from typing import Any

from ringmain_core.call import Call
from ringmain_core.errors import InvalidCursor

_MAC_BYTES = 12
_MAX_STATE_BYTES = 256 * 1024
_SHORT = 200  # bytes that are not worth squeezing
_AS_IT_IS, _SQUEEZED = b"0", b"1"
_encode = json.JSONEncoder(separators=(",", ":")).encode
_INVALID = "This cursor is not valid here. Leave it out to start from the first page."


class Cursors:
    """Seals list positions and opens them again.

    A cursor belongs to the principal and the connector it was made for: to everybody else it is as unknown as
    one that never was. It is stateless: whoever holds the key can open it, on any replica.

    Args:
        keys: The first seals, all of them open.
    """

    def __init__(self, *keys: bytes) -> None:
        self._keys = keys

    def seal(self, call: Call, purpose: str, state: Any) -> str:
        """Turn a JSON value of at most 256 KiB into a cursor for this caller and purpose."""
        plain = _encode(state).encode()
        if len(plain) > _MAX_STATE_BYTES:
            raise ValueError(f"a cursor cannot hold {len(plain):,} bytes")
        payload = _AS_IT_IS + plain if len(plain) <= _SHORT else _SQUEEZED + zlib.compress(plain, 9)
        mac = _mac(self._keys[0], call, purpose, payload)
        return base64.urlsafe_b64encode(mac + payload).rstrip(b"=").decode()

    def open(self, call: Call, purpose: str, cursor: str) -> Any:
        """Turn a cursor back into the value it was made of.

        Raises:
            InvalidCursor: Where it was not made here for this caller and purpose, or was changed.
        """
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError:
            raw = b""
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not any(hmac.compare_digest(mac, _mac(key, call, purpose, payload)) for key in self._keys):
            raise InvalidCursor(_INVALID)
        try:
            kind, plain = payload[:1], payload[1:]
            if kind == _SQUEEZED:
                plain = zlib.decompressobj().decompress(plain, _MAX_STATE_BYTES)
            return json.loads(plain)
        except (zlib.error, ValueError) as error:
            raise InvalidCursor(_INVALID) from error


def _mac(key: bytes, call: Call, purpose: str, payload: bytes) -> bytes:
    owner = json.dumps([call.connector, call.principal.auth, call.principal.id, purpose]).encode()
    return hmac.digest(key, owner + b"\0" + payload, hashlib.sha256)[:_MAC_BYTES]
