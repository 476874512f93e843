"""`@tool`, `@resource`, `@prompt`: a plain async function becomes a declaration that policy can judge."""

import inspect
from collections.abc import Callable, Mapping

from ringmain_core.declarations import Completion, Function, Prompt, Question, Resource, Settle, Tool
from ringmain_core.policy import Access
from ringmain_core.schema import JsonSchema
from ringmain_core.upstream.cache import Cache
from ringmain_core.versions import VERSIONS, Version


def tool(
    *,
    access: Access,
    title: str,
    name: str | None = None,
    idempotent: bool = True,
    open_world: bool = False,
    timeout: float | None = None,
    cache: Cache | None = None,
    since: Version = VERSIONS[0],
    until: Version | None = None,
    input_schema: JsonSchema | None = None,
    question: Question | None = None,
    settle: Settle | None = None,
) -> Callable[[Function], Tool]:
    """Declare a tool.

    Args:
        access: `read`, `write` or `destructive`; it becomes the scope `<connector>:<access>` and the hints.
        title: For people.
        name: Where the function's own name will not do.
        idempotent: Whether the same call twice has the effect of one.
        open_world: Whether it reaches beyond the connected system.
        timeout: Seconds, where the server's default will not do.
        cache: Keeps answers of a read for their caller.
        since: The first version of the API that has it.
        until: The last one, where a later one has something else instead, perhaps of the same name.
        input_schema: Published instead of the one made from the signature, which still validates.
        question: What a person is asked to confirm, from the same arguments as the function's.
        settle: Finds out what became of a try whose outcome was lost.
    """

    def declare(function: Function) -> Tool:
        return Tool(
            function=function,
            name=name or _name_of(function),
            title=title,
            access=access,
            description=_docstring(function),
            timeout=timeout,
            cache=cache,
            since=since,
            until=until,
            idempotent=idempotent,
            open_world=open_world,
            input_schema=input_schema,
            question=question,
            settle=settle,
        )

    return declare


def resource(
    uri: str,
    *,
    title: str,
    mime_type: str = "text/plain",
    name: str | None = None,
    complete: Mapping[str, Completion] | None = None,
    timeout: float | None = None,
    cache: Cache | None = None,
    since: Version = VERSIONS[0],
    until: Version | None = None,
) -> Callable[[Function], Resource]:
    """Declare a resource, or a template of resources where the URI has `{variables}`.

    Args:
        uri: The URI or RFC 6570 template; its variables are the function's parameters.
        title: For people.
        mime_type: Of the text or bytes that the function returns.
        name: Where the function's own name will not do.
        complete: For a variable, a function that takes what has been typed and offers values.
        timeout: Seconds, where the server's default will not do.
        cache: Keeps what was read for its caller.
        since: The first version of the API that has it.
        until: The last one.
    """

    def declare(function: Function) -> Resource:
        return Resource(
            function=function,
            name=name or _name_of(function),
            title=title,
            access="read",
            description=_docstring(function),
            timeout=timeout,
            cache=cache,
            since=since,
            until=until,
            uri=uri,
            mime_type=mime_type,
            complete=complete or {},
        )

    return declare


def prompt(
    *, title: str, name: str | None = None, complete: Mapping[str, Completion] | None = None
) -> Callable[[Function], Prompt]:
    """Declare a prompt: the function returns the text, or messages in the protocol's form."""

    def declare(function: Function) -> Prompt:
        return Prompt(
            function=function,
            name=name or _name_of(function),
            title=title,
            access="read",
            description=_docstring(function),
            complete=complete or {},
        )

    return declare


def _name_of(function: Function) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _docstring(function: Function) -> str:
    text = inspect.getdoc(function)
    if not text:
        raise ValueError(f"{_name_of(function)} needs a docstring: it is what a model reads")
    return text
