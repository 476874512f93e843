"""A provider that exists in memory, with refresh tokens that work once, and a store that can be broken."""

import base64
import hashlib
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote

import anyio
import httpx2
from pydantic import SecretStr

from ringmain_core.call import Call
from ringmain_core.identity.accounts.account import Account, Tokens
from ringmain_core.identity.accounts.accounts import Accounts
from ringmain_core.identity.accounts.endpoints import Endpoints
from ringmain_core.identity.accounts.provider import Identity, Json, Provider, ProviderClient
from ringmain_core.identity.accounts.stores import AccountStore, StoreUnavailable
from ringmain_core.identity.accounts.vault import Vault
from ringmain_core.principal import Principal
from ringmain_core.sealing import KeyRing

BASE = "https://mcp.example.com"
SECRET = "s/e:c r+et"
RING = KeyRing([b"k" * 32])
ANN, BOB = Principal("ann", "api_key"), Principal("bob", "api_key")


def identify(answer: Json) -> Identity:
    return Identity(answer["sub"], answer["email"])


DESK = Provider(
    name="desk",
    title="Desk",
    issuer="https://desk.example.com",
    authorization_endpoint="https://desk.example.com/authorize",
    token_endpoint="https://desk.example.com/token",
    userinfo_endpoint="https://desk.example.com/me",
    revocation_endpoint="https://desk.example.com/revoke",
    scopes=("files", "mail"),
    authorize_parameters={"access_type": "offline"},
    identify=identify,
)
CLIENT = ProviderClient(DESK, "ringmain", SecretStr(SECRET))


class MemoryStore:
    """An `AccountStore` in a dict.

    Attributes:
        rows: What is kept.
        broken: How many further writes and readings fail.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], bytes] = {}
        self.claims: dict[str, tuple[str, float]] = {}
        self.broken = 0
        self.broken_writes = 0

    async def get(self, owner: str, provider: str) -> bytes | None:
        await self._step()
        return self.rows.get((owner, provider))

    async def put(self, owner: str, provider: str, sealed: bytes) -> None:
        await self._step(writes=True)
        self.rows[owner, provider] = sealed

    async def replace(self, owner: str, provider: str, old: bytes, new: bytes) -> bool:
        await self._step(writes=True)
        if self.rows.get((owner, provider)) != old:
            return False
        self.rows[owner, provider] = new
        return True

    async def delete(self, owner: str, provider: str) -> bool:
        await self._step(writes=True)
        return self.rows.pop((owner, provider), None) is not None

    async def owned(self, owner: str) -> dict[str, bytes]:
        await self._step()
        return {provider: sealed for (whose, provider), sealed in self.rows.items() if whose == owner}

    async def claim(self, name: str, holder: str, seconds: float) -> bool:
        await self._step()
        if name in self.claims and self.claims[name][1] > time.monotonic():
            return False
        self.claims[name] = (holder, time.monotonic() + seconds)
        return True

    async def release(self, name: str, holder: str) -> None:
        await self._step()
        if self.claims.get(name, ("", 0))[0] == holder:
            del self.claims[name]

    async def close(self) -> None:
        pass

    async def _step(self, *, writes: bool = False) -> None:
        await anyio.lowlevel.checkpoint()
        if self.broken > 0 or (writes and self.broken_writes > 0):
            self.broken = max(0, self.broken - 1)
            self.broken_writes = max(0, self.broken_writes - 1)
            raise StoreUnavailable("the disk is full")


@dataclass
class Desk:
    """The provider. A refresh token that comes twice ends everything that was granted with it.

    Attributes:
        asked: Every request that came, with its form.
        refreshes: How often a refresh worked, for each person.
        answer: What it says instead of what it would say.
        hold: Where set, answers wait for it after all was done; `waiting` says that one does.
        rotates: Whether a refresh brings a new refresh token.
    """

    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list[tuple[str, dict[str, str]]])
    refreshes: dict[str, int] = field(default_factory=dict[str, int])
    answer: httpx2.Response | Exception | None = None
    hold: anyio.Event | None = None
    waiting: anyio.Event = field(default_factory=anyio.Event)
    rotates: bool = True
    _codes: dict[str, tuple[str, str, str]] = field(default_factory=dict[str, tuple[str, str, str]])
    _grants: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    _used: set[str] = field(default_factory=set[str])
    _made: int = 0

    def code(self, person: str, asked: dict[str, str]) -> str:
        """What the browser of somebody who has agreed brings back."""
        self._made += 1
        code = f"code-{self._made}"
        self._codes[code] = (person, asked["code_challenge"], asked["redirect_uri"])
        return code

    def grant(self, person: str) -> tuple[str, str]:
        """A new pair of access and refresh token."""
        self._made += 1
        access, refresh = f"access-{person}-{self._made}", f"refresh-{person}-{self._made}"
        self._grants[refresh] = (person, access)
        return access, refresh

    def works_for(self, access: str) -> str | None:
        """Whose token it is, while it works."""
        return next((person for person, token in self._grants.values() if token == access), None)

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append((request.url.path, dict(parse_qsl(request.content.decode()))))
        if isinstance(self.answer, Exception):
            raise self.answer
        response = self.answer or self._respond(request)
        if self.hold is not None:
            self.waiting.set()
            await self.hold.wait()
        return response

    def _respond(self, request: httpx2.Request) -> httpx2.Response:
        form = self.asked[-1][1]
        if request.url.path == "/me":
            person = self.works_for(request.headers["authorization"].removeprefix("Bearer "))
            assert person is not None
            return httpx2.Response(200, json={"sub": person, "email": f"{person}@example.com"})
        scheme, _, pair = request.headers["authorization"].partition(" ")
        user, _, password = base64.b64decode(pair).decode().partition(":")
        assert (scheme, user, unquote(password)) == ("Basic", "ringmain", SECRET)
        if request.url.path == "/revoke":
            self._end(form["token"])
            return httpx2.Response(200)
        if form["grant_type"] == "authorization_code":
            return self._exchange(form)
        return self._refresh(form["refresh_token"])

    def _exchange(self, form: dict[str, str]) -> httpx2.Response:
        person, challenge, redirect_uri = self._codes.pop(form["code"], ("", "", ""))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        proved = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        if not proved or redirect_uri != form["redirect_uri"]:
            return httpx2.Response(400, json={"error": "invalid_grant"})
        return self._tokens(person)

    def _refresh(self, token: str) -> httpx2.Response:
        if token not in self._grants:
            if token in self._used:  # a thief, for all it knows
                self._end(token)
            return httpx2.Response(400, json={"error": "invalid_grant", "error_description": "no such token"})
        person = self._grants[token][0]
        self.refreshes[person] = self.refreshes.get(person, 0) + 1
        if not self.rotates:
            return self._tokens(person, keep=token)
        del self._grants[token]
        self._used.add(token)
        return self._tokens(person)

    def _tokens(self, person: str, keep: str | None = None) -> httpx2.Response:
        access, refresh = self.grant(person)
        if keep is not None:
            del self._grants[refresh]
            self._grants[keep] = (person, access)
        answer: dict[str, Any] = {"access_token": access, "token_type": "bearer", "expires_in": 3600}
        answer |= {"scope": "files mail"} | ({} if keep else {"refresh_token": refresh})
        return httpx2.Response(200, json=answer)

    def _end(self, token: str) -> None:
        person = token.split("-")[1]
        self._grants = {key: grant for key, grant in self._grants.items() if grant[0] != person}


@dataclass
class AtDesk:
    """Accounts at the provider, ready to be used."""

    accounts: Accounts
    desk: Desk
    store: MemoryStore
    vault: Vault

    async def has(self, principal: Principal, *, expired: bool = False, **changes: Any) -> Account:
        """Give somebody a connected account."""
        access, refresh = self.desk.grant(principal.id)
        ends = time.time() + (-1 if expired else 3600)
        tokens = Tokens(SecretStr(access), SecretStr(refresh), frozenset({"files", "mail"}), ends, ends - 60)
        identity = Identity(principal.id, f"{principal.id}@example.com")
        account = Account(identity, tokens, "ringmain", "2026-11-22T12:00:00+00:00")
        account = replace(account, **changes)
        await self.vault.put(principal.owner, account)
        return account

    async def kept(self, principal: Principal) -> Account:
        """What the store has."""
        kept = await self.vault.load(principal.owner)
        assert kept is not None
        return kept.account

    def beside(self) -> Accounts:
        """The same accounts as another process has them."""
        return _accounts(self.desk, self.store)


@asynccontextmanager
async def at_desk(base: str = BASE, *, client: ProviderClient = CLIENT) -> AsyncGenerator[AtDesk]:
    """Accounts at a provider in memory, in a store in memory."""
    desk, store = Desk(), MemoryStore()
    accounts = _accounts(desk, store, base, client)
    try:
        yield AtDesk(accounts, desk, store, Vault(store, RING, "desk"))
    finally:
        await accounts.close()


def _accounts(desk: Desk, store: AccountStore, base: str = BASE, client: ProviderClient = CLIENT) -> Accounts:
    async def reach() -> str:
        await anyio.lowlevel.checkpoint()
        return base

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(desk))
    return Accounts(client, store, RING, reach, Endpoints(client, lambda: http))


def call_of(principal: Principal, **how: Any) -> Call:
    """A call, as far as accounts look at it."""
    given: dict[str, Any] = {"client": None, "era": "2026-07-28", **how}
    return Call(principal, "demo", "http", "v1", "tools/call", "whoami", {}, **given)


def secrets_of(account: Account) -> list[str]:
    """What must not be seen anywhere."""
    return [value for key, value in json.loads(account.as_json()).items() if key in ("access", "refresh")]
