from typing import Annotated

import pytest
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from ringmain_core.identity.api_keys import hash_key
from ringmain_core.secrets import Secrets
from ringmain_core.secrets.agent_keys import agent_key

KEY = "rm_0a1b2c3d_" + "x" * 43


class Agent(BaseModel):
    key: Annotated[str | None, BeforeValidator(agent_key), Field(pattern=r"^sha256:[0-9a-f]{64}$")] = None


def read(key: str) -> str | None:
    with Secrets().reading():
        return Agent(key=key).key


def fault(key: str) -> str:
    with pytest.raises(ValidationError) as caught:
        read(key)
    return caught.value.errors(include_input=False)[0]["msg"]


def test_a_key_is_given_by_its_hash_or_by_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ITSELF", KEY)
    monkeypatch.setenv("ITS_HASH", hash_key(KEY))
    assert [read(text) for text in (hash_key(KEY), "env:ITSELF", "env:ITS_HASH")] == [hash_key(KEY)] * 3
    assert Agent().key is None


def test_a_key_in_the_clear_a_short_one_and_one_that_is_not_there_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHORT", "hunter2")
    assert [fault(text) for text in (KEY, f"value:{KEY}", "env:SHORT", "env:NOWHERE")] == [
        "String should match pattern '^sha256:[0-9a-f]{64}$'",
        "String should match pattern '^sha256:[0-9a-f]{64}$'",
        "env:SHORT: a key has at least 32 characters",
        "env:NOWHERE: no such variable is set",
    ]


def test_outside_of_the_reading_of_the_policy_no_reference_is_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ITSELF", KEY)
    with pytest.raises(ValidationError, match="env:ITSELF cannot be followed here"):
        Agent(key="env:ITSELF")
