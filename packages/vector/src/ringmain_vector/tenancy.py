"""Whose passages a caller sees: said by who calls, never by an argument."""

from ringmain_core.call import Call
from ringmain_core.errors import UpstreamRefused
from ringmain_vector.domain import NOBODY
from ringmain_vector.settings import VectorSettings

CLAIM = "claim:"
"""What tenants begin with that a token's claim says."""

_MOST = 200


def tenant_of(call: Call, settings: VectorSettings) -> str:
    """The tenant of a caller.

    Raises:
        UpstreamRefused: Where the caller's token does not say.
    """
    if settings.tenants == "off":
        return NOBODY
    if settings.tenants == "agent":
        return call.principal.owner
    found = call.principal.claims.get(settings.tenant_claim)
    if not isinstance(found, str) or not 0 < len(found) <= _MOST:
        raise UpstreamRefused(
            f"Your token has no `{settings.tenant_claim}`, which says whose passages you may see."
        )
    return CLAIM + found
