"""The public keys of an issuer: found by its metadata, read from its JWKS."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from ringmain_core.identity.fetching import Unfetchable, fetch_json
from ringmain_core.identity.issuers import Issuer

Fetch = Callable[[str], Awaitable[dict[str, Any]]]

_LEAST_RSA_BITS = 2048
_BY_CURVE = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """A key that tokens are signed with.

    Attributes:
        id: The `kid` that tokens name it by.
        algorithms: What it can be used for.
        public: The key itself, for the library.
        source: What the issuer published; the same key is the same text.
    """

    id: str | None
    algorithms: frozenset[str]
    public: Any
    source: str


def fetcher(issuer: Issuer) -> Fetch:
    """How to fetch what an issuer publishes: plain http only where it is on this machine itself."""
    return lambda url: fetch_json(url, loopback=issuer.is_loopback)


async def metadata_of(issuer: Issuer, fetch: Fetch) -> dict[str, Any]:
    """The metadata of an authorization server (RFC 8414, or OpenID Connect Discovery).

    Raises:
        Unfetchable: With what was found at each of the well-known places.
    """
    parts = urlsplit(issuer.issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    places = dict.fromkeys(
        (
            f"{origin}/.well-known/oauth-authorization-server{path}",
            f"{origin}{path}/.well-known/openid-configuration",
            f"{origin}/.well-known/openid-configuration{path}",
        )
    )
    faults: list[str] = []
    for place in places:
        try:
            document = await fetch(place)
        except Unfetchable as fault:
            faults.append(str(fault))
            continue
        if document.get("issuer") == issuer.issuer:
            return document
        faults.append(f"{place} is about another issuer, {str(document.get('issuer'))[:200]!r}")
    raise Unfetchable("; ".join(faults))


async def keys_of(issuer: Issuer, fetch: Fetch) -> list[SigningKey]:
    """The keys that an issuer publishes and that can be used; perhaps none.

    Raises:
        Unfetchable: With the reason.
    """
    place = issuer.jwks_uri
    if place is None:
        place = (await metadata_of(issuer, fetch)).get("jwks_uri")
        if not isinstance(place, str):
            raise Unfetchable(f"the metadata of {issuer.issuer} has no `jwks_uri`; set it in the policy file")
    document = await fetch(place)
    published = document.get("keys")
    if not isinstance(published, list):
        raise Unfetchable(f"{place} is not a JWKS: it has no `keys`")
    keys = [_usable(entry) for entry in cast("list[object]", published)]
    return [key for key in keys if key is not None]


def _usable(entry: object) -> SigningKey | None:
    """A key that can check signatures; others are left out, as RFC 7517 wants it."""
    import jwt

    if not isinstance(entry, dict):
        return None
    jwk = cast("dict[str, Any]", entry)
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    algorithms = _algorithms_of(jwk)
    kid = jwk.get("kid")
    # A private key has no business there: whoever reads it could sign.
    if not algorithms or "d" in jwk or not isinstance(kid, str | None):
        return None
    try:
        public = jwt.PyJWK(jwk, next(iter(algorithms))).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if jwk["kty"] == "RSA" and public.key_size < _LEAST_RSA_BITS:
        return None
    return SigningKey(kid, algorithms, public, json.dumps(jwk, sort_keys=True))


def _algorithms_of(jwk: Mapping[str, Any]) -> frozenset[str]:
    """What a key can be used for: what its kind allows, or the one algorithm that it names."""
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if kind == "RSA":
        possible = frozenset(_RSA)
    elif kind in ("EC", "OKP") and isinstance(curve, str) and curve in _BY_CURVE:
        possible = frozenset({_BY_CURVE[curve]})
    else:
        possible = frozenset[str]()
    named = jwk.get("alg")
    return possible if named is None else possible & {str(named)}
