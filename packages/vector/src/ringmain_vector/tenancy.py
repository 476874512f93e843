"""Whose passages a caller sees: said by who calls, never by an argument."""

from collections.abc import Sequence
from typing import get_args

from ringmain_core.call import Call
from ringmain_core.errors import ConfigurationError, UpstreamRefused
from ringmain_core.principal import LOCAL, AuthMethod, Principal
from ringmain_vector.domain import NOBODY
from ringmain_vector.settings import VectorSettings

_CLAIM = "claim:"  # what tenants begin with that a token's claim says
_METHODS = tuple(f"{method}:" for method in get_args(AuthMethod))
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
    return tenant_named(found, settings)


def tenant_named(given: str, settings: VectorSettings) -> str:
    """The tenant that an operator means: by the claim's value, or by an agent's id as the audit spells it.

    An id with a `/` is of somebody with a token. `api_key:<id>` and `jwt:<id>` say it outright.
    """
    if settings.tenants == "off":
        return NOBODY
    if settings.tenants == "claim":
        return _CLAIM + given
    if given.startswith(_METHODS):
        return given
    if given == LOCAL.id:
        return LOCAL.owner
    return Principal(given, "jwt" if "/" in given else "api_key").owner


def names_of(tenant: str, settings: VectorSettings) -> Sequence[str]:
    """All that `tenant_named` takes for a tenant."""
    candidates = (tenant, tenant.partition(":")[2])
    return [one for one in candidates if tenant_named(one, settings) == tenant]


def tenant_to_fill(given: str | None, settings: VectorSettings) -> str:
    """The tenant whose passages a command takes in.

    Raises:
        ConfigurationError: Where nobody would see them, or none can be named.
    """
    if settings.tenants == "off":
        if given is not None:
            raise ConfigurationError("--tenant: RINGMAIN_VECTOR_TENANTS is off, so there are no tenants.")
        return NOBODY
    if not given:
        who = (
            f"the value of the claim `{settings.tenant_claim}`"
            if settings.tenants == "claim"
            else "an agent's id"
        )
        raise ConfigurationError(
            f"Say with --tenant whose the files are: {who}. RINGMAIN_VECTOR_TENANTS is {settings.tenants}."
        )
    return tenant_named(given, settings)
