"""Whose access tokens are taken, and which roles their claims give, as the policy file says it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from ringmain_core.limits import STRICT, Limits

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]  # none that signs with a shared secret: whoever can check such a token can make one

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NAME = r"^[A-Za-z0-9._:-]{1,64}$"  # no slash: it ends the name in `<name>/<sub>`
_ALWAYS_KEPT = ("scope", "scp")


def is_safe_url(url: str, *, loopback: bool) -> bool:
    """Whether nobody on the way can change what a URL answers: https, or loopback where that is allowed."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or not url.isascii() or not url.isprintable():
        return False
    return parts.scheme == "https" or (loopback and parts.scheme == "http" and host in _LOOPBACK)


def _trusted_url(url: str) -> str:
    if not is_safe_url(url, loopback=True):
        raise ValueError("an issuer's address is https://… (http:// on loopback only)")
    return url


def _issuer_url(url: str) -> str:
    if urlsplit(_trusted_url(url)).query:
        raise ValueError("an issuer's address has no query")
    return url


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _host_of(validated: dict[str, Any]) -> str:
    issuer: str = validated["issuer"]
    return urlsplit(issuer).hostname or ""


class RoleRule(BaseModel):
    """Gives a role to tokens in which a claim has, or lists, a value; without a claim, to all of them.

    Attributes:
        claim: A name, or a path of names with dots between them (`realm_access.roles`).
    """

    model_config = STRICT

    role: str
    claim: Annotated[str, Field(min_length=1)] | None = None
    equals: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.claim is None) != (self.equals is None):
            raise ValueError("`claim` and `equals` go together; without both, every token gets the role")
        return self

    def fits(self, claims: Mapping[str, Any]) -> bool:
        """Whether a token with these claims gets the role."""
        if self.claim is None:
            return True
        value = _at(claims, self.claim)
        return self.equals in cast("list[object]", value) if isinstance(value, list) else value == self.equals


class Issuer(BaseModel):
    """An authorization server whose tokens are taken.

    Attributes:
        issuer: As its tokens and metadata spell it.
        audience: What its tokens call this server; one of these must be in the token's `aud`.
        name: Short and unique; its callers are known as `<name>/<sub>`.
        jwks_uri: Where its keys are; without it, its metadata says so.
        scopes: Whether a call also needs the scope `<connector>:<access>` in the token.
        limits: For each of its callers, where neither an agent's entry nor a role says otherwise.
    """

    model_config = STRICT

    issuer: Annotated[str, AfterValidator(_issuer_url)]
    audience: Annotated[
        list[Annotated[str, Field(min_length=1)]], BeforeValidator(_listed), Field(min_length=1)
    ]
    name: Annotated[str, Field(default_factory=_host_of, pattern=_NAME)]
    roles: list[RoleRule] = []
    algorithms: Annotated[list[Algorithm], Field(min_length=1)] = ["RS256", "PS256", "ES256", "EdDSA"]
    jwks_uri: Annotated[str, AfterValidator(_trusted_url)] | None = None
    # On unless switched off: a person who let a client read has not let it write, whatever their roles.
    scopes: bool = True
    limits: Limits | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine, so that plain http to it is safe."""
        return urlsplit(self.issuer).hostname in _LOOPBACK

    def roles_of(self, claims: Mapping[str, Any]) -> Iterator[str]:
        """The roles that its rules give for some claims."""
        return (rule.role for rule in self.roles if rule.fits(claims))

    def kept(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """The claims that its rules and its scopes look at; nothing else of a token is remembered."""
        paths = [rule.claim for rule in self.roles if rule.claim is not None]
        return {
            name: value
            for name, value in claims.items()
            if name in _ALWAYS_KEPT or any(path == name or path.startswith(f"{name}.") for path in paths)
        }

    def scopes_in(self, claims: Mapping[str, Any]) -> frozenset[str] | None:
        """The scopes that a token is good for at most, `None` where they do not count."""
        if not self.scopes:
            return None
        found: set[str] = set()
        for name in _ALWAYS_KEPT:
            value = claims.get(name)
            parts = value.split() if isinstance(value, str) else value
            if isinstance(parts, list):
                found.update(part for part in cast("list[object]", parts) if isinstance(part, str))
        return frozenset(found)


def _at(claims: Mapping[str, Any], path: str) -> object:
    """The claim of that very name (some are URLs, with dots), else what the path leads to."""
    value: object = claims.get(path)
    if value is not None:
        return value
    value = claims
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, object]", value).get(name)
    return value
