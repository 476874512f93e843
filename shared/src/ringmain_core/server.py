"""`build_server`: a connector becomes an MCP server, with every gate around it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import mcp_types as types
from mcp.server.caching import CacheableMethod, CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError

from ringmain_core.arguments import Upstream
from ringmain_core.call import Call, current_call
from ringmain_core.confirmations import ANSWERED_WITHIN, Nonces
from ringmain_core.connector import AnyConnector
from ringmain_core.declarations import Completion, Declaration, Prompt, Resource, Tool
from ringmain_core.errors import NotFound, RingmainError, ToolFailure
from ringmain_core.flow import Flow
from ringmain_core.gates import Gate
from ringmain_core.gates.access import Access
from ringmain_core.gates.adapter import Adapter, PlainCalls
from ringmain_core.gates.audit import Audit, Intent, Trail
from ringmain_core.gates.lifetime import VersionLifetime
from ringmain_core.gates.loop_guard import LoopGuard
from ringmain_core.gates.rate_limit import RateLimit, lease_seconds
from ringmain_core.idempotency import Idempotency
from ringmain_core.identity.accounts.asking import with_account
from ringmain_core.invoke import Invoke
from ringmain_core.live.hub import Live, LiveServer
from ringmain_core.policy import Policy
from ringmain_core.principal import Principal
from ringmain_core.questions import with_answers
from ringmain_core.refusals import UnknownResource
from ringmain_core.results import WireResult, as_wire, contents, failure, messages
from ringmain_core.sealing import KeyRing
from ringmain_core.settings import CoreSettings
from ringmain_core.state import State
from ringmain_core.upstream.answers import Answers

Context = ServerRequestContext[Upstream, Any]
DeclarationT = TypeVar("DeclarationT", bound=Declaration)
T = TypeVar("T")

_FAILED = -32000
_MOST_COMPLETIONS = 100
_NOTHING_ANSWERED = types.InputResponseRequestParams()
_LISTS_KEEP = CacheHint(ttl_ms=60_000, scope="private")
_CACHE_HINTS: dict[CacheableMethod, CacheHint] = {
    "tools/list": _LISTS_KEEP,
    "resources/list": _LISTS_KEEP,
    "resources/templates/list": _LISTS_KEEP,
    "prompts/list": _LISTS_KEEP,
    "resources/read": CacheHint(ttl_ms=0, scope="private"),  # without a hint, the SDK drops the contents
}


@dataclass(frozen=True)
class Runtime:
    """What the process around a connector provides.

    Attributes:
        policy: The policy in force at this moment; it may be read again while the server runs.
        local: Who calls where the transport cannot say (stdio); `None` where it always can.
        keys: What seals request state and kept results; replicas share it.
        state: What replicas agree on.
        answers: Keeps answers of reads, where their declarations allow it.
        observers: Gates around all others, which count and trace.
    """

    core: CoreSettings
    policy: Callable[[], Policy]
    trail: Trail
    local: Principal | None
    keys: KeyRing
    state: State
    answers: Answers = field(default_factory=Answers)
    observers: Sequence[Gate] = ()


def build_server(connector: AnyConnector, upstream: Upstream, runtime: Runtime) -> LiveServer[Upstream]:
    """Make the MCP server of a connector, around its client. Nothing listens until it is run."""
    access = Access(connector, runtime.policy)
    gates = (
        *runtime.observers,  # what they measure is all of it; the audit record carries the trace's id
        Audit(connector, runtime.trail),  # outermost: what the gates below refuse is on record too
        VersionLifetime(runtime.policy),  # a version that is over answers nothing else
        # before access: guessing what exists costs as much as using it
        RateLimit(runtime.policy, runtime.state, lease_seconds(connector, runtime.core.call_timeout)),
        access,  # decides, and finds the declaration that everything below needs
        *([LoopGuard()] if runtime.core.loop_guard == "on" else []),  # knows the declaration, tries nothing
        Intent(connector, runtime.trail),  # innermost: only what really will be tried is an intent
    )
    invoke = Invoke(
        upstream, Idempotency(runtime.state, runtime.keys), default_timeout=runtime.core.call_timeout
    )
    handlers = _Handlers(connector, runtime, access, invoke)

    live = Live(
        connector, upstream, runtime.core, runtime.policy, runtime.trail, runtime.state, runtime.local
    )

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncGenerator[Upstream]:
        async with live.running():
            yield upstream

    server = LiveServer[Upstream](
        connector.distribution,
        title=connector.title,
        version=connector.version,
        instructions=connector.instructions,
        lifespan=lifespan,
        cache_hints=_CACHE_HINTS,
        get_tool_input_schema=handlers.input_schema,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_resource_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
        on_completion=handlers.complete,
    )
    server.tell(live)
    sealed_state = RequestStateSecurity(
        keys=runtime.keys.derive("request state"), ttl=ANSWERED_WITHIN, bind_principal=_principal_of
    )
    server.middleware[:] = [
        Adapter(connector.name, gates, runtime.local),
        # Inside the gates: there it is known whose state it is, and a forged one is on record.
        RequestStateBoundary(sealed_state, default_audience=connector.distribution),
        PlainCalls(handlers.call_plainly, server.server_info_stamp),
    ]
    return server


def _principal_of(_: Context) -> str | None:
    call = current_call.get()
    return None if call is None else call.principal.owner


class _Handlers:
    """The protocol's methods, each in terms of declarations."""

    def __init__(self, connector: AnyConnector, runtime: Runtime, access: Access, invoke: Invoke) -> None:
        self._connector = connector
        self._runtime = runtime
        self._invoke = invoke
        self._flow = Flow(runtime.state)
        self._nonces = Nonces(runtime.state)
        self._answers = runtime.answers
        self._may_use = access.may_use

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """The schema of a tool with arguments that HTTP headers repeat; the SDK looks for them each time."""
        tool = self._connector.tools_by_name.get(name)
        return tool.published_schema if tool is not None and tool.has_header_arguments else None

    async def list_tools(self, _: Context, params: types.PaginatedRequestParams | None) -> Any:
        return _complete(
            {"tools": [tool.listing() for tool in self._visible(lambda view: view.tools, params)]}
        )

    async def list_resources(self, _: Context, params: types.PaginatedRequestParams | None) -> Any:
        visible = self._visible(lambda view: view.resources, params)
        fixed = [resource.listing() for resource in visible if not resource.is_template]
        instances = [listed for resource in visible for listed in resource.listed_instances()]
        return _complete({"resources": [*fixed, *instances]})

    async def list_resource_templates(self, _: Context, params: types.PaginatedRequestParams | None) -> Any:
        visible = self._visible(lambda view: view.resources, params)
        return _complete(
            {"resourceTemplates": [resource.listing() for resource in visible if resource.is_template]}
        )

    async def list_prompts(self, _: Context, params: types.PaginatedRequestParams | None) -> Any:
        return _complete(
            {"prompts": [prompt.listing() for prompt in self._visible(lambda view: view.prompts, params)]}
        )

    async def call_tool(self, ctx: Context, params: types.CallToolRequestParams) -> Any:
        return await self.call_plainly(ctx, params.arguments or {}, params)

    async def call_plainly(
        self,
        ctx: Context,
        raw: Mapping[str, Any],
        answered: types.InputResponseRequestParams = _NOTHING_ANSWERED,
    ) -> WireResult:
        """Call a tool, by default for a client that has not been asked anything yet."""
        call, tool = _call_and(Tool)
        try:
            run = partial(self._answers, tool, raw, call, partial(self._invoke.tool, tool, raw, call))
            return _finished(await self._answered(run, call, ctx, answered))
        except ToolFailure as error:
            call.refused_by = error.gate
            return _complete(failure(error, call.id))

    async def read_resource(self, ctx: Context, params: types.ReadResourceRequestParams) -> Any:
        call, resource = _call_and(Resource)
        variables = resource.match(params.uri) or {}

        async def read() -> WireResult:
            value = await self._invoke(resource, variables, call)
            return as_wire(value) or contents(params.uri, resource.mime_type, value, call.answer_bytes)

        try:
            run = partial(self._answers, resource, variables, call, read)
            return _finished(await self._answered(run, call, ctx, params))
        except NotFound as error:
            raise UnknownResource(error.message) from error
        except ToolFailure as error:
            call.refused_by = error.gate
            raise _protocol_error(error, call) from error

    async def get_prompt(self, ctx: Context, params: types.GetPromptRequestParams) -> Any:
        call, prompt = _call_and(Prompt)
        try:
            run = partial(self._invoke, prompt, params.arguments or {}, call)
            value = await self._answered(run, call, ctx, params)
        except ToolFailure as error:
            raise _protocol_error(error, call) from error
        return _complete(as_wire(value) or messages(prompt.description, value, call.answer_bytes))

    async def complete(self, ctx: Context, params: types.CompleteRequestParams) -> Any:
        call, declaration = _call_and(Declaration)
        known: Mapping[str, Completion] = {}
        if isinstance(declaration, Resource | Prompt):
            known = declaration.complete
        completer = known.get(params.argument.name, _nothing)
        chosen = (params.context.arguments if params.context is not None else None) or {}
        values = await self._bounded(
            lambda: completer(ctx.lifespan_context, call, params.argument.value, chosen), declaration, call
        )
        shown = values[:_MOST_COMPLETIONS]
        more = len(values) > len(shown)
        return _complete({"completion": {"values": shown, "total": len(values), "hasMore": more}})

    def _visible(
        self,
        kind: Callable[[AnyConnector], Sequence[DeclarationT]],
        params: types.PaginatedRequestParams | None,
    ) -> list[DeclarationT]:
        """Those of a kind that the version of the call has and its caller may use."""
        if params is not None and params.cursor:
            raise MCPError(types.INVALID_PARAMS, "This list has one page; leave `cursor` out.")
        call = current_call.get()
        if call is None:
            return []
        return [item for item in kind(self._connector.views[call.version]) if self._may_use(call, item)]

    async def _bounded(
        self, run: Callable[[], Awaitable[list[str]]], item: Declaration, call: Call
    ) -> list[str]:
        try:
            return await self._invoke.bounded(run, item, call)
        except ToolFailure as error:
            raise _protocol_error(error, call) from error

    async def _answered(
        self,
        run: Callable[[], Awaitable[T]],
        call: Call,
        ctx: Context,
        params: types.InputResponseRequestParams,
    ) -> T | types.InputRequiredResult:
        """Run a declared function, with what the client answered to its questions."""
        call.input_responses, call.request_state = params.input_responses or {}, params.request_state
        call.answer_bytes = self._runtime.core.max_answer_bytes
        call.flow, call.use_up = self._flow, self._nonces.use_up
        return await with_answers(partial(with_account, run, call), call, ctx.request_id)


def _call_and(kind: type[DeclarationT]) -> tuple[Call, DeclarationT]:
    """The call at hand and its declaration, which the access gate has put there."""
    call = current_call.get()
    if call is None or not isinstance(call.declaration, kind):
        raise RuntimeError("a request came past the gates")
    return call, call.declaration


async def _nothing(*_: object) -> list[str]:
    return []


def _protocol_error(error: RingmainError, call: Call) -> MCPError:
    return MCPError(_FAILED, error.message, error.fields() | {"call_id": call.id})


def _finished(result: WireResult | types.InputRequiredResult) -> WireResult:
    return _complete(as_wire(result) or {})


def _complete(result: WireResult) -> WireResult:
    """Say what the 2026-07-28 protocol wants said; earlier revisions do not see it."""
    return {"resultType": "complete", **result}
