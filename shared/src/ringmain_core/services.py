"""What the process gives a connector to work with."""

from dataclasses import dataclass

from ringmain_core.cursors import Cursors


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to `Connector.connect`, once for the process.

    Attributes:
        cursors: Seals list positions.
    """

    cursors: Cursors
