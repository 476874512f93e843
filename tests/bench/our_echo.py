"""The same echo tool as a connector, with every gate (`python -m bench.our_echo [serve]`)."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ringmain_core.arguments import Upstream
from ringmain_core.cli import run
from ringmain_core.connector import Check, Connector
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings
from ringmain_core.tooling import tool


class Echo(Upstream):
    """There is nothing behind it."""


@tool(access="read", title="Echo")
async def echo(text: str) -> str:
    """Return the text."""
    return text


class _EchoConnector(Connector[ConnectorSettings, Echo]):
    @property
    def version(self) -> str:  # it is no distribution that could be asked
        return "1.0"


@asynccontextmanager
async def _connect(_: ConnectorSettings, __: Services) -> AsyncGenerator[Echo]:
    yield Echo()


async def _ready(_: Echo) -> None:
    return


async def _diagnose(_: Echo) -> AsyncGenerator[Check]:
    yield Check("echo", "ok", "it is always well")


connector = _EchoConnector(
    name="echo",
    title="Echo",
    instructions="For measurements only.",
    settings=ConnectorSettings,
    connect=_connect,
    ready=_ready,
    diagnose=_diagnose,
    tools=(echo,),
)

if __name__ == "__main__":
    sys.exit(run(connector))
