"""References: texts that say where a secret is kept, in the place of the secret."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Scheme = Literal["env", "file", "vault", "aws-sm"]

_SCHEMES = ("env", "file", "vault", "aws-sm")

# Not compiled here: most settings refer to nothing.
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
_IN_VAULT = r"[\w.@+=-]+(?:/[\w.@+=-]+)+"
_IN_AWS = r"[A-Za-z0-9/_+=.@:!-]+"
_KEY = r"[^#\s]+"


class Unresolved(Exception):
    """A reference leads to no secret; the text says why, without anything that was found there."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where one secret is kept.

    Attributes:
        place: A variable's name, a file's path, a path in Vault, or the name of a secret in AWS.
        key: Which of several values at that place; empty where the place has one.
    """

    scheme: Scheme
    place: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.scheme}:{self.place}{f'#{self.key}' if self.key else ''}"


def parse(text: str) -> Reference | str:
    """What an operator wrote: a reference, or the secret itself (`value:` in front of it is taken off).

    Raises:
        Unresolved: Where it begins like a reference and is none. The text is not quoted: it may be a secret.
    """
    scheme, colon, rest = text.partition(":")
    if scheme == "value" and colon:
        return rest
    if scheme not in _SCHEMES or not colon:
        return text
    reference = _split(scheme, rest)
    form = _fault(reference)
    if form:
        raise Unresolved(f"it begins with `{scheme}:` and is not {form}; write `value:` in front of a secret")
    return reference


def _split(scheme: Scheme, rest: str) -> Reference:
    if scheme in ("env", "file"):
        return Reference(scheme, rest)
    place, _, key = rest.partition("#")
    return Reference(scheme, place.strip("/") if scheme == "vault" else place, key)


def _fault(reference: Reference) -> str:
    """The form that a reference does not have; empty where it is well formed."""
    place, key = reference.place, reference.key
    match reference.scheme:
        case "env":
            return "" if re.fullmatch(_VARIABLE, place) else "a variable's name like `env:NAME`"
        case "file":
            fine = Path(place).is_absolute() and "\0" not in place and "\n" not in place
            return "" if fine else "a whole path like `file:/run/secrets/name`"
        case "vault":
            fine = re.fullmatch(_IN_VAULT, place) and re.fullmatch(_KEY, key) and ".." not in place.split("/")
            return "" if fine else "a path and a key like `vault:secret/name#key`"
        case "aws-sm":
            fine = re.fullmatch(_IN_AWS, place) and (not key or re.fullmatch(_KEY, key))
            return "" if fine else "a name, with or without a key, like `aws-sm:name#key`"
