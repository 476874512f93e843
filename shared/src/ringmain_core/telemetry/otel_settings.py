"""Whether traces and metrics go out over OTLP, as OpenTelemetry's own variables say."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ringmain_core.errors import ConfigurationError


def _headers(value: SecretStr) -> SecretStr:
    members = (member.strip() for member in value.get_secret_value().split(","))
    if any(member and not _HEADER.fullmatch(member) for member in members):
        raise ValueError("write it like name=value,other=value, with what is special as %XX")
    return value


_HEADER = re.compile(r"[\w.!#$%&'*+^`|~-]+[ \t]*=[\x20\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*", re.ASCII)
Headers = Annotated[SecretStr, AfterValidator(_headers)]


class OtelSettings(BaseSettings):
    """Whether OpenTelemetry is on, read from the variables that every program has for it, `OTEL_*`.

    Where data goes, how it is sampled and batched is read from further ones by the OpenTelemetry SDK. The
    headers are looked at here because it would quote wrong ones in the log.
    """

    model_config = SettingsConfigDict(
        env_prefix="OTEL_", extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    sdk_disabled: str = ""
    traces_exporter: str | None = None
    metrics_exporter: str | None = None
    exporter_otlp_endpoint: str | None = None
    exporter_otlp_traces_endpoint: str | None = None
    exporter_otlp_metrics_endpoint: str | None = None
    exporter_otlp_protocol: str | None = None
    exporter_otlp_traces_protocol: str | None = None
    exporter_otlp_metrics_protocol: str | None = None
    exporter_otlp_headers: Headers | None = None
    exporter_otlp_traces_headers: Headers | None = None
    exporter_otlp_metrics_headers: Headers | None = None


def read_otel_settings() -> OtelSettings:
    """The settings of this process.

    Raises:
        ConfigurationError: Names the variable that cannot be used, and not its value.
    """
    try:
        return OtelSettings()
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        raise ConfigurationError(f"OTEL_{fault['loc'][0]}".upper() + f": {fault['msg']}") from None
