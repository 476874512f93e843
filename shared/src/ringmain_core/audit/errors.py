"""The two ways in which the audit log says no."""


class AuditUnavailable(Exception):
    """The record is not safely in the log, so the call it belongs to must be refused."""


class BadLine(Exception):
    """A line that is not a genuine record; the text says why."""
