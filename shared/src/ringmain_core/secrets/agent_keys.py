"""Keys of agents by reference: `key = "vault:…"` in the policy file."""

import re

from pydantic_core import PydanticCustomError

from ringmain_core.secrets.managed import reading
from ringmain_core.secrets.reference import Reference, Unresolved, parse

_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_SHORTEST = 32


def agent_key(value: object) -> object:
    """The hash of an agent's key: as it is, or of what a reference leads to (a hash, or the key itself).

    It is for a validator. What is neither a hash nor a reference is left for whoever checks the form: a key
    in the clear does not belong into the policy.
    """
    if not isinstance(value, str):
        return value
    try:
        parsed = parse(value)
        if not isinstance(parsed, Reference):
            return value
        reader = reading.get()
        if reader is None:
            raise Unresolved(f"{parsed} cannot be followed here")  # noqa: TRY301 (one way out)
        return _hash(reader.open(value).get_secret_value(), parsed)
    except Unresolved as error:
        raise PydanticCustomError("unresolved_secret", "{why}", {"why": str(error)}) from None


def _hash(key: str, reference: Reference) -> str:
    from ringmain_core.identity.api_keys import hash_key  # it knows the policy, which knows this module

    if _HASH.fullmatch(key):
        return key
    if len(key) < _SHORTEST:
        raise Unresolved(f"{reference}: a key has at least {_SHORTEST} characters")
    return hash_key(key)
