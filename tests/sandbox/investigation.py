"""What the agent does: from an alarm in Slack to a report on Drive, with all five servers.

There is no model: each step takes what it needs from the answer of the one before, as a model would.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.findings import Cause, Incident, Numbers, Runbook, reply, report
from showing.conversation import Conversation
from showing.failed import Failed, expect
from showing.terminal import Terminal
from standins.asking import rows_of

At = Mapping[str, Conversation]
"""Whom the agent talks to, by the name of the connector."""

_ALARM = re.compile(r"report for (.+?) cannot be right.* left ([\d.]+) minutes EARLY")
_REPO = re.compile(r"\binto (\S+/\S+)")
_SQL = re.compile(r"```sql\n(.*?)\n```", re.DOTALL)
_SOURCE = re.compile(r"`(\w+/\w+\.py)`")
_REMOVED = re.compile(r"^-(?!-)(.*)$", re.MULTILINE)


async def investigate(terminal: Terminal, at: At) -> tuple[Incident, Cause]:
    """The whole task; every step must find what the next one needs."""
    terminal.heading("Slack: what is wrong?")
    incident = await _find_incident(at["slack"])
    terminal.heading("Vector search: what is to be done?")
    runbook = await _find_runbook(at["vector"])
    terminal.heading("GitHub: what has changed?")
    cause = await _find_cause(at["github"], incident, runbook)
    terminal.heading("Postgres: what is true?")
    numbers = await _find_numbers(at["postgres"], incident, runbook)
    terminal.checked(f"{incident.published}, as published, is what the changed code makes of that day")
    terminal.heading("Drive: the report")
    url = await _write_report(at["gdrive"], incident, report(incident, runbook, cause, numbers))
    terminal.heading("Slack: the answer")
    await _answer(at["slack"], incident, reply(incident, numbers, url))
    return incident, cause


async def _find_incident(slack: Conversation) -> Incident:
    found = await slack.fetch("Does anybody complain about a report?", "search", query="punctuality report")
    expect(len(found["rows"]) == 1, "One alarm should be found.")
    channel, ts, _, _, text, link = found["rows"][0]
    said = _found(_ALARM, text, "The alarm should name a day and a number.")
    thread = await slack.ask("What do the others say?", "read_thread", ts=ts, channel=channel)
    repo = _found(_REPO, thread, "Somebody in the thread should name a repository.")
    day = datetime.strptime(said[1], "%d %B %Y").replace(tzinfo=UTC).date()
    return Incident(channel, ts, link, day, published=-float(said[2]), repo=repo[1])


async def _find_runbook(vector: Conversation) -> Runbook:
    symptom = "The report says that flights left early, but they were late"
    hits = await vector.search("Has somebody written down what to do then?", _shown, query=symptom, top_k=3)
    document: str = hits[0]["document_id"]
    expect("runbook" in document, f"A runbook should be found first, not {document}.")
    read = await vector.fetch("All of it.", "get_document", document_id=document)
    of_a_day, of_all = _SQL.findall(read["content"])
    source = _found(_SOURCE, read["content"], "The runbook should name the file to look at.")
    return Runbook(document, of_a_day, of_all, source[1])


def _shown(hit: Mapping[str, Any]) -> Iterator[str]:
    yield f"{hit['score']:.4f}  {hit['id']}: {hit['text'].partition(chr(10))[0]}"


async def _find_cause(github: Conversation, incident: Incident, runbook: Runbook) -> Cause:
    at = {"repo": incident.repo}
    listed = await github.fetch("Who has changed that file?", "list_commits", **at, path=runbook.source)
    sha, author, _, message = next(row for row in listed["rows"] if not row[3].startswith("Merge"))
    diff = await github.ask("What was changed?", "get_diff", 20, **at, sha=sha)
    removed = "\n".join(_REMOVED.findall(diff))
    expect("24 * 60" in removed, "The commit should have taken away what counts flights after midnight.")
    pulls = await github.fetch("Is there a fix?", "list_issues", **at, kind="prs", state="all")
    number = {row[2]: row[0] for row in pulls["rows"]}
    merged = await github.fetch(
        "How did the change come in?", "get_pull_request", **at, number=number["merged"], include=["body"]
    )
    fix = await github.fetch("What is the fix?", "get_pull_request", **at, number=number["open"])
    diff = await github.ask("Does it bring that back?", "get_diff", 30, **at, number=number["open"])
    expect(f"+{removed.splitlines()[-1]}" in diff, "The fix should bring back what was taken away.")
    return Cause(
        sha=sha,
        author=author,
        message=message,
        removed=removed,
        merged=merged["facts"]["url"],
        fix=number["open"],
        fix_sha=fix["facts"]["head_sha"],
        fix_url=fix["facts"]["url"],
    )


async def _find_numbers(postgres: Conversation, incident: Incident, runbook: Runbook) -> Numbers:
    day = [incident.day.month, incident.day.day]
    text = await postgres.ask("The runbook's query, for that day.", "query", sql=runbook.of_a_day, params=day)
    ((flights, true_mean, naive_mean, wrong),) = rows_of(text)
    expect(naive_mean == incident.published, f"{incident.published} was published, not {naive_mean}.")
    text = await postgres.ask("How far does it reach?", "query", sql=runbook.of_all)
    ((in_all, days, _),) = rows_of(text)
    return Numbers(flights, true_mean, naive_mean, wrong, in_all, days)


async def _write_report(drive: Conversation, incident: Incident, text: str) -> str:
    found = await drive.fetch("Where do reports go?", "search", name="Incident reports", kinds=["folder"])
    folder = found["rows"][0][0]
    listed = await drive.fetch("Is there one already?", "list_folder", folder=folder)
    expect(incident.title not in str(listed["rows"]), "There should be no such report yet.")
    new = {"name": incident.title, "folder": folder, "kind": "document", "content": text}
    made = await drive.fetch("Write it.", "create_file", **new, idempotency_key=f"report {incident.ts}")
    read = await drive.ask("Is it all there?", "read_file", 24, file=made["id"])
    missing = [line for line in text.splitlines() if line not in read]
    expect(not missing, f"The report should be read as it was written, but lacks: {missing}")
    return made["url"]


async def _answer(slack: Conversation, incident: Incident, text: str) -> None:
    message = {"channel": incident.channel, "thread_ts": incident.ts, "text": text}
    await slack.ask("How will it look?", "send_message", **message, dry_run=True)
    key = f"answer {incident.ts}"
    sent = await slack.fetch("Send it.", "send_message", **message, idempotency_key=key)
    again = await slack.fetch(
        "Once more, as after an answer that got lost.", "send_message", **message, idempotency_key=key
    )
    expect(again["ts"] == sent["ts"], "What is sent again with the same key should not be posted again.")
    text = await slack.ask("The thread now.", "read_thread", ts=incident.ts, channel=incident.channel)
    expect(text.count(sent["ts"]) == 1, "The answer should be there once.")


def _found(pattern: re.Pattern[str], text: str, otherwise: str) -> re.Match[str]:
    match = pattern.search(text)
    if match is None:
        raise Failed(f"{otherwise} It says: {text}")
    return match
