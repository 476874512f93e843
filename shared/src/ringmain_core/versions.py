"""The API's versions: which there are, and how long each lives."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, model_validator

Version = Literal["v1", "v2"]

VERSIONS: tuple[Version, ...] = get_args(Version)
LATEST = VERSIONS[-1]

DEPRECATION_META = "dev.ringmain/deprecation"
"""The `_meta` key of a result that says that its API version will go away."""


class Lifetime(BaseModel):
    """From when a version is deprecated, and from when it is gone; days begin at midnight UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deprecated: datetime | date | None = None
    sunset: datetime | date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Lifetime":
        if self.sunset is not None and (
            self.deprecated is None or instant(self.deprecated) > instant(self.sunset)
        ):
            raise ValueError("a sunset needs a `deprecated` date before it")
        return self


def instant(day: datetime | date) -> datetime:
    """A day's beginning, or a moment, in UTC."""
    if isinstance(day, datetime):
        return day if day.tzinfo is not None else day.replace(tzinfo=UTC)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def successor(version: str) -> str | None:
    """The version to move to; `None` for the latest."""
    return LATEST if version != LATEST else None


def headers_of(version: str, lifetimes: Mapping[Version, Lifetime]) -> Sequence[tuple[bytes, bytes]]:
    """What answers say of their version: `Deprecation` (RFC 9745), `Sunset` (RFC 8594), `Link`."""
    lifetime = lifetimes.get(cast("Version", version))
    if lifetime is None or lifetime.deprecated is None:
        return ()
    said = [(b"deprecation", f"@{int(instant(lifetime.deprecated).timestamp())}".encode())]
    if lifetime.sunset is not None:
        moment = instant(lifetime.sunset).astimezone(UTC)
        said.append((b"sunset", format_datetime(moment, usegmt=True).encode()))
    if following := successor(version):
        said.append((b"link", f'</{following}/mcp>; rel="successor-version"'.encode()))
    return said


def warning(version: str, lifetime: Lifetime | None, now: datetime) -> dict[str, Any] | None:
    """What a result says of its version in `_meta`, once it is deprecated."""
    if lifetime is None or lifetime.deprecated is None or now < instant(lifetime.deprecated):
        return None
    said: dict[str, Any] = {"version": version, "deprecated": instant(lifetime.deprecated).isoformat()}
    if lifetime.sunset is not None:
        said["sunset"] = instant(lifetime.sunset).isoformat()
    if following := successor(version):
        said["successor"] = f"/{following}/mcp"
    return said


def is_over(lifetime: Lifetime | None, now: datetime) -> bool:
    """Whether a version's sunset has passed."""
    return lifetime is not None and lifetime.sunset is not None and now >= instant(lifetime.sunset)
