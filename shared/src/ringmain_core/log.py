"""The log: lines on stderr with the call's id, and nothing in them that could be a secret or a row."""

import json
import logging
import re
import sys
import traceback
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO, cast
from urllib.parse import unquote

from pydantic import BaseModel, SecretStr

from ringmain_core.call import current_call
from ringmain_core.errors import ConfigurationError
from ringmain_core.refusals import Refusal

_CREDENTIAL = re.compile(
    r"(?P<url>\w+://[^\s:/@]*:)\S+(?=@)"  # scheme://user:PASSWORD@
    r"|(?P<scheme>\b(?:Bearer|Basic)\s+)[\w.~+/=-]+"
    r"|(?P<name>(?:password|passwd|pwd|secret|token|api[_-]?key)['\"]?\s*[=:]\s*)"
    r"(?:'[^']*'|\"[^\"]*\"|[^\s'\",;&]+)"
    r"|\brm_[A-Za-z0-9]+_[A-Za-z0-9_-]+",
    re.IGNORECASE,
)
_HIDDEN = "[hidden]"
_LEARNS = 1_000

_CHATTY = ("mcp", "uvicorn.error", "uvicorn.access", "sse_starlette", "httpx2", "httpcore2")
_CHATTY_OF_AWS = ("boto3", "botocore", "urllib3")

# Texts of these do not quote what was sent or fetched; of all others only the type is logged.
_QUOTABLE = (Refusal, ConfigurationError, ConnectionError, TimeoutError)


class Redactor:
    """Takes known secrets, and what looks like one, out of a text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._given = frozenset(secrets)
        self._learned: deque[str] = deque(maxlen=_LEARNS)
        self._secrets = _longest_first(self._given)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return _CREDENTIAL.sub(_hide, text)

    def learn(self, secrets: Iterable[str]) -> None:
        """From now on take these out as well; of very many, the newest."""
        for secret in secrets:
            self._learned.extend(_forms_of(secret) - {*self._given, *self._learned})
        self._secrets = _longest_first({*self._given, *self._learned})


def _longest_first(secrets: Iterable[str]) -> list[str]:
    """In the order to take them out: one secret may be part of another."""
    return sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)


def _forms_of(secret: str) -> set[str]:
    """A secret, and where it is a URL, the password in it as it stands there and as it is used."""
    passwords = re.findall(r"://[^\s:/@]*:(\S+)@", secret)
    return {secret, *passwords, *(unquote(password) for password in passwords)}


def _hide(match: re.Match[str]) -> str:
    kept = match["url"] or match["scheme"] or match["name"] or ""
    return kept + _HIDDEN


def secrets_in(*models: BaseModel) -> set[str]:
    """The values of every `SecretStr` in some settings, however deep."""
    found: set[str] = set()

    def walk(value: object) -> None:
        if isinstance(value, SecretStr):
            found.update(_forms_of(value.get_secret_value()))
        elif isinstance(value, BaseModel):
            for item in dict(value).values():
                walk(item)
        elif isinstance(value, dict):
            for item in cast("dict[Any, object]", value).values():
                walk(item)
        elif isinstance(value, (list, tuple)):
            for item in cast("list[object]", value):
                walk(item)

    for model in models:
        walk(model)
    return found


class _Formatter(logging.Formatter):
    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def _message(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if (
            record.name == "asyncio"
        ):  # after its first line it shows the failed task, with the exception's text
            message = message.partition("\n")[0]
        elif record.name == "py.warnings":  # place and category; the rest may quote a value
            message = ": ".join(message.split(": ", 2)[:2])
        return self._redact(message)

    def formatException(  # noqa: N802 (the base class names it)
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        error = ei[1]
        return "" if error is None else self._redact("\n".join(_describe(error)))


def _describe(error: BaseException, depth: int = 0) -> list[str]:
    """A traceback without source lines, values and foreign messages: where and what, not with which data."""
    said = str(error) if isinstance(error, _QUOTABLE) else ""
    sqlstate = getattr(error, "sqlstate", None)
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    lines = [f"{name}{f' {sqlstate}' if sqlstate else ''}{f': {said}' if said else ''}"]
    frames = traceback.extract_tb(error.__traceback__)
    lines += [f"  at {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    if depth < 8:
        if isinstance(error, BaseExceptionGroup):
            for member in cast("BaseExceptionGroup[BaseException]", error).exceptions:
                lines += [f"  | {line}" for line in _describe(member, depth + 1)]
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is not None:
            lines += ["caused by:", *_describe(cause, depth + 1)]
    return lines


class _Stderr(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the base class names it)
        """Say so; the base class would show the arguments that could not be formatted."""
        with suppress(OSError, ValueError):
            self.stream.write(
                f"a line of {record.name} ({record.filename}:{record.lineno}) cannot be logged\n"
            )


class JsonFormatter(_Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._message(record),
        }
        call = current_call.get()
        if call is not None:
            line["call"] = call.id
            if call.trace_id:
                line["trace"] = call.trace_id
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(_Formatter):
    """Lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        call = current_call.get()
        tag = f" [{call.id}]" if call is not None else ""
        text = f"{time} {record.levelname.lower():7} {self._message(record)}{tag}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


def set_up_logging(level: str, form: str, secrets: Iterable[str]) -> Redactor:
    """Send every logger's lines to stderr, redacted.

    It must come before any library sets up logging of its own. Libraries that log what they send and receive
    are kept to warnings at every level.

    Returns:
        What redacts: it can learn more.
    """
    redactor = Redactor(secrets)
    handler = _Stderr(sys.stderr)
    handler.setFormatter(JsonFormatter(redactor) if form == "json" else TextFormatter(redactor))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    for chatty in _CHATTY + _CHATTY_OF_AWS:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return redactor
