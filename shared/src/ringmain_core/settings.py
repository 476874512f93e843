"""What an operator can set, read from the environment."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from ringmain_core.errors import ConfigurationError
from ringmain_core.secrets import Secret

S = TypeVar("S", bound=BaseSettings)


def _state_home() -> Path:
    """Where a user's programs keep state: XDG on Unix, the local application data folder on Windows."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "ringmain"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "ringmain"


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _base_url(value: str) -> str:
    match = re.fullmatch(r"(https?://[a-z0-9.:\[\]-]+)(/[\w.~%/-]*)?", value, re.IGNORECASE | re.ASCII)
    if match is None:
        raise ValueError("write it like https://mcp.example.com")
    return match[1].lower() + (match[2] or "").rstrip("/")


def _database_url(value: SecretStr | str) -> SecretStr | str:
    if isinstance(value, SecretStr) and not value.get_secret_value().startswith(
        ("postgresql://", "postgres://")
    ):
        raise ValueError("write `sqlite`, `redis`, or a URL that begins with postgresql://")
    return value


CommaSeparated = Annotated[list[str], NoDecode, BeforeValidator(_split)]
AccountsAt = Annotated[
    Literal["sqlite", "redis"] | Secret,
    Field(union_mode="left_to_right"),
    AfterValidator(_database_url),
]


class ConnectorSettings(BaseSettings):
    """Base of a connector's own settings, read from `RINGMAIN_<CONNECTOR>_*`."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class CoreSettings(BaseSettings):
    """Settings every connector has, read from `RINGMAIN_*`."""

    model_config = SettingsConfigDict(
        env_prefix="RINGMAIN_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    policy: Annotated[Path | None, Field(description="The policy file (TOML). SIGHUP reads it again.")] = None
    state_dir: Annotated[
        Path, Field(description="Folder for keys, the audit trail and its key; made with mode 0700.")
    ] = Field(default_factory=_state_home)
    secret_key: Annotated[
        Secret | None,
        Field(
            min_length=32,
            description="Key behind cursors, request state, kept results and accounts, at least 32 "
            "characters, the same for all replicas. Of several, comma-separated, the first seals and all "
            "open. Unset, one is kept in the state folder.",
        ),
    ] = None
    redis_url: Annotated[
        Secret | None,
        Field(description="Redis or Valkey that replicas share, as `redis://user:password@host:6379/0`."),
    ] = None
    accounts: Annotated[
        AccountsAt,
        Field(
            description="Where accounts that people connect are kept, sealed: `sqlite` (a file in the state "
            "folder), `redis` (the one that replicas share), or the `postgresql://` URL of a database.",
        ),
    ] = "sqlite"
    accounts_port: Annotated[
        int,
        Field(
            ge=0,
            le=65535,
            description="Loopback port that browsers come back to where an account is connected without "
            "`serve`; 0 takes a free one. Set it where a provider wants to know the exact address.",
        ),
    ] = 0
    secrets_refresh: Annotated[
        float,
        Field(
            ge=5,
            description="Seconds after which secrets that settings refer to (`env:NAME`, `file:/path`, "
            "`vault:path#key`, `aws-sm:name#key`) are looked up again.",
        ),
    ] = 300.0
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="What reaches the log on stderr.")
    ] = "info"
    log_format: Annotated[Literal["json", "text"], Field(description="JSON lines, or lines for people.")] = (
        "json"
    )

    prompts_dir: Annotated[
        Path | None,
        Field(
            description="Folder of Markdown files that become prompts: those in it for every connector, "
            "those in its sub-folder `<connector>` for that one."
        ),
    ] = None

    audit: Annotated[
        str,
        Field(description="Where the audit goes: a file, `stdout` (not on stdio), `stderr`, or `off`."),
    ] = "file"
    audit_key: Annotated[
        Secret | None,
        Field(
            min_length=32,
            description="Key of the audit's MAC, at least 32 characters; unset, one is kept in the "
            "state folder.",
        ),
    ] = None
    audit_results: Annotated[
        Literal["digest", "text"],
        Field(description="Keep a keyed digest of each answer, or its first 2,000 characters as well."),
    ] = "digest"

    call_timeout: Annotated[
        float, Field(gt=0, description="Seconds for one call, where a tool sets none of its own.")
    ] = 60.0
    loop_guard: Annotated[
        Literal["on", "off"],
        Field(description="Slow down, then stop, an agent that repeats the same failing call."),
    ] = "on"
    webhooks: Annotated[
        list[Secret],
        NoDecode,
        BeforeValidator(_split),
        Field(
            description="Where people are told that a system behind does not answer, and that it does again: "
            "`https://…` takes JSON, `slack+https://…` what Slack takes; comma-separated."
        ),
    ] = []
    max_answer_bytes: Annotated[
        int,
        Field(ge=1024, description="Most bytes that one answer may carry, whatever its caller asks for."),
    ] = 200_000

    metrics_port: Annotated[
        int | None,
        Field(ge=0, le=65535, description="Port of `serve` for Prometheus (`/metrics`); 0 takes a free one."),
    ] = None
    metrics_host: Annotated[str, Field(description="Address that the metrics' port listens on.")] = (
        "127.0.0.1"
    )
    metrics_token: Annotated[
        Secret | None,
        Field(
            min_length=16,
            description="What a reader of the metrics has to send as `Authorization: Bearer`; needed off "
            "loopback.",
        ),
    ] = None
    metrics_principals: Annotated[
        bool, Field(description="Count calls by principal, too: the first 200 by name.")
    ] = False
    trace_principals: Annotated[bool, Field(description="Say in traces who called, as `enduser.id`.")] = False

    host: Annotated[str, Field(description="Address `serve` listens on.")] = "127.0.0.1"
    port: Annotated[
        int, Field(ge=0, le=65535, description="Port `serve` listens on; 0 takes a free one.")
    ] = 8080
    workers: Annotated[
        int,
        Field(
            ge=1,
            le=128,
            description="Processes that `serve` answers with, on one port; more than one need "
            "RINGMAIN_REDIS_URL. `--workers` says it, too.",
        ),
    ] = 1
    public_url: Annotated[
        Annotated[str, AfterValidator(_base_url)] | None,
        Field(
            description="The address that clients use where it is not `http://<host>:<port>`, without the "
            "path of the API: `https://mcp.example.com`. Tokens are asked for by it; its host is accepted."
        ),
    ] = None
    allowed_hosts: Annotated[
        CommaSeparated,
        Field(description="Host headers to accept beside loopback, with port or `:*`; comma-separated."),
    ] = []
    allowed_origins: Annotated[
        CommaSeparated,
        Field(description="Origin headers (web pages) to accept beside loopback; comma-separated."),
    ] = []
    max_body_bytes: Annotated[
        int, Field(ge=1024, description="Largest request body; a larger one is answered 413.")
    ] = 4 * 1024 * 1024
    responses: Annotated[
        Literal["sse", "json"],
        Field(description="Event streams where they help (progress, questions), or always one JSON body."),
    ] = "sse"
    sessions: Annotated[
        bool | None,
        Field(
            description="Keep sessions for clients of 2025-11-25 and before. A session lives in one process: "
            "unset, there are none where RINGMAIN_REDIS_URL or RINGMAIN_WORKERS says that there are more."
        ),
    ] = None
    legacy_sse: Annotated[
        bool, Field(description="Also serve the HTTP+SSE transport of 2024-11-05 at `/v1/sse`.")
    ] = False

    @property
    def keeps_sessions(self) -> bool:
        """Whether there are sessions: as set; unset, where no other process answers the same clients."""
        alone = self.workers == 1 and self.redis_url is None
        return alone if self.sessions is None else self.sessions


def read_settings(kind: type[S], **given: Any) -> S:
    """Read settings from the environment.

    Args:
        kind: Which.
        given: What stands in place of the environment; `None` does not.

    Raises:
        ConfigurationError: Where some cannot be used; it names the variables.
    """
    try:
        return kind(**{key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        faults = [
            f"{prefix}{'__'.join(str(part) for part in fault['loc'])}".upper() + f": {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError("; ".join(faults)) from None
    except SettingsError as error:
        raise ConfigurationError(str(error)) from None


def mentions_otel() -> bool:
    """Whether any variable of OpenTelemetry's is set: only then are its settings read, which takes time."""
    return any(name.startswith("OTEL_") for name in os.environ)
