"""What the agent has found out, and the report that it makes of it."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Incident:
    """What somebody in Slack says is wrong.

    Attributes:
        channel: Where, as `#name`.
        ts: Of the message that began it.
        link: To that message.
        day: Whose report it is.
        published: The mean delay that the report has, in minutes.
        repo: What is named in the thread.
    """

    channel: str
    ts: str
    link: str
    day: date
    published: float
    repo: str

    @property
    def title(self) -> str:
        return f"Wrong delays of {self.day:%-d %B %Y}"


@dataclass(frozen=True)
class Runbook:
    """What is to be done: queries for one day and for all of them, the file to look at."""

    document_id: str
    of_a_day: str
    of_all: str
    source: str


@dataclass(frozen=True)
class Cause:
    """A commit, with the lines that it took away, and the pull request that brings them back.

    Attributes:
        merged: Address of the pull request that the commit came by.
        fix: Number of the one that brings them back.
        fix_sha: Of its head.
        fix_url: Its address.
    """

    sha: str
    author: str
    message: str
    removed: str
    merged: str
    fix: int
    fix_sha: str
    fix_url: str


@dataclass(frozen=True)
class Numbers:
    """Of the day, and of the whole year."""

    flights: int
    true_mean: float
    naive_mean: float
    wrong: int
    wrong_in_all: int
    days: int


def report(incident: Incident, runbook: Runbook, cause: Cause, numbers: Numbers) -> str:
    """In Markdown, with where each statement is from."""
    return f"""\
# {incident.title}

Alarm: [{incident.channel}]({incident.link}). Runbook: `{runbook.document_id}`.

## What was published, and what is true

| {incident.day:%-d %B %Y} | minutes |
| --- | --- |
| mean departure delay as published | {incident.published} |
| worked out from the clock times alone | {numbers.naive_mean} |
| mean departure delay in the database | {numbers.true_mean} |

{numbers.wrong} of {numbers.flights} flights are wrong, each by a whole day: they left after midnight. In the
whole year {numbers.wrong_in_all:,} flights on {numbers.days} days are.

## Cause

Commit [`{cause.sha[:10]}`]({cause.merged}) of {cause.author}, “{cause.message}”, took this away:

```python
{cause.removed}
```

## Evidence

```sql
{runbook.of_a_day}
```

with the parameters {incident.day.month}, {incident.day.day}.

## What is next

[Bring it back, with a test]({cause.fix_url}), then run the reports of all {numbers.days} days again.
"""


def reply(incident: Incident, numbers: Numbers, url: str) -> str:
    """What is said in the thread."""
    return (
        f"**{incident.day:%-d %B %Y}**: flights left {numbers.true_mean} minutes late on average, not "
        f"{-numbers.naive_mean} minutes early. {numbers.wrong} of {numbers.flights} left after midnight, "
        f"and count as a day early since yesterday's change. [The report]({url}) has cause and evidence."
    )
