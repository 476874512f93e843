"""Whose credential this is: an API key, or an access token."""

from collections.abc import Callable

from ringmain_core.identity.api_keys import ApiKeys
from ringmain_core.identity.jwt import Tokens
from ringmain_core.identity.token import looks_like_token
from ringmain_core.policy import Policy
from ringmain_core.principal import Principal
from ringmain_core.refusals import InvalidToken


class Credentials:
    """Recognises what callers send. Without issuers in the policy, everything is an API key."""

    def __init__(self, keys: ApiKeys, tokens: Tokens, policy: Callable[[], Policy]) -> None:
        self._keys = keys
        self._tokens = tokens
        self._policy = policy

    async def recognise(self, credential: str) -> Principal | None:
        """Whose credential it is, `None` for an API key that is nobody's.

        Raises:
            InvalidToken, IdentityUnavailable: As `Tokens.recognise` does.
        """
        policy = self._policy()
        if not policy.issuers or not looks_like_token(credential):
            return self._keys.recognise(credential, policy)
        try:
            return await self._tokens.recognise(credential)
        except InvalidToken:
            known = self._keys.recognise(credential, policy)  # an operator's own key may look like anything
            if known is None:
                raise
            return known
