"""The README says which permissions each tool needs."""

import re

from contract.readmes import readme_of, section
from ringmain_github.permissions import NEEDS

_ROW = re.compile(r"^\| ([a-z ]+: (?:read|write)(?:, [a-z ]+: (?:read|write))*) \| (.+) \|$", re.MULTILINE)
_SPELLED = {"statuses": "commit statuses"}
_BELOW_WORKFLOWS = "workflows: write"  # of `commit_files`, for some files only
_EVERYTHING = "metadata: read"


def test_the_permissions_are_those_that_the_tools_need() -> None:
    said: dict[str, set[str]] = {}
    for permissions, tools in _ROW.findall(section(readme_of("github"), "Credentials")):
        for tool in set(re.findall(r"`(\w+)`", tools)) & NEEDS.keys():
            said.setdefault(tool, set()).update(permissions.split(", "))
    needed = {
        tool: {f"{_SPELLED.get(name, name.replace('_', ' '))}: {level}" for name, level in needs.items()}
        for tool, needs in NEEDS.items()
    }
    for tool, permissions in needed.items():
        assert said.get(tool, set()) - {_BELOW_WORKFLOWS} == permissions - {_EVERYTHING}, tool
