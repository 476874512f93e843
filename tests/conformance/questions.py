"""The fixture's tools and prompts that ask the client: each is written once and serves both eras."""

import json
from typing import Any

import mcp_types as types

from ringmain_core.call import Call
from ringmain_core.tooling import prompt, tool

Asked = types.InputRequiredResult


def _form(
    message: str, required: list[str] | None = None, **properties: dict[str, Any]
) -> types.ElicitRequest:
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required is None:
        required = list(properties)
    if required:
        schema["required"] = required
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=schema))


def _sample(text: str, max_tokens: int = 100) -> types.CreateMessageRequest:
    message = types.SamplingMessage(role="user", content=types.TextContent(text=text))
    params = types.CreateMessageRequestParams(messages=[message], max_tokens=max_tokens)
    return types.CreateMessageRequest(params=params)


def _ask(state: str | None = None, /, **requests: types.InputRequest) -> Asked:
    return Asked(input_requests=requests, request_state=state)


def _accepted(call: Call, key: str) -> dict[str, Any] | None:
    """What a person filled in; `None` where nobody has, yet."""
    answer = call.input_responses.get(key)
    return answer.content if isinstance(answer, types.ElicitResult) and answer.action == "accept" else None


def _said(call: Call, key: str) -> str | None:
    """What a model said; `None` where it was not asked, yet."""
    answer = call.input_responses.get(key)
    if isinstance(answer, types.CreateMessageResult) and isinstance(answer.content, types.TextContent):
        return answer.content.text
    return None


def _outcome(call: Call, key: str) -> str | None:
    answer = call.input_responses.get(key)
    if not isinstance(answer, types.ElicitResult):
        return None
    return f"action={answer.action}, content={json.dumps(answer.content)}"


_NAME: dict[str, Any] = {"type": "string"}


@tool(access="read", title="Ask a model")
async def test_sampling(call: Call, prompt: str) -> str | Asked:
    """Have the client's model answer."""
    said = _said(call, "answer")
    return _ask(answer=_sample(prompt)) if said is None else f"LLM response: {said}"


@tool(access="read", title="Ask a person")
async def test_elicitation(call: Call, message: str) -> str | Asked:
    """Have the client's user answer."""
    outcome = _outcome(call, "answer")
    if outcome is not None:
        return f"User response: {outcome}"
    return _ask(
        answer=_form(
            message,
            username={"type": "string", "description": "User's response"},
            email={"type": "string", "description": "User's email address"},
        )
    )


@tool(access="read", title="Ask with defaults")
async def test_elicitation_sep1034_defaults(call: Call) -> str | Asked:
    """Ask for one value of each primitive type, with defaults."""
    outcome = _outcome(call, "answer")
    if outcome is not None:
        return f"Elicitation completed: {outcome}"
    return _ask(
        answer=_form(
            "Please check these.",
            [],
            name={"type": "string", "default": "John Doe"},
            age={"type": "integer", "default": 30},
            score={"type": "number", "default": 95.5},
            status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
            verified={"type": "boolean", "default": True},
        )
    )


def _titled(*titles: str) -> list[dict[str, str]]:
    return [{"const": f"value{number}", "title": title} for number, title in enumerate(titles, start=1)]


@tool(access="read", title="Ask for choices")
async def test_elicitation_sep1330_enums(call: Call) -> str | Asked:
    """Ask for choices, in each of the five forms."""
    outcome = _outcome(call, "answer")
    if outcome is not None:
        return f"Elicitation completed: {outcome}"
    options = ["option1", "option2", "option3"]
    return _ask(
        answer=_form(
            "Please choose.",
            [],
            untitledSingle={"type": "string", "enum": options},
            titledSingle={
                "type": "string",
                "oneOf": _titled("First Option", "Second Option", "Third Option"),
            },
            legacyEnum={
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            untitledMulti={"type": "array", "items": {"type": "string", "enum": options}},
            titledMulti={
                "type": "array",
                "items": {"anyOf": _titled("First Choice", "Second Choice", "Third Choice")},
            },
        )
    )


@tool(access="read", title="Need a model")
async def test_missing_capability(call: Call) -> str | Asked:
    """Need the client's model, and nothing else."""
    return _said(call, "answer") or _ask(answer=_sample("Are you there?"))


@tool(access="read", title="Ask while streaming")
async def test_streaming_elicitation(call: Call) -> str | Asked:
    """Report progress, then ask."""
    await call.progress(1, 2)
    return _outcome(call, "answer") or _ask(answer=_form("Go on?", ok={"type": "boolean"}))


@tool(access="read", title="Ask for a name")
async def test_input_required_result_elicitation(call: Call) -> str | Asked:
    """Greet whoever gives a name."""
    given = _accepted(call, "user_name")
    if given is None or "name" not in given:
        return _ask(user_name=_form("What is your name?", name=_NAME))
    return f"Hello, {given['name']}!"


@tool(access="read", title="Ask for a capital")
async def test_input_required_result_sampling(call: Call) -> str | Asked:
    """Have a model name a capital."""
    return _said(call, "capital_question") or _ask(capital_question=_sample("What is the capital of France?"))


@tool(access="read", title="Ask for roots")
async def test_input_required_result_list_roots(call: Call) -> str | Asked:
    """Name the client's roots."""
    answer = call.input_responses.get("client_roots")
    if not isinstance(answer, types.ListRootsResult):
        return _ask(client_roots=types.ListRootsRequest())
    return "Roots: " + ", ".join(str(root.uri) for root in answer.roots)


@tool(access="read", title="Ask with state")
async def test_input_required_result_request_state(call: Call) -> str | Asked:
    """Recognise the call that comes back."""
    if _accepted(call, "confirm") is None or call.request_state != "waiting":
        return _ask("waiting", confirm=_form("Please confirm", ok={"type": "boolean"}))
    return "state-ok"


@tool(access="read", title="Ask three things")
async def test_input_required_result_multiple_inputs(call: Call) -> str | Asked:
    """Ask a person, a model and the client at once."""
    given, greeting = _accepted(call, "user_name"), _said(call, "greeting")
    roots = call.input_responses.get("client_roots")
    if given is None or greeting is None or not isinstance(roots, types.ListRootsResult):
        return _ask(
            "three",
            user_name=_form("What is your name?", name=_NAME),
            greeting=_sample("Generate a greeting", 50),
            client_roots=types.ListRootsRequest(),
        )
    return f"{greeting} {given['name']}, you have {len(roots.roots)} roots."


@tool(access="read", title="Ask twice")
async def test_input_required_result_multi_round(call: Call) -> str | Asked:
    """Ask one thing after the other, and remember the first."""
    first, second = _accepted(call, "step1"), _accepted(call, "step2")
    if call.request_state is None or (first is None and second is None):
        return _ask("started", step1=_form("Step 1: What is your name?", name=_NAME))
    if first is not None:
        return _ask(
            json.dumps(first), step2=_form("Step 2: What is your favorite color?", color={"type": "string"})
        )
    return f"{json.loads(call.request_state)['name']} likes {(second or {})['color']}."


@tool(access="read", title="Ask with sealed state")
async def test_input_required_result_tampered_state(call: Call) -> str | Asked:
    """Trust nothing but its own state."""
    if call.request_state != "mine":
        return _ask("mine", confirm=_form("Please confirm", ok={"type": "boolean"}))
    return "The state came back unchanged."


@tool(access="read", title="Ask whom it can")
async def test_input_required_result_capabilities(call: Call) -> str | Asked:
    """Ask only what the client says that it can answer."""
    able = call.client.client_capabilities or types.ClientCapabilities()
    requests: dict[str, types.InputRequest] = {}
    if able.elicitation is not None:
        requests["person"] = _form("Are you there?", ok={"type": "boolean"})
    if able.sampling is not None:
        requests["model"] = _sample("Are you there?")
    return "Nobody can be asked." if not requests or call.input_responses else _ask(**requests)


@prompt(title="Ask for context")
async def test_input_required_result_prompt(call: Call) -> str | Asked:
    """A prompt that needs to be told something first."""
    given = _accepted(call, "user_context")
    if given is None:
        return _ask(user_context=_form("What context should the prompt use?", context={"type": "string"}))
    return f"Work with this: {given['context']}"


TOOLS = (
    test_sampling,
    test_elicitation,
    test_elicitation_sep1034_defaults,
    test_elicitation_sep1330_enums,
    test_missing_capability,
    test_streaming_elicitation,
    test_input_required_result_elicitation,
    test_input_required_result_sampling,
    test_input_required_result_list_roots,
    test_input_required_result_request_state,
    test_input_required_result_multiple_inputs,
    test_input_required_result_multi_round,
    test_input_required_result_tampered_state,
    test_input_required_result_capabilities,
)
PROMPTS = (test_input_required_result_prompt,)
