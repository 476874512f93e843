import json
from typing import Any

import pytest

from ringmain_core import cli
from ringmain_core.adapters import DIALECTS
from unit.core.adapters.subsets import faults_of
from unit.core.demo import connector


def functions(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert cli.run(connector, ["tools", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("logging_as_before")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_tools_are_printed_as_a_request_wants_them(dialect: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = functions(capsys, "--format", dialect)
    assert faults_of(dialect, shown) == []
    assert '"echo"' in json.dumps(shown)


@pytest.mark.usefixtures("logging_as_before")
def test_each_version_of_the_api_has_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    for version, argument in (("v1", "n"), ("v2", "limit")):
        shown = functions(capsys, "--format", "anthropic", "--api", version)
        (count,) = [tool for tool in shown if tool["name"] == "count"]
        assert list(count["input_schema"]["properties"]) == [argument]


def test_a_format_that_does_not_exist_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.run(connector, ["tools", "--format", "mistral"])
    assert end.value.code == 2
    said = capsys.readouterr().err
    for dialect in DIALECTS:
        assert dialect in said
