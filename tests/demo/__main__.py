"""`python -m demo`: a real Postgres, real documents, the real servers, a real client, and what they say."""

import argparse
import json
import secrets
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from demo import questions
from demo.documents import ask_for_documents, documents_entry, take_in
from demo.server import POLICY, Operator, desktop_entry
from demo.trail import show_trail, tamper_with_a_copy
from showing.conversation import over_http, over_stdio
from showing.database import READER, FlightsDatabase, flights_database
from showing.failed import expect
from showing.interrupts import run
from showing.program import status_of
from showing.served import Server
from showing.surroundings import own_folder
from showing.terminal import Terminal


def main() -> int:
    """Show everything, then serve until Ctrl-C; return the exit status."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the last step")
    options = parser.parse_args()
    terminal = Terminal("demo")

    def steps(opened: ExitStack) -> None:
        server = _show(terminal, opened)
        if not options.once:
            _serve(terminal, server)

    return status_of(terminal, steps)


def _show(terminal: Terminal, opened: ExitStack) -> Server:
    """Every step in order; what stays open is closed by the stack."""
    folder = opened.enter_context(own_folder("demo"))
    terminal.say(
        f"Ringmain: PostgreSQL and documents for agents. Everything is in {folder} and is deleted at the end."
    )

    terminal.heading("A real Postgres, with the flights that left New York City in 2013")
    terminal.say("Starting an empty Postgres, then loading it table by table.")
    database = opened.enter_context(flights_database())
    version = run(database.load(lambda line: terminal.say(f"  {line}")))
    terminal.say(f"PostgreSQL {version}; the tables have foreign keys, indexes and comments.")

    terminal.heading("A role that can only read")
    password = secrets.token_hex(8)
    run(_make_reader(terminal, database, folder, password))
    operator = Operator(terminal, folder, database.url(READER, password))

    terminal.heading("A policy, two keys, and the server")
    terminal.say("policy.toml:")
    terminal.verbatim(POLICY.strip())
    keys = {agent: _key_for(agent, operator) for agent in ("analyst", "intern")}
    server = opened.enter_context(operator.serving())
    terminal.checked(f"{server.url} is ready")

    run(_talk_over_http(terminal, server.url, keys))
    entry = desktop_entry(database.url(READER, password))
    run(_talk_over_stdio(terminal, entry, folder))

    terminal.heading("The audit")
    show_trail(operator, terminal)
    tamper_with_a_copy(operator, terminal, folder)

    documents = documents_entry(folder)
    terminal.heading("Documents: what this project says of itself")
    take_in(terminal, folder, _state(folder))
    run(_talk_about_documents(terminal, documents, folder))

    terminal.heading("Try it yourself")
    terminal.say("claude_desktop_config.json, as long as the demo runs:")
    terminal.verbatim(json.dumps({"mcpServers": {"flights": entry, "docs": documents}}, indent=2))
    terminal.say("\nThe flights over HTTP:")
    terminal.verbatim(f"URL            {server.url}\nAuthorization  Bearer {keys['analyst']}")
    terminal.say(f"\nEverything above is checked and right. It took {terminal.seconds:.1f} s.")
    return server


def _serve(terminal: Terminal, server: Server) -> None:
    try:
        terminal.say("\nIt serves until Ctrl-C.")
        server.wait_until_it_ends()
    except KeyboardInterrupt:
        terminal.say("\nStopping.")


def _key_for(agent: str, operator: Operator) -> str:
    said = operator.run("keys", "create", agent).splitlines()
    key = next((line for line in said if line.startswith("rm_")), "")
    expect(key, f"`keys create {agent}` should show a key.")
    return key


async def _make_reader(terminal: Terminal, database: FlightsDatabase, folder: Path, password: str) -> None:
    """Ask the server for its script, as a database administrator would, and run it."""
    entry = desktop_entry(database.url())
    async with over_stdio(terminal, entry, _state(folder), folder / "stdio.log") as at:
        text = await at.ask("As the superuser, to learn what is wrong with that.", "security_posture", 16)
    _, mark, rest = text.partition(f"CREATE ROLE {READER}")
    expect(mark, f"`security_posture` should write a script that makes {READER}.")
    await database.run((mark + rest).replace("'…'", f"'{password}'"))
    terminal.checked(f"the script was run; from here on the server works as {READER}")


async def _talk_over_http(terminal: Terminal, url: str, keys: dict[str, str]) -> None:
    terminal.heading("Over HTTP, as the analyst")
    async with over_http(terminal, url, keys["analyst"]) as at:
        await questions.find_out(at)
        await questions.turn_pages(at)
        await questions.look_closer(at)
        terminal.heading("What is refused: everything that does not read")
        await questions.try_to_break(at)
    terminal.heading("What is refused: to the intern, and to strangers")
    async with over_http(terminal, url, keys["intern"]) as at:
        await questions.ask_as_intern(at)
    questions.knock_without_key(terminal, url)


async def _talk_over_stdio(terminal: Terminal, entry: dict[str, Any], folder: Path) -> None:
    terminal.heading("Over stdio, as a desktop client starts it")
    async with over_stdio(terminal, entry, _state(folder), folder / "stdio.log") as at:
        await questions.ask_at_the_desk(at)


async def _talk_about_documents(terminal: Terminal, entry: dict[str, Any], folder: Path) -> None:
    async with over_stdio(terminal, entry, _state(folder), folder / "documents.log") as at:
        await ask_for_documents(at)


def _state(folder: Path) -> dict[str, str]:
    """Keeps what is started over stdio out of the user's own folders."""
    return {"RINGMAIN_STATE_DIR": str(folder / "state")}


if __name__ == "__main__":
    sys.exit(main())
