"""The READMEs are true: what they name exists, and what they quote is in the code.

`integration/test_readmes.py` calls their examples.
"""

import json
import re
import tomllib
from pathlib import Path

import pytest

from contract.discover import ROOT, connectors, package_of
from contract.readmes import (
    CORE,
    LEFT_OUT,
    anchors,
    blocks,
    examples,
    is_enough,
    links,
    messages,
    parts,
    readme_of,
    said_by,
    section,
)
from ringmain_core.cli import run
from ringmain_core.policy_file import parse_policy
from ringmain_core.secrets.settings import AwsSettings, VaultSettings
from ringmain_core.settings import CoreSettings
from ringmain_core.versions import LATEST

NAMES = sorted(connectors())
READMES = sorted(
    path
    for path in ROOT.rglob("README.md")
    if not any(part == "node_modules" or part.startswith(".") for part in path.relative_to(ROOT).parts)
)
MOST_LINES = 300
_VARIABLE = re.compile(r"RINGMAIN_[A-Z0-9_]*[A-Z0-9]")


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_name_tools_and_arguments_that_there_are(name: str) -> None:
    tools = connectors()[name].views[LATEST].tools_by_name
    every = examples(readme_of(name))
    assert len(every) >= 3
    for example in every:
        assert set(example.arguments) <= set(tools[example.tool].arguments.names), example.tool
        assert example.answer.replace(LEFT_OUT, "").strip(), example.tool


@pytest.mark.parametrize("name", NAMES)
def test_every_message_that_is_explained_is_in_the_code(name: str) -> None:
    said = (*said_by(package_of(name)), *said_by(CORE))
    explained = messages(readme_of(name))
    assert len(explained) >= 8
    vague = [message for message in explained if not is_enough(message)]
    assert vague == []
    strange = [
        (message, part)
        for message in explained
        for part in parts(message)
        if not any(part in text for text in said)
    ]
    assert strange == []


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_that_is_named_exists(name: str) -> None:
    kinds = (CoreSettings, VaultSettings, AwsSettings, connectors()[name].settings)
    known = {
        f"{kind.model_config.get('env_prefix', '')}{field}".upper()
        for kind in kinds
        for field in kind.model_fields
    }
    assert set(_VARIABLE.findall(readme_of(name))) - known == set()


@pytest.mark.parametrize("name", NAMES)
def test_policies_and_settings_that_are_shown_are_accepted(name: str) -> None:
    connector = connectors()[name]
    shown = blocks(readme_of(name), "toml")
    policies = [text for text in shown if "roles" in tomllib.loads(text)]
    assert policies
    for text in policies:
        parse_policy(text, "README.md", connector.vocabulary())
    for text in blocks(readme_of(name), "json"):
        (entry,) = json.loads(text)["mcpServers"].values()
        assert entry["args"][0] == connector.distribution


@pytest.mark.parametrize("name", NAMES)
def test_every_command_that_is_shown_is_there(name: str) -> None:
    connector = connectors()[name]
    shown = set(re.findall(rf"{connector.distribution} ([a-z]+)", readme_of(name)))
    assert {"doctor", "serve"} <= shown
    for command in shown:
        with pytest.raises(SystemExit) as ended:
            run(connector, [command, "--help"])
        assert ended.value.code == 0, command


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(readme: Path) -> None:
    for link in links(readme.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = readme.parent / path if path else readme
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_targets_that_are_named_are_there(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|shared|packages|compose)/[\w./-]+)(?:::\w+)?`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []
    targets = set(
        re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert set(re.findall(r"(?:`|\$ )make ([a-z-]+)", text)) <= targets


@pytest.mark.parametrize("name", NAMES)
def test_a_readme_has_what_a_newcomer_needs_and_is_short_enough_to_be_read(name: str) -> None:
    text = readme_of(name)
    for title in ("Tools", "Examples", "Credentials", "Settings", "Troubleshooting"):
        assert section(text, title).strip()
    assert len(text.splitlines()) <= MOST_LINES
