"""What an operator can set, read from the environment."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _state_home() -> Path:
    """Where a user's programs keep state: XDG on Unix, the local application data folder on Windows."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "ringmain"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "ringmain"


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


CommaSeparated = Annotated[list[str], NoDecode, BeforeValidator(_split)]


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
        SecretStr | None,
        Field(
            min_length=32,
            description="Key behind cursors, request state, kept results and accounts, at least 32 "
            "characters, the same for all replicas. Of several, comma-separated, the first seals and all "
            "open. Unset, one is kept in the state folder.",
        ),
    ] = None
    redis_url: Annotated[
        SecretStr | None,
        Field(description="Redis or Valkey that replicas share, as `redis://user:password@host:6379/0`."),
    ] = None
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="What reaches the log on stderr.")
    ] = "info"
    log_format: Annotated[Literal["json", "text"], Field(description="JSON lines, or lines for people.")] = (
        "json"
    )

    audit: Annotated[
        str,
        Field(description="Where the audit goes: a file, `stdout` (not on stdio), `stderr`, or `off`."),
    ] = "file"
    audit_key: Annotated[
        SecretStr | None,
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
    max_answer_bytes: Annotated[
        int,
        Field(ge=1024, description="Most bytes that one answer may carry, whatever its caller asks for."),
    ] = 200_000

    host: Annotated[str, Field(description="Address `serve` listens on.")] = "127.0.0.1"
    port: Annotated[
        int, Field(ge=0, le=65535, description="Port `serve` listens on; 0 takes a free one.")
    ] = 8080
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
        bool,
        Field(
            description="Keep sessions for clients of 2025-11-25 and before; off lets any replica answer "
            "them."
        ),
    ] = True
    legacy_sse: Annotated[
        bool, Field(description="Also serve the HTTP+SSE transport of 2024-11-05 at `/v1/sse`.")
    ] = False
