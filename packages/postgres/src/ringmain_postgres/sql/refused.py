"""The one way in which the guard says no."""


class SqlRefused(Exception):
    """A statement that will not be run.

    `code` is stable and meant for programs, `reason` says what is wrong and `hint` what to do instead;
    both are whole sentences written for a model.
    """

    def __init__(self, code: str, reason: str, hint: str = "") -> None:
        super().__init__(f"{reason} {hint}".rstrip())
        self.code = code
        self.reason = reason
        self.hint = hint
