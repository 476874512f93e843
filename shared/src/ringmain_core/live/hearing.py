"""Who may hear of what: asked when somebody begins to listen, and again before each thing that is told."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ringmain_core.arguments import Upstream
from ringmain_core.connector import AnyConnector
from ringmain_core.declarations import Declaration, Resource
from ringmain_core.live.watch import Variables, Watch
from ringmain_core.policy import Grant, Policy
from ringmain_core.principal import Principal

View = Mapping[str, tuple[str, ...]]
"""What a caller finds in the lists of `tools`, `prompts` and `resources`, by name."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A URI that can be watched."""

    uri: str
    resource: Resource
    watch: Watch[Any]
    variables: Variables


class Hearing:
    """Asks the policy in force on behalf of those who listen."""

    def __init__(self, connector: AnyConnector, upstream: Upstream, policy: Callable[[], Policy]) -> None:
        self._connector = connector
        self._upstream = upstream
        self._policy = policy

    def subject(self, uri: str, version: str) -> Subject | None:
        """What a URI stands for in a version of the API; `None` where nothing tells of its changes."""
        resource = self._connector.views[version].find_resource(uri)
        watch = None if resource is None else self._connector.watches.get(resource.name)
        if resource is None or watch is None:
            return None
        return Subject(uri, resource, watch, resource.match(uri) or {})

    def grant(self, principal: Principal, subject: Subject) -> Grant:
        """What policy gives a caller for this, now."""
        resource = subject.resource
        return self._policy().grant(principal, self._connector.name, resource.name, resource.access)

    def may_hear(self, principal: Principal, subject: Subject) -> bool:
        """Whether a caller may be told that this has changed, now."""
        grant = self.grant(principal, subject)
        return grant.allowed and subject.watch.permits(self._upstream, grant, subject.variables)

    def view(self, principal: Principal) -> View:
        """What a caller finds in each list."""
        policy, connector = self._policy(), self._connector

        def seen(declarations: Iterable[Declaration]) -> tuple[str, ...]:
            return tuple(
                item.name
                for item in declarations
                if policy.grant(principal, connector.name, item.name, item.access).allowed
            )

        return {
            "tools": seen(connector.tools),
            "prompts": seen(connector.prompts),
            "resources": seen(connector.resources),
        }
