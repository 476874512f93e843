"""What writes on Drive return beyond what all do."""

from ringmain_core import answers


class Outcome(answers.Outcome):
    """What a write came to: with the file's revision then."""

    revision: str | None = None
