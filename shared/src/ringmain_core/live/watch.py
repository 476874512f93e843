"""What a connector says about a resource that tells when it changes."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ringmain_core.arguments import Upstream
from ringmain_core.call import Call
from ringmain_core.policy import Grant

UpstreamT = TypeVar("UpstreamT", bound=Upstream)
Variables = Mapping[str, Any]
"""The variables of a resource's URI, by name."""


@dataclass(frozen=True, slots=True)
class Watch(Generic[UpstreamT]):
    """How changes of a resource become known; all three take the variables of its URI.

    Attributes:
        changes: Yields once when it has begun to watch, and from then on whenever the resource may have
            changed. It runs once for a URI and process, as long as somebody listens; where it fails, it is
            started again after a while. Several changes while nobody asks for the next one are one.
        permits: Whether the fences of a grant let its holder hear of it. It is asked at every change, and
            answers from what is known.
        check: Raises `NotFound` where there is no such thing for the caller, before anybody listens.
    """

    changes: Callable[[UpstreamT, Variables], AsyncGenerator[None]]
    permits: Callable[[UpstreamT, Grant, Variables], bool]
    check: Callable[[UpstreamT, Call, Variables], Awaitable[None]]
