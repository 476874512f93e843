"""The two histograms that OpenTelemetry's conventions for MCP give a server, for where OTLP takes metrics."""

import time
from typing import TYPE_CHECKING

from ringmain_core.call import Call
from ringmain_core.connector import AnyConnector
from ringmain_core.ending import Ending
from ringmain_core.telemetry.families import SECONDS
from ringmain_core.telemetry.names import LISTEN, Names
from ringmain_core.telemetry.tracing import common_attributes, error_attributes

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter


class Durations:
    """Measures calls, and the sessions of the protocol's revisions that have them."""

    def __init__(self, meter: "Meter", connector: AnyConnector) -> None:
        self._names = Names(connector)
        self._operations = meter.create_histogram(
            "mcp.server.operation.duration",
            "s",
            "Time from a request's arrival to its answer.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self._sessions = meter.create_histogram(
            "mcp.server.session.duration",
            "s",
            "How long clients stayed.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )

    def begin(self, call: Call) -> None:
        """A call has come in."""

    def end(self, call: Call, ending: Ending, seconds: float, answer_bytes: int | None) -> None:  # noqa: ARG002
        """A call has ended, after so many seconds."""
        method, target = self._names.method(call), self._names.target(call)
        if method == LISTEN:
            return
        attributes = common_attributes(call, method, target)
        if ending.is_failure:
            attributes |= error_attributes(ending)
        self._operations.record(seconds, attributes)
        if method == "initialize" and not ending.is_failure:
            self._await_end(call)

    def _await_end(self, call: Call) -> None:
        # Middleware is told to leave clean-up with the connection, but only the session knows it.
        connection = call.client._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        if call.transport == "http" and connection.session_id is None:
            return  # served without sessions: the connection ends with this request
        attributes = {
            "mcp.protocol.version": connection.protocol_version,
            "network.transport": "pipe" if call.transport == "stdio" else "tcp",
        }
        connection.exit_stack.callback(
            lambda: self._sessions.record(time.monotonic() - call.started, attributes)
        )
