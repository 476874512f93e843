"""What writes to Slack return beyond what all do."""

from ringmain_core.answers import Outcome


class Written(Outcome):
    """What a write came to: with the channel's id, and the message's `ts`.

    `replies` are those of further messages, where a text needed more than one.
    """

    channel: str | None = None
    ts: str | None = None
    replies: list[str] | None = None
