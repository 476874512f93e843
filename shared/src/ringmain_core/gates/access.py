"""May this caller do this? What policy hides is answered exactly like what does not exist."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, cast, get_args

from ringmain_core.call import Call
from ringmain_core.connector import AnyConnector
from ringmain_core.declarations import Declaration
from ringmain_core.gates import Next, Result
from ringmain_core.policy import Access as AccessLevel
from ringmain_core.policy import Policy
from ringmain_core.refusals import InsufficientScope, Unknown, UnknownMethod, UnknownResource

# Methods that any known caller may use: they reveal nothing, or list only what the caller may see.
_OPEN_METHODS = frozenset(
    {
        "initialize",
        "ping",
        "server/discover",
        "logging/setLevel",
        "tools/list",
        "resources/list",
        "resources/templates/list",
        "prompts/list",
    }
)


class Access:
    """Finds what a call is about and asks the policy; a method or target that it does not know is refused."""

    def __init__(self, connector: AnyConnector, policy: Callable[[], Policy]) -> None:
        self._views = connector.views
        self._policy = policy

    async def __call__(self, call: Call, proceed: Next) -> Result:
        match call.method:
            case "tools/call":
                self._admit(call, self._views[call.version].tools_by_name.get(call.target or ""))
            case "prompts/get":
                self._admit(call, self._views[call.version].prompts_by_name.get(call.target or ""))
            case "resources/read":
                self._admit(call, self._views[call.version].find_resource(call.target or ""))
            case "resources/subscribe" | "resources/unsubscribe" if call.in_session:
                self._admit(call, self._views[call.version].find_resource(call.target or ""))
            case "completion/complete":
                self._admit(call, self._completed(call))
            case "subscriptions/listen":
                self._admit_each(call, _listened_uris(call))
            case method if method in _OPEN_METHODS:
                pass
            case _:
                call.refused_by = "access"
                raise UnknownMethod("This server does not know that method.")
        return await proceed()

    def may_use(self, call: Call, declaration: Declaration) -> bool:
        """Whether a caller gets to see a declaration in a list."""
        policy = self._policy()
        grant = policy.grant(call.principal, call.connector, declaration.name, declaration.access)
        return grant.allowed

    def _admit(self, call: Call, declaration: Declaration | None) -> None:
        if declaration is not None:
            policy = self._policy()
            call.grant = policy.grant(call.principal, call.connector, declaration.name, declaration.access)
            if call.grant.allowed:
                _require_scope(call, declaration)
                call.declaration = declaration
                return
        call.refused_by = "access"
        raise self._unknown(call)

    def _admit_each(self, call: Call, uris: Iterable[str]) -> None:
        for uri in uris:
            call.target = uri
            self._admit(call, self._views[call.version].find_resource(uri))

    def _completed(self, call: Call) -> Declaration | None:
        reference = call.params.get("ref")
        if not isinstance(reference, Mapping):
            return None
        reference = cast("Mapping[str, Any]", reference)
        if reference.get("type") == "ref/prompt":
            call.target = str(reference.get("name"))
            return self._views[call.version].prompts_by_name.get(call.target)
        call.target = str(reference.get("uri"))
        templates = (
            resource for resource in self._views[call.version].resources if resource.uri == call.target
        )
        return next(templates, None)

    def _unknown(self, call: Call) -> Unknown | UnknownResource:
        target = (call.target or "")[:80]
        if call.method.startswith(("resources/", "subscriptions/")):
            return UnknownResource(
                "There is no such resource here. `resources/templates/list` shows what there is."
            )
        if call.method == "completion/complete":
            return Unknown(f"There is nothing to complete for `{target}`.")
        kind = "tool" if call.method == "tools/call" else "prompt"
        known: Iterable[Declaration] = (
            self._views[call.version].tools if kind == "tool" else self._views[call.version].prompts
        )
        visible = [declaration.name for declaration in known if self.may_use(call, declaration)]
        close = get_close_matches(target, visible, n=1)
        meant = f"Did you mean `{close[0]}`?" if close else f"There are: {', '.join(visible) or 'none'}."
        return Unknown(f"Unknown {kind} `{target}`. {meant}")


def _require_scope(call: Call, declaration: Declaration) -> None:
    """Raise where the token was given for less. Lists show it all the same: a client can ask for more."""
    given = call.principal.scopes
    wanted = f"{call.connector}:{declaration.access}"
    if given is None or wanted in given:
        return
    call.refused_by = "access"
    ours = [f"{call.connector}:{access}" for access in get_args(AccessLevel)]
    raise InsufficientScope(
        f"The token is not for this: it lacks the scope `{wanted}`. Ask for a token that has it.",
        scope=" ".join(scope for scope in ours if scope in given or scope == wanted),
    )


def _listened_uris(call: Call) -> list[str]:
    wanted = call.params.get("notifications")
    uris = (
        cast("Mapping[str, Any]", wanted).get("resourceSubscriptions")
        if isinstance(wanted, Mapping)
        else None
    )
    return (
        [uri for uri in cast("list[object]", uris) if isinstance(uri, str)] if isinstance(uris, list) else []
    )
