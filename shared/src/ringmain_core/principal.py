"""Who is calling."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

AuthMethod = Literal["local", "api_key", "jwt", "anonymous"]


@dataclass(frozen=True, slots=True)
class Principal:
    """An identified caller; what it may do is the policy's to say.

    Attributes:
        id: The agent's name, as the policy file and the audit spell it; `<issuer>/<sub>` for a token's.
        auth: How the identity was established.
        claims: What the credential says besides the name; empty for API keys and on stdio.
        scopes: What the credential is good for at most; `None` where it does not limit that.
    """

    id: str
    auth: AuthMethod
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    scopes: frozenset[str] | None = None

    @property
    def owner(self) -> str:
        """The caller as the owner of what is kept for it: a name that no other caller has."""
        return f"{self.auth}:{self.id}"


LOCAL = Principal("local", "local")
"""Whoever started the process: the only caller on stdio."""

ANONYMOUS = Principal("anonymous", "anonymous")
"""Whoever failed to say who they are; it exists for the record, and may do nothing."""
