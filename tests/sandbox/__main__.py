"""`python -m sandbox`: five systems of a company, the five servers, an agent at work; no credentials."""

import argparse
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from sandbox.investigation import investigate
from sandbox.servers import AGENT, PERSON, POLICY, Operator, serving
from sandbox.systems import Systems, running
from sandbox.temptations import Colleague, give_in
from sandbox.trail import show_trail
from showing.conversation import over_http
from showing.failed import expect
from showing.interrupts import run
from showing.program import status_of
from showing.served import Server
from showing.surroundings import own_folder
from showing.terminal import Terminal

_LOOKS_EVERY = 0.5

_TO_ASK = """\
- What was wrong with the report for 28 June 2013, and who has found it out?
- Was 8 March 2013 hit, too? Add it to the report.
- Merge the fix in acme/punctuality.                       (you are asked first)
- What does the runbook say, and is anything missing in it?
- How do I limit what an agent may do?                     (the documentation is in the vector store, too)"""


def main() -> int:
    """Show everything, then serve until Ctrl-C; return the exit status."""
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the last step")
    options = parser.parse_args()
    terminal = Terminal("sandbox")

    def steps(opened: ExitStack) -> None:
        systems, servers = _show(terminal, opened)
        if not options.once:
            _serve(terminal, systems, servers)

    return status_of(terminal, steps)


def _show(terminal: Terminal, opened: ExitStack) -> tuple[Systems, Mapping[str, Server]]:
    """Every step in order; what stays open is closed by the stack."""
    folder = opened.enter_context(own_folder("sandbox"))
    terminal.say(
        "Ringmain: five systems of a small company, and an agent that needs all of them. Everything is in "
        f"{folder} and is deleted at the end."
    )

    terminal.heading("Five systems")
    systems = opened.enter_context(running(terminal, folder))

    terminal.heading("Five servers, one policy")
    operator = Operator(folder, systems.reports)
    terminal.verbatim(POLICY.strip())
    servers = opened.enter_context(serving(terminal, operator, systems.settings(), folder))
    urls = {name: server.url for name, server in servers.items()}

    run(_work(terminal, urls, operator.key(AGENT)))

    terminal.heading("The audit of all five")
    show_trail(terminal, operator, urls)

    _tell(terminal, operator, urls, folder)
    return systems, servers


async def _work(terminal: Terminal, urls: Mapping[str, str], key: str) -> None:
    """The agent: one client for each server."""
    terminal.heading(f"The agent `{AGENT}`, over HTTP")
    colleague = Colleague(terminal)
    async with AsyncExitStack() as opened:
        at = {
            name: await opened.enter_async_context(over_http(terminal, url, key, name, colleague))
            for name, url in urls.items()
        }
        incident, cause = await investigate(terminal, at)
        await give_in(terminal, at, colleague, incident, cause)


def _tell(terminal: Terminal, operator: Operator, urls: Mapping[str, str], folder: Path) -> None:
    terminal.heading("Try it yourself")
    for name, url in urls.items():
        terminal.verbatim(f"{name:<14} {url}")
    terminal.verbatim(f"Authorization  Bearer, and what is in {operator.key_file(PERSON)}")
    terminal.verbatim(f"policy         {folder / 'policy.toml'}, read again on SIGHUP")
    entries = operator.entries(urls)
    terminal.say("\nAll entries for a client are in a file, for example:")
    terminal.verbatim(f"claude --mcp-config {entries}")
    terminal.say("\nWhat to ask:")
    terminal.verbatim(_TO_ASK)
    terminal.say(f"\nEverything above is checked and right. It took {terminal.seconds:.1f} s.")


def _serve(terminal: Terminal, systems: Systems, servers: Mapping[str, Server]) -> None:
    try:
        terminal.say("\nIt serves until Ctrl-C.")
        rest = systems.take_in_the_rest()
        while True:
            if news := next(rest, ""):
                terminal.checked(news)
            systems.require_running()
            for server in servers.values():
                expect(not server.has_ended, f"`{server.command} serve` has ended; its log is above.")
            time.sleep(_LOOKS_EVERY)
    except KeyboardInterrupt:
        terminal.say("\nStopping.")


if __name__ == "__main__":
    sys.exit(main())
