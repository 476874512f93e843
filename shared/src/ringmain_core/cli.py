"""The command of a connector: stdio by default, sub-commands for everything else."""

import argparse
import gc
import logging
import os
import sys
from collections.abc import Sequence

from pydantic import BaseModel

from ringmain_core.audit import AuditUnavailable
from ringmain_core.connector import AnyConnector
from ringmain_core.errors import ConfigurationError
from ringmain_core.log import secrets_in, set_up_logging
from ringmain_core.secrets import Secrets
from ringmain_core.settings import ConnectorSettings, CoreSettings, read_settings
from ringmain_core.versions import LATEST, VERSIONS

_FAILED, _MISCONFIGURED = 1, 2
_FORMATS = ("openai", "openai-strict", "openai-responses", "openai-responses-strict", "anthropic", "gemini")
_log = logging.getLogger(__name__)


def run(connector: AnyConnector, arguments: list[str] | None = None) -> int:
    """Do what the command line says.

    Returns:
        The exit status: 0 done, 1 a check or the program failed, 2 settings or arguments that cannot be used.
    """
    options = _parser(connector, arguments).parse_args(arguments)
    set_up_logging("info", "text", ())  # until the settings say how
    try:
        if options.command == "install":
            return _install(connector, options)  # without a look at settings, of which there are none yet
        given = {name: options.__dict__.get(name) for name in ("host", "port", "workers")}
        secrets = Secrets()
        with secrets.reading():
            core = read_settings(CoreSettings, **given)
            settings = read_settings(connector.settings)
            redactor = set_up_logging(core.log_level, core.log_format, secrets_in(core, settings))
            secrets.teach(redactor.learn)
            configured = connector.configured(settings)  # settings that name a file read it here
        if core.prompts_dir is not None:
            from ringmain_core.operator_prompts import read_prompts

            configured = configured.with_prompts(read_prompts(core.prompts_dir, configured))
        return _dispatch(configured, options, core, settings, secrets)
    except (ConfigurationError, AuditUnavailable) as error:
        print(f"{connector.distribution}: {error}", file=sys.stderr)
        return _MISCONFIGURED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever reads has enough of it, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:  # noqa: BLE001 (the edge: whatever it is, it must not reach Python's own traceback)
        _log.exception("ended by an unexpected failure")  # a traceback of Python's own would quote values
        return _FAILED


def _dispatch(
    connector: AnyConnector,
    options: argparse.Namespace,
    core: CoreSettings,
    settings: ConnectorSettings,
    secrets: Secrets,
) -> int:
    # Imported here: a client that starts us over stdio waits for every module that is not needed.
    match options.command:
        case None:
            gc.disable()  # until all is imported; `process` turns it on again
            from ringmain_core.process import run_stdio

            if sys.stdin.isatty():
                print(_hint(connector), file=sys.stderr)
            run_stdio(connector, core, settings, secrets)
            return 0
        case "serve":
            from ringmain_core.process import run_http

            run_http(
                connector, core, settings, secrets, lambda line: print(line, file=sys.stderr, flush=True)
            )
            return 0
        case _:
            from ringmain_core import commands

            return commands.run(connector, options, core, settings, secrets)


def _install(connector: AnyConnector, options: argparse.Namespace) -> int:
    from getpass import getpass

    from ringmain_core.clients.install import Person, run_install
    from ringmain_core.clients.settings import this_computer

    answers = sys.stdin.isatty()
    person = Person(print, input if answers else None, getpass if answers else None)
    return run_install(connector, options, this_computer(), person)


def _hint(connector: AnyConnector) -> str:
    return (
        f"{connector.distribution} speaks MCP on standard input and output, and waits for a client.\n"
        f"Try `{connector.distribution} doctor`, `{connector.distribution} tools`, or "
        f"`{connector.distribution} serve` for HTTP. Ctrl-C ends it."
    )


def _parser(connector: AnyConnector, arguments: list[str] | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=connector.distribution,
        description=f"{connector.title} for AI agents, over the Model Context Protocol. "
        "Without a command it serves the client that started it, on standard input and output.",
        epilog=_settings_help(CoreSettings, connector.settings, *_of_secrets(arguments)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"{connector.distribution} {connector.version}"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    _add_install(commands.add_parser("install", help="set it up in a client: Claude, Cursor, VS Code …"))

    serve = commands.add_parser("serve", help="serve over HTTP")
    serve.add_argument("--host", help="address to listen on (RINGMAIN_HOST)")
    serve.add_argument("--port", type=int, help="port to listen on, 0 for a free one (RINGMAIN_PORT)")
    serve.add_argument("--workers", type=int, help="processes that share the port (RINGMAIN_WORKERS)")

    keys = commands.add_parser("keys", help="API keys: create, list, revoke")
    key_actions = keys.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = key_actions.add_parser("create", help="make a key for an agent and show it once")
    create.add_argument(
        "agent", nargs="?", default="local", help="the agent's id in the policy (default: local)"
    )
    key_actions.add_parser("list", help="show which keys there are; the keys themselves are not kept")
    revoke = key_actions.add_parser("revoke", help="forget a key, at once for servers that are running")
    revoke.add_argument("id", help="the key's id, from `keys list`")

    policy = commands.add_parser("policy", help="the policy file: check it, ask what it says")
    policy_actions = policy.add_subparsers(dest="action", metavar="ACTION", required=True)
    policy_actions.add_parser("check", help="read the file and say what is wrong with it")
    explain = policy_actions.add_parser("explain", help="say whether an agent may use something, and why")
    whom = explain.add_mutually_exclusive_group(required=True)
    whom.add_argument("--agent", help="the agent's id")
    whom.add_argument("--issuer", help="the name of an issuer of tokens; `--claims` says what the token has")
    explain.add_argument("--claims", default="{}", help="the token's claims, `scope` included, as JSON")
    explain.add_argument("--tool", help="a tool, resource or prompt by name (default: all of them)")
    explain.add_argument("--args", default="{}", help="arguments of the call, as JSON")

    audit = commands.add_parser("audit", help="the audit trail: verify it, read it")
    audit_actions = audit.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = audit_actions.add_parser("verify", help="find the first record that was tampered with")
    verify.add_argument("files", nargs="*", help="the log, and files rotated away (default: the current log)")
    verify.add_argument("--head", help="a head that was kept elsewhere")
    tail = audit_actions.add_parser("tail", help="show the newest records")
    tail.add_argument("-n", "--lines", type=int, default=10, help="how many (default: 10)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on as records come")
    tail.add_argument("--json", action="store_true", help="whole records, as JSON lines")

    accounts = commands.add_parser("accounts", help="accounts at the provider: connect, list, disconnect")
    account_actions = accounts.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, does in (
        ("list", "show which account is connected"),
        ("connect", "show a link to open in a browser on this computer, and wait"),
        ("disconnect", "end the account's access, there and here"),
    ):
        account_action = account_actions.add_parser(action, help=does)
        account_action.add_argument(
            "--as", dest="owner", default="local", metavar="AGENT", help="whose account (default: local)"
        )

    tools = commands.add_parser("tools", help="show what a model sees, and what it costs in tokens")
    tools.add_argument(
        "--api", choices=VERSIONS, default=LATEST, help=f"version of the API (default: {LATEST})"
    )
    spelled = tools.add_mutually_exclusive_group()
    spelled.add_argument("--json", action="store_true", help="the answer to tools/list, as JSON")
    spelled.add_argument(
        "--format", choices=_FORMATS, help="functions for a provider's models: `tools` of a request, as JSON"
    )

    for command in connector.commands:
        command.arguments(commands.add_parser(command.name, help=command.help))

    commands.add_parser("doctor", help="check settings, credentials, reachability and permissions")
    return parser


def _add_install(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--client", metavar="NAME", help="the client; without it, all of them are listed")
    parser.add_argument("--name", help="name of the entry (default: that of this command)")
    parser.add_argument(
        "--project", nargs="?", const=".", metavar="FOLDER", help="in a project's file (default: this folder)"
    )
    parser.add_argument("--http", metavar="URL", help="an entry for a server that runs elsewhere")
    parser.add_argument("--sign-in", action="store_true", help="with --http: no key, the client signs in")
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="VARIABLE",
        help="a secret that the server needs; with --http, the variable that holds the key",
    )
    parser.add_argument(
        "--env", action="append", default=[], metavar="VARIABLE=VALUE", help="a setting that is no secret"
    )
    parser.add_argument("--remove", action="store_true", help="take the entry away again")
    parser.add_argument("--dry-run", action="store_true", help="show the change, and leave it at that")
    parser.add_argument("--yes", action="store_true", help="write without asking")


def _of_secrets(arguments: list[str] | None) -> Sequence[type[BaseModel]]:
    """The settings of secrets managers, where somebody asks for help: nobody else waits for them."""
    if not {"-h", "--help"} & set(sys.argv[1:] if arguments is None else arguments):
        return ()
    from ringmain_core.secrets.settings import AwsSettings, VaultSettings

    return VaultSettings, AwsSettings


def _settings_help(*kinds: type[BaseModel]) -> str:
    lines = ["settings, from the environment:"]
    for kind in kinds:
        prefix = str(kind.model_config.get("env_prefix", ""))
        for name, field in kind.model_fields.items():
            lines += [f"  {prefix}{name.upper()}", f"      {field.description}"]
    return "\n".join(lines)
