"""A connector in the process of the agent that uses it: no transport, and all the gates."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from mcp.client import Client

from ringmain_core.assembly import assembled
from ringmain_core.connector import AnyConnector
from ringmain_core.on_disk import PolicyStore
from ringmain_core.principal import LOCAL
from ringmain_core.secrets import Secrets
from ringmain_core.settings import CoreSettings, read_settings


@asynccontextmanager
async def in_process(connector: AnyConnector, **client: Any) -> AsyncGenerator[Client]:
    """A client of a connector that is served as over stdio: to the agent `local`, with everything on record.

    The settings come from the environment. Logging stays as the program has set it up.

    Args:
        connector: What is served.
        client: Options of `mcp.client.Client`, such as `elicitation_callback` to ask a person.

    Raises:
        ConfigurationError: Where some setting cannot be used.
    """
    secrets = Secrets()
    with secrets.reading():
        core = read_settings(CoreSettings)
        settings = read_settings(connector.settings)
        configured = connector.configured(settings)
    policies = PolicyStore(configured, core.policy, secrets)
    async with (
        assembled(configured, core, settings, secrets, policies, local=LOCAL) as parts,
        Client(parts.server, **client) as connected,
    ):
        yield connected
