"""An account as it is kept, and the token that a connector gets to see."""

import json
import time
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from ringmain_core.identity.accounts.provider import Identity

_EARLY_SHARE, _EARLY_AT_MOST = 0.1, 60.0


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint gave out. Times are seconds since 1970.

    Attributes:
        scopes: What was granted, which may be less than what was asked for.
        expires_at: When the access token ends; `None` where it does not, or nobody knows.
        refresh_at: From when on it is worth getting a new one.
    """

    access: SecretStr
    refresh: SecretStr | None
    scopes: frozenset[str]
    expires_at: float | None
    refresh_at: float | None

    @property
    def are_fresh(self) -> bool:
        return self.refresh_at is None or time.time() < self.refresh_at

    @property
    def still_work(self) -> bool:
        return self.expires_at is None or time.time() < self.expires_at


def early(asked_at: float, lifetime: float) -> float:
    """When to get a new token in the place of one with this lifetime in seconds: a little before its end."""
    return asked_at + lifetime - min(_EARLY_AT_MOST, lifetime * _EARLY_SHARE)


@dataclass(frozen=True, slots=True)
class Account:
    """A connected account.

    Attributes:
        client_id: Of the app it was connected through.
        connected_at: ISO 8601.
        dead: Whether the provider said that its refresh token is of no use any more; connecting again helps.
        refused_at: When it first said so, in seconds since 1970, where that is not believed yet.
    """

    identity: Identity
    tokens: Tokens
    client_id: str
    connected_at: str
    dead: bool = False
    refused_at: float | None = None

    def as_json(self) -> bytes:
        tokens = self.tokens
        values: dict[str, Any] = {
            "id": self.identity.id,
            "label": self.identity.label,
            "access": tokens.access.get_secret_value(),
            "refresh": None if tokens.refresh is None else tokens.refresh.get_secret_value(),
            "scopes": sorted(tokens.scopes),
            "expires_at": tokens.expires_at,
            "refresh_at": tokens.refresh_at,
            "client_id": self.client_id,
            "connected_at": self.connected_at,
            "dead": self.dead,
            "refused_at": self.refused_at,
        }
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Account":
        values: dict[str, Any] = json.loads(text)
        tokens = Tokens(
            access=SecretStr(values["access"]),
            refresh=None if values["refresh"] is None else SecretStr(values["refresh"]),
            scopes=frozenset(values["scopes"]),
            expires_at=values["expires_at"],
            refresh_at=values["refresh_at"],
        )
        identity = Identity(values["id"], values["label"])
        return cls(
            identity,
            tokens,
            values["client_id"],
            values["connected_at"],
            values["dead"],
            values.get("refused_at"),
        )


@dataclass(frozen=True, slots=True)
class Token:
    """An access token for one call on behalf of its owner.

    Attributes:
        expires_at: Seconds since 1970; `None` where it does not end, or nobody knows.
        scopes: What it may be used for, as the provider spells it.
    """

    value: SecretStr
    expires_at: float | None
    scopes: frozenset[str]
    identity: Identity
