"""The documentation of this project, taken in by the vector connector, and the questions that it answers."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from demo.progress import watched
from showing.conversation import Conversation
from showing.documentation import GENERAL, OF_CONNECTORS, copy_documentation
from showing.failed import expect
from showing.served import command_path
from showing.terminal import Terminal

_COMMAND = "ringmain-vector"

# What is asked, and what one of the passages found has to say.
_QUESTIONS = (
    ("How do I limit what an agent may do?", "policy"),
    ("What happens to a write whose answer got lost?", "idempotency_key"),
    ("How can I tell that somebody edited the audit?", "hash-chained"),
)


def documents_entry(folder: Path) -> dict[str, Any]:
    """The server's entry in `claude_desktop_config.json`."""
    return {
        "command": command_path(_COMMAND),
        "args": [],
        "env": {"RINGMAIN_VECTOR_STORE": f"edge://{folder / 'store'}"},
    }


def take_in(terminal: Terminal, folder: Path, settings: Mapping[str, str]) -> None:
    """Copy the documentation into a folder, and have it indexed as an operator does."""
    pages = copy_documentation(folder / "docs", *GENERAL, *OF_CONNECTORS)
    entry = documents_entry(folder)
    terminal.command(f"{_COMMAND} index docs")
    said = ""
    command = [entry["command"], "index", str(folder / "docs")]
    with closing(watched(command, {**entry["env"], **settings})) as lines:
        for said in lines:
            terminal.answer(said)
    expect(said == f"docs: {pages} added.", f"All {pages} pages should be taken in.")
    terminal.checked(f"{pages} pages are in an embedded store; the model came along, nothing was fetched")


async def ask_for_documents(at: Conversation) -> None:
    """Search by words and by meaning; each question has its answer among the first hits."""
    tools = await at.tools()
    expect("search_documents" in tools, "There should be the tool `search_documents`.")
    for question, expected in _QUESTIONS:
        hits = await at.search(question, _shown, query=question, top_k=3)
        expect(any(expected in hit["text"] for hit in hits), f"A passage should say `{expected}`.")
    question, _ = _QUESTIONS[-1]
    text = await at.ask("And as a model reads it.", "search_documents", query=question, top_k=1)
    expect("<untrusted-" in text, "A passage should be fenced as what comes from outside.")


def _shown(hit: Mapping[str, Any]) -> Iterator[str]:
    """Score, title and position; then how the passage begins."""
    document, _, number = hit["id"].rpartition("#")
    yield f"{hit['score']:.4f}  {hit['title']}: {document}, passage {number}"
    heading, _, text = hit["text"].partition("\n")
    first = text.strip().partition("\n")[0] if heading.startswith("#") else ""
    yield f"        {heading}{' | ' if first else ''}{first}"
