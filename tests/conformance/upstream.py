"""What stands behind the conformance fixture: nothing but a bus of events."""

from mcp.server.subscriptions import InMemorySubscriptionBus

from ringmain_core.arguments import Upstream


class Everything(Upstream):
    """The fixture's client."""

    def __init__(self) -> None:
        self.bus = InMemorySubscriptionBus()
