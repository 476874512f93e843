"""What is heard is trusted only where nobody else can have heard it instead."""

import pytest
from pydantic import SecretStr

from ringmain_core.cursors import Cursors
from ringmain_core.services import Services
from ringmain_core.state.local import LocalState
from ringmain_slack.api import connect
from ringmain_slack.settings import SlackSettings

pytestmark = pytest.mark.anyio


class Shared(LocalState):
    """What replicas have."""

    shared = True


@pytest.mark.parametrize("state", [LocalState(), Shared()])
async def test_replicas_never_trust_what_they_hear(state: LocalState) -> None:
    settings = SlackSettings(token=SecretStr("xoxb-1"), app_token=SecretStr("xapp-1"))
    async with connect(settings, Services(Cursors(b"0" * 32), state=state)) as slack:
        assert slack.ears.may_be_alone == (not state.shared)
