"""The README names the scopes that the tools need, all of them and no others."""

import re

from contract.readmes import readme_of, section
from ringmain_slack.permissions import every_scope

_SCOPE = re.compile(r"`([a-z]+:[a-z]+(?:\.[a-z]+)?)`")
_NARROWER = {"search:read.public"}
_OF_THE_APP = {"connections:write"}


def test_the_scopes_are_those_that_the_tools_need() -> None:
    named = set(_SCOPE.findall(section(readme_of("slack"), "Credentials")))
    needed = {*every_scope(is_bot=True), *every_scope(is_bot=False)}
    assert named - _NARROWER - _OF_THE_APP == needed
