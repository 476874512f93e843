"""Accounts of one provider, sealed for their owners: a row that is moved to another owner does not open."""

import json
import logging
from dataclasses import dataclass

from ringmain_core.identity.accounts.account import Account
from ringmain_core.identity.accounts.stores import AccountStore, StoreUnavailable
from ringmain_core.sealing import KeyRing, NotSealedHere

_PURPOSE = "accounts"
_KEY_NAME = 4  # bytes at the beginning of what a key ring seals, which name the key
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """An account as it was read, and the bytes it was read from: what may replace it, replaces these."""

    account: Account
    sealed: bytes


class Vault:
    """The accounts of one provider.

    Every method may raise `StoreUnavailable`.
    """

    def __init__(self, store: AccountStore, ring: KeyRing, provider: str) -> None:
        self._store = store
        self._ring = ring
        self._provider = provider
        self._newest = ring.seal(_PURPOSE, "", b"")[:_KEY_NAME]

    async def load(self, owner: str) -> Kept | None:
        """An owner's account; `None` where there is none, or none that opens.

        One that was sealed with an older key is sealed anew.
        """
        sealed = await self._store.get(owner, self._provider)
        if sealed is None:
            return None
        try:
            account = Account.from_json(self._ring.open(_PURPOSE, self._bound_to(owner), sealed))
        except NotSealedHere:
            _log.warning("an account at %s does not open: RINGMAIN_SECRET_KEY has changed", self._provider)
            return None
        kept = Kept(account, sealed)
        if sealed[:_KEY_NAME] == self._newest:
            return kept
        try:
            return await self.replace(owner, kept, account) or kept
        except StoreUnavailable:
            return kept  # the next reading tries again

    async def put(self, owner: str, account: Account) -> None:
        """Keep an account, in the place of any other of this owner."""
        await self._store.put(owner, self._provider, self._sealed(owner, account))

    async def replace(self, owner: str, kept: Kept, account: Account) -> Kept | None:
        """Keep an account in the place of one that was read; `None` where that is not there any more."""
        sealed = self._sealed(owner, account)
        done = await self._store.replace(owner, self._provider, kept.sealed, sealed)
        return Kept(account, sealed) if done else None

    async def delete(self, owner: str) -> bool:
        """Forget an owner's account; False where there was none."""
        return await self._store.delete(owner, self._provider)

    def _sealed(self, owner: str, account: Account) -> bytes:
        return self._ring.seal(_PURPOSE, self._bound_to(owner), account.as_json())

    def _bound_to(self, owner: str) -> str:
        return json.dumps([owner, self._provider])
