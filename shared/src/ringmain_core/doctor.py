"""`doctor`: goes through settings, credentials, reachability and permissions, and says what to mend."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Collection

from ringmain_core.audit import AuditUnavailable
from ringmain_core.connector import AnyConnector, Check
from ringmain_core.cursors import Cursors
from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.accounts.opened import local_accounts
from ringmain_core.identity.issuers import Issuer
from ringmain_core.on_disk import (
    PolicyStore,
    audit_path,
    is_loopback,
    key_file,
    key_ring,
    opened_audit,
)
from ringmain_core.principal import LOCAL
from ringmain_core.secrets import Secrets
from ringmain_core.secrets.doctor import check_references
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings, CoreSettings

_FAILED = 1
_MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED "}


async def doctor(
    connector: AnyConnector,
    core: CoreSettings,
    settings: ConnectorSettings,
    secrets: Secrets,
    say: Callable[[str], None],
) -> int:
    """Go through all checks, say how each stands, and return the exit status."""
    failed = False
    async for check in _all_checks(connector, core, settings, secrets):
        say(f"{_MARKS[check.state]}  {check.what}: {check.detail}")
        if check.remedy:
            say(f"         → {check.remedy}")
        failed |= check.state == "failed"
    say("Something has to be mended first." if failed else "Ready.")
    return _FAILED if failed else 0


async def _all_checks(
    connector: AnyConnector, core: CoreSettings, settings: ConnectorSettings, secrets: Secrets
) -> AsyncIterator[Check]:
    yield Check(
        "version", "ok", f"{connector.distribution} {connector.version}, Python {sys.version.split()[0]}"
    )
    yield _policy_check(connector, core, secrets)
    async for check in check_references(secrets, core, settings):
        yield check
    issuers = _issuers(connector, core)
    yield _keys_check(core, issuers)
    async for check in _issuer_checks(connector, core, issuers):
        yield check
    yield _audit_check(connector, core)
    try:
        async with (
            local_accounts(connector, core, settings, key_ring(core)) as accounts,
            connector.connect(
                settings, Services(Cursors(os.urandom(32)), secrets=secrets, accounts=accounts)
            ) as upstream,
        ):
            async for check in connector.diagnose(upstream):
                yield check
    except ConfigurationError as error:
        yield Check("settings", "failed", str(error))


def _policy_check(connector: AnyConnector, core: CoreSettings, secrets: Secrets) -> Check:
    try:
        policy = PolicyStore(connector, core.policy, secrets).current
    except ConfigurationError as error:
        return Check("policy", "failed", str(error), "Mend the line; `policy check` says when it is right.")
    if core.policy is None:
        return Check(
            "policy", "ok", "no file; the local user may use everything, HTTP works on loopback only"
        )
    if LOCAL.id not in policy.agents:
        remedy = 'Add [[agents]] with id = "local" if this is started by a desktop client.'
        return Check("policy", "warning", f"{core.policy} has no agent 'local'", remedy)
    return Check("policy", "ok", f"{core.policy}: {len(policy.agents)} agents")


def _issuers(connector: AnyConnector, core: CoreSettings) -> Collection[Issuer]:
    """The issuers of the policy; none where it cannot be read, which is a finding of its own."""
    try:
        return PolicyStore(connector, core.policy).current.issuers.values()
    except ConfigurationError:
        return ()


async def _issuer_checks(
    connector: AnyConnector, core: CoreSettings, issuers: Collection[Issuer]
) -> AsyncIterator[Check]:
    if not issuers:
        return
    from ringmain_core.identity.checks import check_issuers

    async for check in check_issuers(connector, core, issuers):
        yield check


def _keys_check(core: CoreSettings, issuers: Collection[Issuer]) -> Check:
    count = len(key_file(core).keys())
    if count == 0 and not issuers and not is_loopback(core.host):
        return Check("keys", "failed", f"none, and {core.host} is not loopback", "Run `keys create AGENT`.")
    return Check("keys", "ok", f"{count} in {key_file(core).path}")


def _audit_check(connector: AnyConnector, core: CoreSettings) -> Check:
    if core.audit == "off":
        return Check("audit", "warning", "off: nothing that agents do is on record", "Unset RINGMAIN_AUDIT.")
    try:
        with opened_audit(connector, core) as audit:
            where = core.audit if core.audit in ("stdout", "stderr") else audit_path(connector, core)
            return Check("audit", "ok", f"{where}, {audit.stats.last_seq:,} records")
    except (AuditUnavailable, OSError, ValueError) as error:
        remedy = "Make RINGMAIN_STATE_DIR a folder this user may write, or set RINGMAIN_AUDIT=stderr."
        return Check("audit", "failed", str(error), remedy)
