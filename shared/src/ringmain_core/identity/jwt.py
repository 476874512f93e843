"""Who a token stands for: this server as an OAuth 2.1 resource server."""

import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from ringmain_core.identity.issuers import Issuer
from ringmain_core.identity.key_cache import KeyCache
from ringmain_core.identity.signing_keys import Fetch, SigningKey, fetcher, keys_of
from ringmain_core.identity.token import LEEWAY, Expired, NotBelieved, Unverified, read_token, verify
from ringmain_core.policy import Policy
from ringmain_core.principal import Principal
from ringmain_core.refusals import InvalidToken

_MOST_REMEMBERED = 10_000
_SAID_AGAIN_AFTER = 10.0
_log = logging.getLogger(__name__)


def principal_of(issuer: Issuer, claims: Mapping[str, Any]) -> Principal:
    """The caller that a token with these claims stands for."""
    name = f"{issuer.name}/{claims['sub']}"
    return Principal(name, "jwt", issuer.kept(claims), issuer.scopes_in(claims))


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was believed: by whose word, until when, and as long as which key is trusted."""

    principal: Principal
    issuer: Issuer
    keys: KeyCache
    key: SigningKey
    until: float


class Tokens:
    """Recognises access tokens of the issuers that the policy in force trusts.

    What was verified is remembered by its hash until it expires. It is verified again after the policy has
    been read anew, and refused as soon as its issuer or its key is trusted no more.

    Args:
        policy: The policy in force at this moment.
        fetch: How to fetch what an issuer publishes.
        clock: Seconds, for ages.
        now: Seconds since 1970, for what tokens say.
    """

    def __init__(
        self,
        policy: Callable[[], Policy],
        *,
        fetch: Callable[[Issuer], Fetch] = fetcher,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._policy = policy
        self._fetch = fetch
        self._clock = clock
        self._now = now
        self._keys: dict[tuple[str, str | None], KeyCache] = {}
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._said: dict[tuple[str, str], float] = {}

    async def __aenter__(self) -> Self:
        """Begin to fetch the keys of every issuer, so that the first caller need not wait."""
        for issuer in self._policy().issuers.values():
            self._keys_of(issuer).refresh()
        return self

    async def __aexit__(self, *_: object) -> None:
        for keys in self._keys.values():
            await keys.close()

    async def recognise(self, token: str) -> Principal:
        """Who a token stands for; it waits only where keys have to be fetched.

        Raises:
            InvalidToken: Where it is not to be believed; the log has the reason.
            IdentityUnavailable: Where that cannot be found out now.
        """
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is not None:
            if self._holds(known):
                self._verified.move_to_end(digest)
                return known.principal
            del self._verified[digest]
        try:
            verified = await self._verify(token)
        except Expired as error:
            self._complain(error)
            raise InvalidToken("The access token has expired. Get a new one.") from None
        except NotBelieved as error:
            self._complain(error)
            raise InvalidToken(
                "The access token is not valid here. Get one for this server; the operator finds in the log "
                "what is wrong with it."
            ) from None
        self._verified[digest] = verified
        if len(self._verified) > _MOST_REMEMBERED:
            self._verified.popitem(last=False)
        return verified.principal

    def _holds(self, known: _Verified) -> bool:
        return (
            self._now() < known.until
            and self._policy().issuers.get(known.issuer.issuer) is known.issuer
            and known.keys.holds(known.key)
        )

    async def _verify(self, text: str) -> _Verified:
        token = read_token(text)
        issuer = self._policy().issuers.get(token.issuer)
        if issuer is None:
            raise NotBelieved("its `iss` is no issuer of the policy", token.issuer)
        try:
            return await self._verify_by(issuer, token)
        except NotBelieved as error:
            error.issuer = issuer.name
            raise

    async def _verify_by(self, issuer: Issuer, token: Unverified) -> _Verified:
        if token.algorithm not in issuer.algorithms:
            raise NotBelieved("its `alg` is not in the issuer's `algorithms`", token.algorithm)
        keys = self._keys_of(issuer)
        key = await keys.find(token.key_id, token.algorithm)
        if key is None:
            raise NotBelieved("its issuer publishes no such key, or several that fit", token.key_id)
        claims = verify(token, issuer, key)
        return _Verified(principal_of(issuer, claims), issuer, keys, key, claims["exp"] + LEEWAY)

    def _keys_of(self, issuer: Issuer) -> KeyCache:
        at = (issuer.issuer, issuer.jwks_uri)
        if at not in self._keys:
            trusted = {(other.issuer, other.jwks_uri) for other in self._policy().issuers.values()}
            self._keys = {where: keys for where, keys in self._keys.items() if where in trusted}
            fetch = partial(keys_of, issuer, self._fetch(issuer))
            self._keys[at] = KeyCache(issuer.name, fetch, self._clock)
        return self._keys[at]

    def _complain(self, error: NotBelieved) -> None:
        """Log why a token was refused, each reason now and then: strangers can send any number."""
        what = (error.issuer, error.reason)
        if self._clock() >= self._said.get(what, 0.0):
            self._said[what] = self._clock() + _SAID_AGAIN_AFTER
            whose = f" of issuer {error.issuer}" if error.issuer else ""
            said = "" if error.said is None else f": {str(error.said)[:200]!r}"
            _log.warning("a token%s is refused: %s%s", whose, error.reason, said)
