"""LangGraph, in the environment that `make .venv-langgraph/.installed` makes."""

import os
import subprocess
from pathlib import Path

import pytest

from contract.discover import ROOT
from e2e.frameworks.script import ANSWER

PYTHON = ROOT / ".venv-langgraph" / "bin" / "python"


@pytest.mark.skipif(
    not PYTHON.exists(), reason="LangGraph is not installed: run `make .venv-langgraph/.installed`"
)
def test_a_graph_of_langgraph_answers_from_the_database(transport: str) -> None:
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("play_langgraph.py"), transport],
        env=dict(os.environ) | {"LANGSMITH_TRACING": "false"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ANSWER), done.stderr
