"""Service accounts: their key, the assertions they sign, the people they may act for."""

from dataclasses import dataclass
from functools import cache

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True)
class Robot:
    """A service account. Attributes: delegated: Whom it may act for, with these scopes."""

    email: str
    delegated: tuple[str, ...]
    scopes: tuple[str, ...]


_AUDIENCE = "https://oauth2.googleapis.com/token"  # what google-auth says, wherever it sends them


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_file(email: str, token_uri: str) -> dict[str, str]:
    """What the console gives for a service account, as `google.oauth2.service_account` reads it."""
    pem = _key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account",
        "project_id": "project",
        "private_key_id": "key-1",
        "private_key": pem.decode(),
        "client_email": email,
        "client_id": "100000000000000000001",
        "token_uri": token_uri,
    }


def claims(assertion: str, token_uri: str) -> dict[str, str]:
    """What a signed assertion says.

    Raises:
        jwt.PyJWTError: The signature, the audience or the time is wrong.
    """
    return jwt.decode(
        assertion,
        _key().public_key(),
        algorithms=["RS256"],
        audience=[_AUDIENCE, token_uri],
        options={"require": ["iss", "scope", "exp", "iat"]},
    )
