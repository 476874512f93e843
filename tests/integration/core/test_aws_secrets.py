"""References into AWS Secrets Manager, against moto's server."""

import importlib
import json
import logging
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from ringmain_core.log import set_up_logging
from ringmain_core.secrets import Secrets, Unresolved
from standins.moto import running_moto

pytestmark = pytest.mark.anyio
URL = "postgresql://ann:hunter2@db.example.com/shop"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def address() -> Generator[str]:
    with running_moto() as at:
        yield at


@pytest.fixture(autouse=True)
def credentials(address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("RINGMAIN_AWS_ENDPOINT", address)
    monkeypatch.setenv("RINGMAIN_AWS_REGION", "eu-west-1")


@pytest.fixture
def aws(address: str) -> Iterator[Any]:
    boto3: Any = importlib.import_module("boto3")  # it ships no types
    client = boto3.client("secretsmanager", region_name="eu-west-1", endpoint_url=address)
    yield client
    for secret in client.list_secrets()["SecretList"]:
        client.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)
    client.close()


def failure_of(reference: str, secrets: Secrets | None = None) -> str:
    with pytest.raises(Unresolved) as caught:
        (secrets or Secrets()).open(reference)
    return str(caught.value).removeprefix(f"{reference}: ")


def test_a_secret_is_a_text_or_a_key_of_a_json_object(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = json.dumps({"url": URL, "port": 5432})
    aws.create_secret(Name="prod/token", SecretString="hunter2-hunter2")
    arn = aws.create_secret(Name="prod/db", SecretString=pair)["ARN"]
    references = ["aws-sm:prod/token", "aws-sm:prod/db", "aws-sm:prod/db#url", f"aws-sm:{arn}#url"]
    secrets = Secrets()
    found = [secrets.open(reference).get_secret_value() for reference in references]
    assert found == ["hunter2-hunter2", pair, URL, URL]
    monkeypatch.delenv("RINGMAIN_AWS_REGION")  # an ARN says its region
    assert Secrets().open(f"aws-sm:{arn}#url").get_secret_value() == URL


async def test_a_rotated_secret_is_found(aws: Any) -> None:
    aws.create_secret(Name="db", SecretString=json.dumps({"url": "the first"}))
    clock = Clock()
    secrets = Secrets(clock)
    secret = secrets.open("aws-sm:db#url")
    assert not await secrets.refresh()
    aws.put_secret_value(SecretId="db", SecretString=json.dumps({"url": "the second"}))
    clock.now += 10
    assert await secrets.refresh()
    assert secret.get_secret_value() == "the second"


def test_what_is_not_there_is_said(aws: Any) -> None:
    aws.create_secret(Name="text", SecretString="hunter2-hunter2")
    aws.create_secret(Name="object", SecretString=json.dumps({"port": 5432}))
    aws.create_secret(Name="binary", SecretBinary=b"hunter2")
    aws.create_secret(Name="going", SecretString="hunter2-hunter2")
    aws.delete_secret(SecretId="going", RecoveryWindowInDays=7)
    references = ["none", "text#key", "object#url", "object#port", "binary", "going"]
    secrets = Secrets()
    assert {reference: failure_of(f"aws-sm:{reference}", secrets) for reference in references} == {
        "none": "AWS Secrets Manager has no such secret",
        "text#key": "what is there is not a JSON object; leave `#key` out to have all of it",
        "object#url": "what is there has no 'url'",
        "object#port": "what is there is not a text",
        "binary": "it is binary; keep it as a text",
        "going": "the secret is marked for deletion",
    }


def test_what_is_missing_to_reach_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGMAIN_AWS_ENDPOINT", "http://127.0.0.1:1")
    assert failure_of("aws-sm:db") == "AWS Secrets Manager cannot be reached (EndpointConnectionError)"
    monkeypatch.setenv("RINGMAIN_AWS_ENDPOINT", "http://aws.example.com")
    assert failure_of("aws-sm:db") == (
        "RINGMAIN_AWS_ENDPOINT: http:// is for this machine only; use https://"
    )
    monkeypatch.delenv("RINGMAIN_AWS_ENDPOINT")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert failure_of("aws-sm:db") == "AWS' library finds no credentials"
    monkeypatch.delenv("RINGMAIN_AWS_REGION")
    assert failure_of("aws-sm:db") == "AWS wants a region: set RINGMAIN_AWS_REGION"


def test_the_library_logs_no_secret_at_any_level(aws: Any, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        set_up_logging("debug", "text", ())
        aws.create_secret(Name="db", SecretString="hunter2-hunter2")
        Secrets().open("aws-sm:db")
        assert "hunter2" not in capsys.readouterr().err
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:], root.level = handlers, level
