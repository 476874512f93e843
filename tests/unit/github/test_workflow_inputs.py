"""What a workflow's file declares is read where it is plain, and left alone where it is not."""

import pytest

from ringmain_core.errors import InvalidArguments
from ringmain_github.workflow_inputs import Input, inputs_of, require_fitting

FULL = """\
# comment
name: Deploy
"on":
  push:
    branches: [main]
  workflow_dispatch:
    inputs:
      # where
      target:
        description: |
          Where to: anywhere
            indented
        required: true
        type: choice
        options:
          - staging # first
          - "production"
      'level':
        required: true
        default: info   # never missing
      dry-run:
        type: boolean
      size: {}
jobs:
  x: 1
"""


def test_names_needs_and_options_are_read() -> None:
    assert inputs_of(FULL) == {
        "target": Input(required=True, options=["staging", "production"]),
        "level": Input(required=False, options=[]),
        "dry-run": Input(required=False, options=[]),
        "size": Input(required=False, options=[]),
    }


@pytest.mark.parametrize(
    "text",
    [
        "on: workflow_dispatch\n",
        "on: [push, workflow_dispatch]\n",
        "on:\n- push\n- workflow_dispatch\n",
        "on:\n  - workflow_dispatch\n",
        "on:\n  workflow_dispatch:\n  push:\n",
        "on:\n  workflow_dispatch: {}\n",
        "on:\n  workflow_dispatch:\n    inputs: {}\n",
    ],
)
def test_a_trigger_without_inputs_declares_none(text: str) -> None:
    assert inputs_of(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no yaml at all",
        "name: x\n",
        "on: push\n",
        "on: {workflow_dispatch: {inputs: {a: {}}}}\n",
        "on:\n  workflow_dispatch: &anchor\n    inputs:\n",
        "on:\n  workflow_dispatch:\n    inputs: {a: {required: true}}\n",
        "on:\n  workflow_dispatch:\n    inputs:\n      a: *other\n",
        "on:\n  workflow_dispatch:\n    inputs:\n      <<: *other\n",
        "on:\n  workflow_dispatch:\n    inputs:\n      ? a\n      : b\n",
    ],
)
def test_what_is_written_in_another_way_is_not_judged(text: str) -> None:
    assert inputs_of(text) is None


def test_inputs_that_do_not_fit_are_named_all_at_once() -> None:
    declared = inputs_of(FULL)
    assert declared is not None
    require_fitting({"target": "staging"}, declared)
    with pytest.raises(InvalidArguments) as caught:
        require_fitting({"target": "moon", "colour": "red"}, declared)
    assert caught.value.message == (
        "`inputs`: the workflow declares `target`, `level`, `dry-run`, `size`; `colour` is none of them; "
        "`target` takes one of staging, production."
    )


@pytest.mark.parametrize(
    ("options", "read"),
    [
        ("[dev,\n          prod]", []),
        ('["a, b", c]', []),
        ("*environments", []),
        ("[dev, prod] # pick", ["dev", "prod"]),
        ("\n          # pick\n          - 'x: y'\n          - it's", ["x: y", "it's"]),
    ],
)
def test_options_are_checked_where_they_can_be_read_with_certainty(options: str, read: list[str]) -> None:
    text = (
        "on:\n  workflow_dispatch:\n    inputs:\n      env:\n        type: choice\n"
        f"        options: {options}\njobs: {{}}\n"
    )
    declared = inputs_of(text)
    assert declared is not None
    assert declared["env"].options == read
