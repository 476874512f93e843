"""An issuer of tokens in memory: its keys, what it publishes, and tokens that are right or wrong at will."""

import base64
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from ringmain_core.identity.fetching import Unfetchable
from ringmain_core.identity.issuers import Issuer

ISSUER = "https://idp.example.com"
AUDIENCE = "https://mcp.example.com/v1/mcp"
NOW = 1_800_000_000.0


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class Issuing:
    """An issuer with one elliptic key; `documents` and `away` can be changed as a test goes on.

    Attributes:
        asked: The addresses that were fetched so far.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.key: Any = generate_private_key(SECP256R1())
        self.kid = "first"
        self.algorithm = "ES256"
        self.asked: list[str] = []
        self.away = False
        self.documents: dict[str, Any] = {
            f"{ISSUER}/.well-known/oauth-authorization-server": {
                "issuer": ISSUER,
                "jwks_uri": f"{ISSUER}/keys",
            }
        }
        self.publish(self.jwk())

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """The public key as it is published."""
        algorithm = OKPAlgorithm if self.algorithm == "EdDSA" else ECAlgorithm
        known: Any = algorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {**known, "kid": self.kid, "alg": self.algorithm, "use": "sig"} | changes

    def private(self) -> dict[str, Any]:
        """The private half of the elliptic key, which nobody should ever publish."""
        known: Any = ECAlgorithm.to_jwk(self.key, as_dict=True)
        return {"d": known["d"]}

    def publish(self, *keys: object) -> None:
        self.documents[f"{ISSUER}/keys"] = {"keys": list(keys)}

    def rotate(self, kid: str) -> None:
        """Sign with another key of another kind from now on, and publish only that."""
        self.key, self.kid, self.algorithm = Ed25519PrivateKey.generate(), kid, "EdDSA"
        self.publish(self.jwk())

    def fetch(self, _: Issuer) -> Callable[[str], Awaitable[dict[str, Any]]]:
        async def fetch(url: str) -> dict[str, Any]:
            self.asked.append(url)
            if self.away or url not in self.documents:
                raise Unfetchable(f"{url} answers 503")
            return self.documents[url]

        return fetch

    def claims(self, **changes: Any) -> dict[str, Any]:
        """What a good token says; `None` leaves a claim out."""
        now = int(self._now())
        said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 600}
        return {name: value for name, value in (said | changes).items() if value is not None}

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A signed token; it is a good one but for these changes."""
        headers = {"kid": self.kid, "typ": "at+jwt"} | (header or {})
        kept = {name: value for name, value in headers.items() if value is not None}
        if "typ" not in kept:
            kept["typ"] = ""  # the library puts one of its own in where there is none at all
        return jwt.encode(self.claims(**claims), self.key, self.algorithm, headers=kept)
