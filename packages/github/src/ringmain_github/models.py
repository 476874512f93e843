"""What writes on GitHub return beyond what all do."""

from ringmain_core import answers


class Outcome(answers.Outcome):
    """What a write came to: with the number of the issue or pull request, or the commit."""

    number: int | None = None
    sha: str | None = None
