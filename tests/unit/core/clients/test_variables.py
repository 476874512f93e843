from typing import Annotated

import pytest
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ringmain_core.clients.variables import given, harmless, refers, secrets_for, settings_of
from ringmain_core.errors import ConfigurationError
from ringmain_core.secrets import Secret
from ringmain_core.settings import AccountsAt, ConnectorSettings, CoreSettings


class Sample(ConnectorSettings):
    model_config = SettingsConfigDict(env_prefix="RINGMAIN_SAMPLE_")

    url: Annotated[Secret | None, Field(description="Where it is.")] = None
    token: Annotated[Secret | None, Field(description="A token.")] = None
    tokens: dict[str, Secret] = Field(default_factory=dict, description="Several.")
    store: AccountsAt = "sqlite"
    config: Annotated[str | None, Field(description="A file instead.")] = None
    limit: Annotated[int, Field(description="How many.")] = 3


KNOWN = settings_of(Sample, CoreSettings)
PREFIX = "RINGMAIN_SAMPLE_"


def test_settings_are_known_by_name_and_by_what_they_hold() -> None:
    kinds = {name.removeprefix(PREFIX): (one.secret, one.whole) for name, one in settings_of(Sample).items()}
    assert kinds == {
        "URL": (True, True),
        "TOKEN": (True, True),
        "TOKENS": (True, False),
        "STORE": (True, True),
        "CONFIG": (False, False),
        "LIMIT": (False, False),
    }
    assert KNOWN["RINGMAIN_WEBHOOKS"].whole is False
    assert KNOWN["RINGMAIN_SAMPLE_URL"].description == "Where it is."


@pytest.mark.parametrize(
    "line",
    [
        "RINGMAIN_SAMPLE_URL=file:/run/secrets/url",
        "RINGMAIN_SAMPLE_URL=vault:secret/db#url",
        'RINGMAIN_SAMPLE_TOKENS={"a": "file:/a", "b": "env:B"}',
        "RINGMAIN_SAMPLE_STORE=sqlite",
        "RINGMAIN_SAMPLE_STORE=edge:///home/ann/store",
        "RINGMAIN_SAMPLE_LIMIT=5",
        "HTTPS_PROXY=http://proxy:3128",
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318",
        "EMPTY=",
        "WITH_EQUALS=a=b",
    ],
)
def test_what_is_no_secret_may_stand_in_a_file(line: str) -> None:
    name, _, value = line.partition("=")
    assert given([line], KNOWN) == {name: value}


@pytest.mark.parametrize(
    "line",
    [
        "RINGMAIN_SAMPLE_URL=postgresql://ann:hunter2@db/shop",
        "RINGMAIN_SAMPLE_URL=postgresql://db/shop?password=hunter2",
        "RINGMAIN_SAMPLE_TOKEN=hunter2",
        "RINGMAIN_SAMPLE_TOKEN=value:env:X",
        "RINGMAIN_SAMPLE_TOKENS={}",
        'RINGMAIN_SAMPLE_TOKENS={"a": "file:/a", "b": "hunter2"}',
        'RINGMAIN_SAMPLE_TOKENS={"a": 5}',
        "RINGMAIN_SECRET_KEY=hunter2hunter2hunter2hunter2hunter2",
        "AWS_SECRET_ACCESS_KEY=hunter2",
        "GITHUB_TOKEN=hunter2",
        "HTTPS_PROXY=http://ann:hunter2@proxy:3128",
    ],
)
def test_secrets_are_refused_with_what_to_do_instead(line: str) -> None:
    name = line.partition("=")[0]
    with pytest.raises(ConfigurationError) as refused:
        given([line], KNOWN)
    assert str(refused.value) == (
        f"--env {name}: this is a secret, and clients keep their files in the open. Use `--secret {name}`, "
        f"or say where it is kept: `--env {name}=file:/path`, `vault:`, `aws-sm:`"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("RINGMAIN_SAMPLE_LIMTI=5", "there is no such setting; did you mean RINGMAIN_SAMPLE_LIMIT?"),
        ("RINGMAIN_XYZZY=5", "there is no such setting"),
        ("NAME", "--env takes NAME=VALUE"),
        ("=x", "--env takes NAME=VALUE"),
        ("A B=x", "--env takes NAME=VALUE"),
        ("A;B=x", "--env takes NAME=VALUE"),
        ("A" * 129 + "=x", "--env takes NAME=VALUE"),
        ("A=x\ny", "control characters"),
        ("A=x\x1b[0m", "control characters"),
        ("A=" + "x" * 9_000, "too long"),
    ],
)
def test_what_is_no_setting_is_refused(line: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        given([line], KNOWN)
    assert said in str(refused.value)


def test_references_are_told_from_secrets() -> None:
    assert [text for text in ("file:/a", "env:A", "aws-sm:x", '["file:/a"]') if not refers(text)] == []
    plain = ["", "x", "file:relative", "vault:x", '"file:/a"', "[]", "[1]", "env:", "value:x", "{"]
    assert [text for text in plain if refers(text)] == []
    assert harmless("memory:")
    assert not harmless("edge:///x?key=1")


def named(
    names: list[str], env: dict[str, str] | None = None, around: dict[str, str] | None = None
) -> list[str]:
    found = secrets_for(PREFIX, names, KNOWN, env or {}, around or {})
    return [one.name.removeprefix(PREFIX) for one in found]


def test_the_secrets_are_those_named_or_those_set_here_or_the_usual_one() -> None:
    assert named([]) == ["URL"]
    assert named([f"{PREFIX}TOKEN", f"{PREFIX}TOKEN"]) == ["TOKEN"]
    assert named([], around={f"{PREFIX}TOKEN": "x", "RINGMAIN_REDIS_URL": "y"}) == [
        "TOKEN",
        "RINGMAIN_REDIS_URL",
    ]
    assert named([], env={f"{PREFIX}TOKEN": "file:/x"}) == []
    assert named([f"{PREFIX}TOKEN"], env={f"{PREFIX}TOKEN": "file:/x"}) == []
    assert named([], env={f"{PREFIX}CONFIG": "/x.toml"}) == []
    assert named([], around={f"{PREFIX}CONFIG": "/x.toml"}) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (f"{PREFIX}LIMIT", "there is no such secret setting (there are RINGMAIN_SAMPLE_URL, "),
        ("NOPE", "there is no such secret setting"),
        (f"{PREFIX}TOKENS", "it holds several secrets. Say where each is kept"),
    ],
)
def test_what_is_no_secret_is_not_taken_for_one(name: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        named([name])
    assert said in str(refused.value)
