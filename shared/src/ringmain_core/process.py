"""The process around a server: one transport runs until it is told to stop."""

import asyncio
import gc
import logging
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from typing import Any

from ringmain_core.assembly import assembled
from ringmain_core.connector import AnyConnector
from ringmain_core.errors import ConfigurationError
from ringmain_core.identity.api_keys import ApiKeys
from ringmain_core.last_resort import GONE_WITHIN, exit_after
from ringmain_core.on_disk import PolicyStore, is_loopback, key_file
from ringmain_core.principal import LOCAL
from ringmain_core.secrets import Secrets
from ringmain_core.settings import ConnectorSettings, CoreSettings

_log = logging.getLogger(__name__)

_FOR_THREADS = 2.0  # seconds that they have once everything is closed
_COLLECT_AFTER = (5_000, 20, 100)


def run_stdio(
    connector: AnyConnector, core: CoreSettings, settings: ConnectorSettings, secrets: Secrets
) -> None:
    """Serve the client that started this process."""
    from ringmain_core.transport.stdio import run_stdio as serve

    if core.audit == "stdout":
        raise ConfigurationError(
            "RINGMAIN_AUDIT=stdout would break the protocol on stdio; use stderr or a file."
        )
    policies = PolicyStore(connector, core.policy, secrets)
    if LOCAL.id not in policies.current.agents:
        _log.warning("the policy has no agent %r: whoever uses this over stdio sees nothing", LOCAL.id)
    hangup = [policies.reload]

    async def main() -> None:
        async with assembled(connector, core, settings, secrets, policies, local=LOCAL) as parts:
            hangup.append(parts.server.live.policy_changed)
            await serve(parts.server, core.max_body_bytes)

    _run(main(), on_hangup=hangup)


def run_http(
    connector: AnyConnector,
    core: CoreSettings,
    settings: ConnectorSettings,
    secrets: Secrets,
    say: Callable[[str], None],
) -> None:
    """Serve over HTTP until told to stop.

    Raises:
        ConfigurationError: Where nobody could authenticate, on any address but loopback.
    """
    from ringmain_core.identity.credentials import Credentials
    from ringmain_core.identity.jwt import Tokens
    from ringmain_core.telemetry.scraping import metrics_port
    from ringmain_core.transport.http import HttpApp, listen, serve_http
    from ringmain_core.workers import become_worker, check_workers

    if core.workers > 1:
        check_workers(core)
    policies = PolicyStore(connector, core.policy, secrets)
    keys = ApiKeys(key_file(core))
    _require_authentication(core, policies, keys, say)
    tokens = Tokens(lambda: policies.current)
    credentials = Credentials(keys, tokens, lambda: policies.current)
    hangup = [policies.reload]

    with ExitStack() as stack:
        # Sockets and folders that workers share; everything else each of them opens for itself.
        metrics = stack.enter_context(metrics_port(core))
        listener = stack.enter_context(listen(core))
        if metrics is not None:
            say(metrics.url)
        announce = say
        if core.workers > 1:
            announce = become_worker(core.workers, listener, on_hangup=policies.reload, say=say)

        async def main() -> None:
            async with assembled(
                connector, core, settings, secrets, policies, listener=listener, metrics=metrics
            ) as parts:
                hangup.append(parts.server.live.policy_changed)
                app = HttpApp(
                    connector,
                    parts.server,
                    parts.upstream,
                    core,
                    authenticate=credentials.recognise,
                    record=parts.record_unserved,
                    audit_healthy=lambda: parts.audit.stats.healthy,
                    trouble=parts.state.trouble,
                    policy=lambda: policies.current,
                    pages=parts.pages,
                )
                async with tokens, parts.telemetry.served():
                    await serve_http(app, core, listener, announce=announce)

        _run(main(), on_hangup=hangup, http=True)


def _require_authentication(
    core: CoreSettings, policies: PolicyStore, keys: ApiKeys, say: Callable[[str], None]
) -> None:
    from ringmain_core.transport.metadata import require_public_url

    issuers = policies.current.issuers.values()
    nobody = keys.is_empty(policies.current) and not issuers
    if not is_loopback(core.host):
        require_public_url(core, issuers)
        if core.policy is None:
            raise ConfigurationError(
                f"{core.host} can be reached from elsewhere, and there is no policy. Set RINGMAIN_POLICY to "
                "a policy file that names the agents, or listen on 127.0.0.1."
            )
        if nobody:
            raise ConfigurationError(
                f"{core.host} can be reached from elsewhere, and no agent has a key. Make one with "
                "`keys create AGENT`, name an issuer of tokens in the policy, or listen on 127.0.0.1."
            )
    elif nobody and core.policy is None:
        key, stored = key_file(core).create(LOCAL.id)
        say(f"API key {stored.id}, made just now and shown only this once: {key}")
    elif nobody:
        say("No agent has an API key yet, so nobody can call: make one with `keys create AGENT`.")


def _run(
    main: Coroutine[Any, Any, None], *, on_hangup: Sequence[Callable[[], None]], http: bool = False
) -> None:
    """Run until done; SIGTERM ends it in order, so that what was opened is closed."""
    # What was imported and built lives as long as the process: the collector need not look at it again.
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    gc.enable()

    def hang_up() -> None:
        for each in on_hangup:
            each()

    async def until_told() -> threading.Timer:
        task = asyncio.ensure_future(main)

        def stop() -> None:
            exit_after(GONE_WITHIN, 1, "what it has opened does not close")
            task.cancel()

        if sys.platform != "win32":
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hang_up)
            if not http:  # uvicorn handles it by itself
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        try:
            await task
        except asyncio.CancelledError:
            _log.info("stopped")
        return exit_after(_FOR_THREADS, 0, "all is closed, but a thread hangs")

    if sys.platform != "win32":
        import uvloop

        uvloop.run(until_told()).cancel()
    else:
        asyncio.run(until_told()).cancel()
