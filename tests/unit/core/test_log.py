import asyncio
import json
import logging
import re
import warnings
from collections.abc import Iterator
from typing import Any, cast

import pytest
from pydantic import BaseModel, SecretStr

from ringmain_core.call import Call, current_call
from ringmain_core.errors import UpstreamRefused
from ringmain_core.log import JsonFormatter, Redactor, TextFormatter, secrets_in, set_up_logging
from ringmain_core.principal import LOCAL
from ringmain_core.refusals import ForbiddenHost

SECRET = "hunter2-hunter2"
ROW = "Key (email)=(ann@example.com) already exists"
log = logging.getLogger("ringmain_test")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level


@pytest.fixture(params=["json", "text"])
def form(request: pytest.FixtureRequest) -> str:
    return request.param


def failing(error: BaseException, cause: BaseException | None = None) -> None:
    if cause is not None:
        raise error from cause
    raise error


def test_a_line_says_when_where_and_for_which_call(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", "json", [])
    nobody = cast("Any", None)
    call = Call(LOCAL, "demo", "stdio", "v1", "tools/call", "x", {}, nobody, "2026-07-28", trace_id="t" * 32)
    token = current_call.set(call)
    log.info("hello %s", "world")
    current_call.reset(token)
    log.debug("not shown")
    line = json.loads(capsys.readouterr().err)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert line == {
        "level": "info",
        "logger": "ringmain_test",
        "message": "hello world",
        "call": call.id,
        "trace": "t" * 32,
    }


def test_a_line_for_people_has_the_calls_id(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info", "text", [])
    log.warning("hello")
    assert re.fullmatch(r"\d\d:\d\d:\d\d warning hello\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    "error",
    [
        LookupError(SECRET),
        LookupError(ROW),
        UpstreamRefused(ROW),
        ConnectionError(SECRET),
        ExceptionGroup(SECRET, [LookupError(ROW), ExceptionGroup(ROW, [ValueError(SECRET)])]),
        OSError(5, ROW, SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
def test_neither_secrets_nor_rows_are_shown_wherever_they_are(
    error: Exception, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("debug", form, [SECRET])
    error.add_note(ROW)
    for raised in (lambda: failing(error), lambda: failing(RuntimeError(ROW), error)):
        try:
            raised()
        except Exception:
            log.exception("failed with %s and %r", SECRET, {"value": SECRET})
    try:
        try:
            failing(error)
        except type(error):
            failing(RuntimeError(SECRET))
    except RuntimeError:
        log.exception(SECRET)
    shown = capsys.readouterr().err
    assert SECRET not in shown
    assert ROW not in shown
    assert shown.count("failed with [hidden]") == 2
    assert type(error).__name__ in shown
    assert "test_log.py" in shown


def test_what_failed_is_told_by_type_place_and_cause(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("debug", form, [SECRET])
    try:
        failing(LookupError(ROW), ForbiddenHost("Not us."))
    except LookupError:
        log.exception("oops")
    shown = capsys.readouterr().err
    assert "builtins.LookupError\\n  at " in shown or "builtins.LookupError\n  at " in shown
    assert "ringmain_core.refusals.ForbiddenHost: Not us." in shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("postgres://ann:s3cret@db/x", "postgres://ann:[hidden]@db/x"),
        ("postgres://ann:s3/c@ret@db/x", "postgres://ann:[hidden]@db/x"),
        ("redis://:s3cret@host:6379", "redis://:[hidden]@host:6379"),
        ("http://host:8080/path", "http://host:8080/path"),
        ("host=db password=s3cret user=ann", "host=db password=[hidden] user=ann"),
        ("password='s3 cret' user=ann", "password=[hidden] user=ann"),
        ("PGPASSWORD=s3cret", "PGPASSWORD=[hidden]"),
        ('{"api_key": "s3cret", "n": 1}', '{"api_key": [hidden], "n": 1}'),
        ("client_secret=s3cret&x=1", "client_secret=[hidden]&x=1"),
        ("access_token: s3cret", "access_token: [hidden]"),
        ("Authorization: Bearer s3cret.x-y_z", "Authorization: Bearer [hidden]"),
        ("x-api-key: s3cret", "x-api-key: [hidden]"),
        ("key rm_0123abcd_Ab-c_d is bad", "key [hidden] is bad"),
        ("5 tokens: fine", "5 tokens: fine"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(said: str, shown: str) -> None:
    assert Redactor()(said) == shown


def test_secrets_are_found_however_deep_in_settings() -> None:
    class Inner(BaseModel):
        one: SecretStr

    class Outer(BaseModel):
        inner: list[Inner]
        named: dict[str, SecretStr]
        dsn: SecretStr
        plain: str = "plain"

    settings = Outer(
        inner=[Inner(one=SecretStr("one"))],
        named={"x": SecretStr("two")},
        dsn=SecretStr("postgres://ann:p%40ss@db/x"),
    )
    assert secrets_in(settings) == {"one", "two", "postgres://ann:p%40ss@db/x", "p%40ss", "p@ss"}


def test_a_lost_tasks_exception_does_not_show_its_text(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("debug", form, [SECRET])

    async def main() -> None:
        async def fail() -> None:
            raise LookupError(ROW)

        task = asyncio.ensure_future(fail())
        await asyncio.wait([task])
        handler = asyncio.get_running_loop().default_exception_handler
        try:
            task.result()
        except LookupError as error:
            context = {"message": "Task exception was never retrieved", "exception": error, "future": task}
            handler(context)

    asyncio.run(main())
    shown = capsys.readouterr().err
    assert ROW not in shown
    assert "Task exception was never retrieved" in shown


def test_a_warning_shows_its_place_and_category_only(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("debug", form, [SECRET])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(f"input_value={ROW!r}", UserWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    shown = capsys.readouterr().err
    assert ROW not in shown
    assert re.search(r"test_log\.py:\d+: UserWarning", shown)


def test_libraries_that_log_what_they_send_are_kept_to_warnings(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("debug", form, [SECRET])
    for name in ("mcp.server.sse", "sse_starlette.sse", "httpx2", "uvicorn.error"):
        logging.getLogger(name).debug("Received JSON: %s", ROW)
        logging.getLogger(name).info("sent %s", ROW)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("formatter", [JsonFormatter, TextFormatter])
def test_a_formatted_exception_is_redacted_too(formatter: type[JsonFormatter | TextFormatter]) -> None:
    error = ConnectionError(f"refused {SECRET}")
    shown = formatter(Redactor([SECRET])).formatException((type(error), error, None))
    assert shown == "builtins.ConnectionError: refused [hidden]"


def test_a_line_that_cannot_be_made_does_not_show_its_arguments(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("debug", form, [])
    log.info("%d", ROW)
    shown = capsys.readouterr().err
    assert re.fullmatch(r"a line of ringmain_test \(test_log\.py:\d+\) cannot be logged\n", shown)
