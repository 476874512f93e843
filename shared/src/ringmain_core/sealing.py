"""Seals what is kept or handed out, so that only this server can read it and nobody can swap it."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

_KEY_BYTES = 32
_KID_BYTES = 4
_NONCE_BYTES = 12


class NotSealedHere(Exception):
    """The bytes were not sealed with a key of this ring for this purpose and owner, or were changed."""


class KeyRing:
    """Secrets in order of age: the first seals, all of them open. Rotation puts a new one in front.

    Every purpose has keys of its own, derived from the secrets.

    Args:
        keys: At least one, of 32 bytes or more.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) < _KEY_BYTES for key in keys):
            raise ValueError(f"a key ring needs keys of at least {_KEY_BYTES} bytes")
        self._keys = tuple(keys)

    def derive(self, purpose: str) -> tuple[bytes, ...]:
        """A key of 32 bytes for a purpose from each secret, the one that seals first."""
        return tuple(hmac.digest(key, b"ringmain " + purpose.encode(), hashlib.sha256) for key in self._keys)

    def seal(self, purpose: str, owner: str, plain: bytes) -> bytes:
        """Encrypt (AES-256-GCM) for a purpose and bind to an owner; `open` wants the same two."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self.derive(purpose)[0]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _kid(key) + nonce + AESGCM(key).encrypt(nonce, plain, owner.encode())

    def open(self, purpose: str, owner: str, sealed: bytes) -> bytes:
        """Decrypt what was sealed for this purpose and owner.

        Raises:
            NotSealedHere: Where it was not.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        kid, nonce = sealed[:_KID_BYTES], sealed[_KID_BYTES : _KID_BYTES + _NONCE_BYTES]
        for key in self.derive(purpose):
            if _kid(key) == kid and len(nonce) == _NONCE_BYTES:
                try:
                    return AESGCM(key).decrypt(nonce, sealed[_KID_BYTES + _NONCE_BYTES :], owner.encode())
                except InvalidTag:
                    continue
        raise NotSealedHere


def _kid(key: bytes) -> bytes:
    return hmac.digest(key, b"id", hashlib.sha256)[:_KID_BYTES]
