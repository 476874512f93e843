"""What an access token says, and whether that is to be believed: RFC 7519, RFC 8725 and RFC 9068."""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ringmain_core.identity.issuers import Issuer
from ringmain_core.identity.signing_keys import SigningKey
from ringmain_core.transport.strict_json import NotStrictJson, loads_strict

LEEWAY = 30.0
"""Seconds that clocks may differ."""

_MOST_CHARACTERS = 16 * 1024
_MOST_SUBJECT = 255
_TYPES = ("at+jwt", "application/at+jwt", "jwt", "application/jwt")
_OF_ID_TOKENS = ("nonce", "at_hash", "c_hash", "s_hash")


class NotBelieved(Exception):
    """The token is not taken.

    Args:
        reason: For the log; nothing that the token says.
        said: What the token says where that helps an operator, to be quoted with care.
    """

    issuer = ""
    """The name of the issuer that the token is from, as far as that was found out."""

    def __init__(self, reason: str, said: object = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.said = said


class Expired(NotBelieved):
    """Its time is over; a new one of the same kind will do."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says of itself, before anybody has checked it."""

    text: str
    algorithm: str
    key_id: str | None
    issuer: str


def looks_like_token(credential: str) -> bool:
    """Whether a credential has the form of a signed JWT; keys that are made here have no dots."""
    return credential.count(".") == 2


def read_token(text: str) -> Unverified:
    """Take a token apart, so far that its issuer and key can be found.

    Raises:
        NotBelieved: Where it is not a token that could ever be taken.
    """
    if len(text) > _MOST_CHARACTERS:
        raise NotBelieved(f"it is longer than {_MOST_CHARACTERS:,} characters")
    header_part, payload_part, _ = text.split(".")
    header, payload = _object(header_part), _object(payload_part)
    if "crit" in header:
        raise NotBelieved("its header has `crit`: it wants something that this server does not know")
    if str(header.get("typ", "jwt")).lower() not in _TYPES:
        raise NotBelieved("its `typ` is not that of an access token", header["typ"])
    algorithm, key_id, issuer = header.get("alg"), header.get("kid"), payload.get("iss")
    if not isinstance(algorithm, str) or not isinstance(key_id, str | None):
        raise NotBelieved("its header is malformed")
    if not isinstance(issuer, str):
        raise NotBelieved("it has no `iss`")
    return Unverified(text, algorithm, key_id, issuer)


def _object(part: str) -> Mapping[str, Any]:
    try:
        value = loads_strict(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, NotStrictJson):
        value = None
    if not isinstance(value, dict):
        raise NotBelieved("it is malformed")
    return cast("dict[str, Any]", value)


def verify(token: Unverified, issuer: Issuer, key: SigningKey) -> Mapping[str, Any]:
    """The claims of a token, once signature, times, audience and kind have been checked.

    Its algorithm must have been found to be one of the issuer's, and to fit the key.

    Raises:
        NotBelieved: With the reason.
    """
    import jwt

    try:
        claims: dict[str, Any] = jwt.decode(
            token.text,
            key.public,
            algorithms=[token.algorithm],
            audience=issuer.audience,
            issuer=issuer.issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "aud", "iss", "sub"], "enforce_minimum_key_length": True},
        )
    except jwt.InvalidSignatureError:
        raise NotBelieved("its signature is wrong") from None
    except jwt.ExpiredSignatureError:
        raise Expired("it has expired") from None
    except jwt.ImmatureSignatureError:
        raise NotBelieved("it is not valid yet (`nbf` or `iat`)") from None
    except jwt.InvalidAudienceError:
        raise NotBelieved("its `aud` is not in the issuer's `audience`", _unchecked(token, "aud")) from None
    except jwt.MissingRequiredClaimError as error:
        raise NotBelieved(f"it has no `{error.claim}`") from None
    except jwt.PyJWTError as error:
        raise NotBelieved(f"it is malformed ({type(error).__name__})") from None
    _check_kinds(claims)
    return claims


def _unchecked(token: Unverified, name: str) -> object:
    return _object(token.text.split(".")[1]).get(name)


def _check_kinds(claims: Mapping[str, Any]) -> None:
    for name in ("exp", "nbf", "iat"):
        if type(claims.get(name, 0)) not in (int, float):
            raise NotBelieved(f"its `{name}` is not a number")
    if any(name in claims for name in _OF_ID_TOKENS):
        raise NotBelieved("it is an ID token, which is for the client; clients send the access token")
    subject = claims["sub"]
    if not subject or len(subject) > _MOST_SUBJECT or not subject.isprintable():
        raise NotBelieved(f"its `sub` is empty, longer than {_MOST_SUBJECT} characters or not printable")
