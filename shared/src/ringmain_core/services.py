"""What the process gives a connector to work with."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ringmain_core.cursors import Cursors
from ringmain_core.secrets import Secrets
from ringmain_core.state import State
from ringmain_core.state.local import LocalState
from ringmain_core.upstream.guards import Guards

if TYPE_CHECKING:
    from ringmain_core.identity.accounts.accounts import Accounts


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to `Connector.connect`, once for the process.

    Attributes:
        cursors: Seals list positions.
        state: What replicas agree on; what is put there is sealed, or says nothing.
        secrets: Those that are kept elsewhere. After a refused login, `await secrets.refresh()` and try once
            more where the secret has changed.
        guards: Makes the guards that stand around calls to what is behind the connector.
        accounts: Of callers at the connector's provider; `None` where `Connector.provider` has none.
    """

    cursors: Cursors
    state: State = field(default_factory=LocalState)
    secrets: Secrets = field(default_factory=Secrets)
    accounts: "Accounts | None" = None
    guards: Guards = field(default_factory=Guards)
