"""What a connector's package hands over."""

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any, Generic, Literal, Self, TypeVar

from ringmain_core.arguments import Upstream
from ringmain_core.declarations import Declaration, Prompt, Resource, Tool
from ringmain_core.identity.accounts.provider import ProviderClient
from ringmain_core.live.watch import Watch
from ringmain_core.policy_file import Vocabulary
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings
from ringmain_core.versions import VERSIONS

SettingsT = TypeVar("SettingsT", bound=ConnectorSettings)
UpstreamT = TypeVar("UpstreamT", bound=Upstream)


@dataclass(frozen=True, slots=True)
class Check:
    """One finding of `doctor`: what was looked at, how it stands, and what to do about it."""

    what: str
    state: Literal["ok", "warning", "failed"]
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Command(Generic[UpstreamT]):
    """A sub-command that a connector adds to its program, for operators.

    Attributes:
        arguments: Adds its arguments to a parser.
        run: Does it with the client, the options and a way to say something; returns the exit status.
    """

    name: str
    help: str
    arguments: Callable[[ArgumentParser], object]
    run: Callable[[UpstreamT, Namespace, Callable[[str], None]], Awaitable[int]]


def _no_more(_: object) -> Sequence[Resource]:
    return ()


def _no_more_tools(_: object) -> Sequence[Tool]:
    return ()


def _no_provider(_: object) -> ProviderClient | None:
    return None


@dataclass(frozen=True)
class Connector(Generic[SettingsT, UpstreamT]):
    """A system that agents may use, described as data.

    Attributes:
        name: One word; it prefixes policy entries, settings and the command (`ringmain-<name>`).
        title: For people.
        instructions: What a model should know before it uses the tools; short, for every session pays for it.
        settings: The connector's own settings.
        connect: Makes the client for the process. It must not wait for the system behind, which may be down.
        ready: Raises where the system behind the connector cannot be used now; bounded by the caller.
        diagnose: What `doctor` looks at, in order.
        fences: The kinds of object that policy can fence: `table`, `channel`, `repo`.
        watches: How changes of the resources with these names become known; clients can listen to them.
        optional_tools: Tools that are there where the settings ask for them; policy can always name them.
        more_tools: Those of the optional tools that these settings ask for.
        more_resources: Resources that depend on the settings; one with a known name replaces that one.
        commands: What its program can do beside serving.
        provider: Where callers have accounts of their own, from the settings; `None` where they need none.
    """

    name: str
    title: str
    instructions: str
    settings: type[SettingsT]
    connect: Callable[[SettingsT, Services], AbstractAsyncContextManager[UpstreamT]]
    ready: Callable[[UpstreamT], Any]
    diagnose: Callable[[UpstreamT], AsyncIterator[Check]]
    tools: Sequence[Tool] = ()
    resources: Sequence[Resource] = ()
    prompts: Sequence[Prompt] = ()
    fences: Sequence[str] = ()
    watches: Mapping[str, Watch[UpstreamT]] = field(default_factory=dict[str, Watch[Any]])
    optional_tools: Sequence[Tool] = ()
    more_tools: Callable[[SettingsT], Sequence[Tool]] = _no_more_tools
    more_resources: Callable[[SettingsT], Sequence[Resource]] = _no_more
    commands: Sequence[Command[UpstreamT]] = ()
    provider: Callable[[SettingsT], ProviderClient | None] = _no_provider

    @property
    def distribution(self) -> str:
        return f"ringmain-{self.name}"

    @property
    def version(self) -> str:
        return version(self.distribution)

    def configured(self, settings: SettingsT) -> Self:
        """The connector with the tools and resources that these settings add."""
        resources = {
            resource.name: resource for resource in (*self.resources, *self.more_resources(settings))
        }
        tools = (*self.tools, *self.more_tools(settings))
        return replace(self, tools=tools, resources=tuple(resources.values()))

    def with_every_tool(self) -> Self:
        """The connector as settings that ask for everything would have it, to describe and check it."""
        return replace(self, tools=(*self.tools, *self.optional_tools))

    def with_prompts(self, prompts: Sequence[Prompt]) -> Self:
        """The connector with further prompts, those of an operator."""
        return replace(self, prompts=(*self.prompts, *prompts))

    def declarations(self) -> Iterator[Declaration]:
        """Everything that policy can name."""
        yield from self.tools
        yield from self.resources
        yield from self.prompts

    def vocabulary(self) -> Vocabulary:
        """What a policy file can name."""
        declared = (*self.declarations(), *self.optional_tools)
        names = frozenset(declaration.name for declaration in declared)
        return Vocabulary(self.name, names, frozenset(self.fences))

    @cached_property
    def views(self) -> "Mapping[str, Self]":
        """The connector as each version of the API shows it. In one view a name stands for one thing."""
        return {version: self._as_of(version) for version in VERSIONS}

    def _as_of(self, version: str) -> Self:
        return replace(
            self,
            tools=tuple(tool for tool in self.tools if tool.is_in(version)),
            resources=tuple(resource for resource in self.resources if resource.is_in(version)),
            prompts=tuple(prompt for prompt in self.prompts if prompt.is_in(version)),
        )

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
