"""What a connector's package hands over."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any, Generic, Literal, TypeVar

from ringmain_core.arguments import Upstream
from ringmain_core.cursors import Cursors
from ringmain_core.settings import ConnectorSettings
from ringmain_core.tooling import Declaration, Prompt, Resource, Tool

SettingsT = TypeVar("SettingsT", bound=ConnectorSettings)
UpstreamT = TypeVar("UpstreamT", bound=Upstream)


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of `doctor`: what was looked at, how it stands, and what to do about it."""

    what: str
    state: Literal["ok", "warning", "failed"]
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Connector(Generic[SettingsT, UpstreamT]):
    """A system that agents may use, described as data.

    Attributes:
        name: One word; it prefixes policy entries, settings and the command (`ringmain-<name>`).
        title: For people.
        instructions: What a model should know before it uses the tools; short, it costs context in every session.
        settings: The connector's own settings.
        connect: Makes the client for the process. It must not wait for the system behind it, which may be down.
        ready: Raises where the system behind the connector cannot be used now; bounded by the caller.
        diagnose: What `doctor` looks at, in order.
    """

    name: str
    title: str
    instructions: str
    settings: type[SettingsT]
    connect: Callable[[SettingsT, Cursors], AbstractAsyncContextManager[UpstreamT]]
    ready: Callable[[UpstreamT], Any]
    diagnose: Callable[[UpstreamT], AsyncIterator[Check]]
    tools: Sequence[Tool] = ()
    resources: Sequence[Resource] = ()
    prompts: Sequence[Prompt] = ()

    @property
    def distribution(self) -> str:
        return f"ringmain-{self.name}"

    @property
    def version(self) -> str:
        return version(self.distribution)

    def declarations(self) -> Iterator[Declaration]:
        """Everything that policy can name."""
        yield from self.tools
        yield from self.resources
        yield from self.prompts

    @cached_property
    def tools_by_name(self) -> dict[str, Tool]:
        return {tool.name: tool for tool in self.tools}

    @cached_property
    def prompts_by_name(self) -> dict[str, Prompt]:
        return {prompt.name: prompt for prompt in self.prompts}

    def find_resource(self, uri: str) -> Resource | None:
        """The declaration that a URI belongs to."""
        return next((resource for resource in self.resources if resource.match(uri) is not None), None)


AnyConnector = Connector[Any, Any]
