"""The README says which scopes each tier asks for."""

import re

from contract.readmes import readme_of, section
from ringmain_gdrive.permissions import SCOPES

_ROW = re.compile(r"^\| `(\w+)`(?: \(default\))? \| (drive[\w., ]*) \|", re.MULTILINE)


def test_the_scopes_are_those_of_the_tiers() -> None:
    rows = _ROW.findall(section(readme_of("gdrive"), "Credentials"))
    assert {tier: tuple(scopes.split(", ")) for tier, scopes in rows} == SCOPES
