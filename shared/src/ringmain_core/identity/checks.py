"""What `doctor` looks at of the issuers: can their keys be had, and will clients get tokens."""

from collections.abc import AsyncIterator, Collection

from ringmain_core.connector import AnyConnector, Check
from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.fetching import Unfetchable
from ringmain_core.identity.issuers import Issuer
from ringmain_core.identity.signing_keys import fetcher, keys_of, metadata_of
from ringmain_core.settings import CoreSettings
from ringmain_core.transport.metadata import require_public_url


async def check_issuers(
    connector: AnyConnector, core: CoreSettings, issuers: Collection[Issuer]
) -> AsyncIterator[Check]:
    """Ask every issuer for its keys and metadata, as a server and its clients do."""
    try:
        require_public_url(core, issuers)
    except ConfigurationError as error:
        yield Check("public address", "failed", str(error))
    for issuer in issuers:
        what = f"issuer {issuer.name}"
        try:
            keys = await keys_of(issuer, fetcher(issuer))
        except Unfetchable as error:
            remedy = "Mend `issuer` or `jwks_uri` in the policy file, or the network between."
            yield Check(what, "failed", str(error), remedy)
            continue
        usable = [key for key in keys if key.algorithms & set(issuer.algorithms)]
        if not usable:
            detail = f"{issuer.issuer} publishes no key for {', '.join(issuer.algorithms)}"
            yield Check(what, "failed", detail, "Set its `algorithms` in the policy file.")
            continue
        audience = ", ".join(issuer.audience)
        yield Check(what, "ok", f"{issuer.issuer}, {len(usable)} keys; takes tokens for {audience}")
        if issuer.scopes:
            yield await _check_scopes(connector, issuer)


async def _check_scopes(connector: AnyConnector, issuer: Issuer) -> Check:
    what = f"scopes of {issuer.name}"
    try:
        metadata = await metadata_of(issuer, fetcher(issuer))
    except Unfetchable as error:
        return Check(what, "warning", f"not known: {error}", "Clients find out by that where to get tokens.")
    offered = metadata.get("scopes_supported")
    wanted = sorted({f"{connector.name}:{declared.access}" for declared in connector.declarations()})
    missing = [scope for scope in wanted if isinstance(offered, list) and scope not in offered]
    if not missing:
        return Check(what, "ok", ", ".join(wanted))
    remedy = "Add them there, or set `scopes = false` for this issuer: then roles alone decide."
    return Check(what, "warning", f"it does not list {', '.join(missing)}", remedy)
