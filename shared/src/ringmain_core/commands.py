"""The sub-commands that operators use: keys, policy, audit, accounts, tools, doctor."""

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ringmain_core.connector import AnyConnector, Command
from ringmain_core.cursors import Cursors
from ringmain_core.declarations import Tool
from ringmain_core.errors import ConfigurationError, ToolFailure
from ringmain_core.on_disk import PolicyStore, audit_key, audit_path, key_file
from ringmain_core.policy import Policy
from ringmain_core.principal import Principal
from ringmain_core.secrets import Secrets
from ringmain_core.services import Services
from ringmain_core.settings import ConnectorSettings, CoreSettings

_FAILED = 1
_PLAIN = re.compile(r"[^\s\"]+")


def run(
    connector: AnyConnector,
    options: argparse.Namespace,
    core: CoreSettings,
    settings: ConnectorSettings,
    secrets: Secrets,
) -> int:
    """Run one sub-command and return its exit status."""
    match (options.command, options.__dict__.get("action")):
        case ("keys", "create"):
            return _create_key(connector, core, options.agent)
        case ("keys", "list"):
            return _list_keys(core)
        case ("keys", "revoke"):
            return _revoke_key(core, options.id)
        case ("policy", "check"):
            return _check_policy(connector, core)
        case ("policy", "explain"):
            return _explain(connector, core, options)
        case ("audit", "verify"):
            return _verify(connector, core, options)
        case ("audit", "tail"):
            return _tail(connector, core, options)
        case ("accounts", _):
            from ringmain_core.identity.accounts.commands import run_accounts

            return asyncio.run(run_accounts(connector, options, core, settings, _say, _complain))
        case ("tools", _):
            if options.format is not None:
                return _show_functions(connector.views[options.api], options.format)
            return _show_tools(connector.views[options.api], as_json=options.json)
        case ("doctor", _):
            from ringmain_core.doctor import doctor

            return asyncio.run(doctor(connector, core, settings, secrets, _say))
        case (name, _):
            command = next(one for one in connector.commands if one.name == name)
            return asyncio.run(_run_own(connector, command, options, settings, secrets))


async def _run_own(
    connector: AnyConnector,
    command: Command[Any],
    options: argparse.Namespace,
    settings: ConnectorSettings,
    secrets: Secrets,
) -> int:
    """Do what a connector adds of its own."""
    services = Services(Cursors(os.urandom(32)), secrets=secrets)
    async with connector.connect(settings, services) as upstream:
        try:
            return await command.run(upstream, options, _say)
        except ToolFailure as error:
            _complain(f"{connector.distribution}: {error.message}")
            return _FAILED


def _say(line: str) -> None:
    print(line, flush=True)


def _complain(line: str) -> None:
    print(line, file=sys.stderr)


def _create_key(connector: AnyConnector, core: CoreSettings, agent: str) -> int:
    policy = PolicyStore(connector, core.policy).current
    if agent not in policy.agents:
        raise ConfigurationError(
            f"there is no agent {agent!r} (known: {', '.join(policy.agents)}). "
            + (
                f'Add to {core.policy}:\n\n[[agents]]\nid = "{agent}"\nroles = ["…"]'
                if core.policy
                else "Set RINGMAIN_POLICY to a policy file that has it."
            )
        )
    key, stored = key_file(core).create(agent)
    print(f"Key {stored.id} for agent {agent!r}. It is shown only this once:", file=sys.stderr)
    print(key, flush=True)
    print(
        f"Stored as a hash in {key_file(core).path}. To carry it in the policy file instead:\n"
        f'  key = "{stored.hash}"',
        file=sys.stderr,
    )
    return 0


def _list_keys(core: CoreSettings) -> int:
    keys = key_file(core).keys()
    if not keys:
        print("No keys. Make one with `keys create AGENT`.")
    for key in keys.values():
        print(f"{key.id}  {key.created}  {key.agent}")
    return 0


def _revoke_key(core: CoreSettings, key_id: str) -> int:
    revoked = key_file(core).revoke(key_id)
    if revoked is None:
        print(f"There is no key {key_id!r}; `keys list` shows them.", file=sys.stderr)
        return _FAILED
    print(f"Key {key_id} of agent {revoked.agent!r} is revoked.")
    return 0


def _check_policy(connector: AnyConnector, core: CoreSettings) -> int:
    policy = PolicyStore(connector, core.policy).current
    print(f"{core.policy or 'No policy file is set (RINGMAIN_POLICY); the default'}: fine.")
    for agent in policy.agents.values():
        print(f"  agent {agent.id}: roles {', '.join(agent.roles) or 'none'}")
    for issuer in policy.issuers.values():
        given = dict.fromkeys(rule.role for rule in issuer.roles)
        print(f"  issuer {issuer.name}: {issuer.issuer}, roles by claims: {', '.join(given) or 'none'}")
    return 0


def _explain(connector: AnyConnector, core: CoreSettings, options: argparse.Namespace) -> int:
    policy = PolicyStore(connector, core.policy).current
    declarations = [d for d in connector.declarations() if options.tool in (None, d.name)]
    if not declarations:
        known = ", ".join(d.name for d in connector.declarations())
        raise ConfigurationError(f"{connector.name} has no {options.tool!r} (it has {known})")
    try:
        arguments: Any = json.loads(options.args)
    except ValueError as error:
        raise ConfigurationError(f"--args is not JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise ConfigurationError("--args is not a JSON object")
    principal = _explained(policy, options)
    if principal.auth == "jwt":
        print(f"{principal.id}: roles {', '.join(policy.roles_of(principal) or ()) or 'none'}")
    refused = 0
    for declaration in declarations:
        grant = policy.grant(principal, connector.name, declaration.name, declaration.access)
        scope = f"{connector.name}:{declaration.access}"
        lacking = grant.allowed and principal.scopes is not None and scope not in principal.scopes
        allowed = grant.allowed and not lacking
        refused += not allowed
        print(f"{'allowed' if allowed else 'refused'}  {declaration.name} ({declaration.access})")
        print(f"         {grant.because}")
        if lacking:
            print(f"         but the token lacks the scope {scope}; clients are told to ask for it")
        for kind in sorted({kind for fences in grant.fences for kind in fences}):
            print(f"         fence {kind}: {grant.fence(kind).describe()}")
        if grant.confirm and declaration.access != "read":
            print("         a person has to confirm it")
        if options.tool and isinstance(declaration, Tool):
            limits = policy.tool_limits(connector.name, declaration.name) or policy.agent_limits(principal)
            print(f"         limits: {limits.rate:g}/s, burst {limits.burst}, {limits.concurrency} at once")
            unknown = sorted(set(cast("dict[str, Any]", arguments)) - set(declaration.arguments.names))
            if unknown:
                print(f"         it takes no argument {', '.join(unknown)}")
    return _FAILED if refused and options.tool else 0


def _explained(policy: Policy, options: argparse.Namespace) -> Principal:
    """Whom `policy explain` is about: an agent, or whoever has a token with some claims."""
    if options.agent is not None:
        return Principal(options.agent, "api_key")
    from ringmain_core.identity.jwt import principal_of

    issuers = {issuer.name: issuer for issuer in policy.issuers.values()}
    issuer = issuers.get(options.issuer)
    if issuer is None:
        raise ConfigurationError(
            f"the policy has no issuer {options.issuer!r} (it has {', '.join(issuers) or 'none'})"
        )
    try:
        claims: Any = json.loads(options.claims)
    except ValueError as error:
        raise ConfigurationError(f"--claims is not JSON: {error}") from None
    if not isinstance(claims, dict):
        raise ConfigurationError("--claims is not a JSON object")
    return principal_of(issuer, {"sub": "anybody", **cast("dict[str, Any]", claims)})


def _verify(connector: AnyConnector, core: CoreSettings, options: argparse.Namespace) -> int:
    from ringmain_core.audit.verify import verify_files

    current = audit_path(connector, core)
    paths = [Path(name) for name in options.files] or [current]
    try:
        report = verify_files(paths, [audit_key(core)], head=Path(options.head) if options.head else None)
    except OSError as error:
        raise ConfigurationError(f"{error.filename}: {error.strerror}") from None
    for note in report.notes:
        print(f"note: {note}")
    if report.problem is not None:
        print(f"TAMPERED: {report.problem}")
        return _FAILED
    print(f"{report.records:,} records verified, up to number {report.last_seq:,} ({report.last_mac[:16]}…).")
    return 0


def _tail(connector: AnyConnector, core: CoreSettings, options: argparse.Namespace) -> int:
    from ringmain_core.audit.tail import tail

    path = audit_path(connector, core)
    try:
        for record in tail(path, options.lines, follow=options.follow):
            print(json.dumps(record) if options.json else _line_of(record), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    return 0


def _line_of(record: Mapping[str, Any]) -> str:
    """A record in one line, of which what callers have chosen can neither make two nor look like the rest."""
    what = " ".join(_quoted(record[key]) for key in ("method", "target") if record.get(key)) or "-"
    ending = record.get("outcome") or record.get("phase", "")
    why = f" ({record['code']})" if record.get("code") else ""
    took = f" {record['latency_ms']:.0f} ms" if "latency_ms" in record else ""
    arguments = f" {json.dumps(record['arguments'], ensure_ascii=False)}" if record.get("arguments") else ""
    who = _quoted(record.get("principal", "-"))
    line = f"{record.get('time', '')} {record.get('seq', '')} {who} {what}: {ending}{why}{took}{arguments}"
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in line)


def _quoted(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def tokens_of(tool: Tool) -> int:
    """What a tool costs a model in every session: a quarter of the bytes of name, description and schema."""
    shown = tool.listing()
    schema = json.dumps(shown["inputSchema"], separators=(",", ":"), ensure_ascii=False)
    return -(-len(f"{shown['name']}{shown['description']}{schema}".encode()) // 4)


def _show_tools(connector: AnyConnector, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"tools": [tool.listing() for tool in connector.tools]}, indent=2))
        return 0
    for tool in connector.tools:
        print(f"{tool.name}  [{tool.access}]  {tokens_of(tool)} tokens")
        print("\n".join(f"    {line}" for line in tool.description.splitlines()))
        print(f"    arguments: {', '.join(tool.arguments.names) or 'none'}\n")
    total = sum(tokens_of(tool) for tool in connector.tools)
    print(f"{len(connector.tools)} tools, {total:,} tokens (bytes / 4 of name, description and input schema)")
    _show_others("resources", [f"{resource.uri}" for resource in connector.resources])
    _show_others("prompts", [prompt.name for prompt in connector.prompts])
    return 0


def _show_functions(connector: AnyConnector, dialect: str) -> int:
    from ringmain_core.adapters import exported

    functions = exported(connector.name, [tool.listing() for tool in connector.tools], dialect)
    print(json.dumps(functions, indent=2, ensure_ascii=False))
    return 0


def _show_others(kind: str, names: list[str]) -> None:
    if names:
        print(f"{kind}: {', '.join(names)}")
