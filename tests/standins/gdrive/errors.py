"""`Refusal`: Google's way to say no, with the reasons it publishes."""

from typing import Any


class Refusal(Exception):
    """An error as Google sends it.

    Attributes:
        headers: Beside the body.
        body: `{"error": {…}}`.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        location: str = "",
        kind: str = "parameter",
        domain: str = "global",
        short: str = "",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        """Make it.

        Args:
            code: The status of HTTP.
            reason: In `errors[0].reason`.
            message: For developers.
            location: The parameter or header it is about.
            kind: `locationType`, where there is a location.
            domain: Almost always global.
            short: The message in `errors`, where it is another.
            headers: Of HTTP.
            more: Other fields of `error`: `status`, `details`.
        """
        super().__init__(f"{reason}: {message}")
        self.code, self.reason, self.headers = code, reason, headers or {}
        one: dict[str, Any] = {"message": short or message, "domain": domain, "reason": reason}
        if location:
            one |= {"location": location, "locationType": kind}
        self.body: dict[str, Any] = {
            "error": {"code": code, "message": message, "errors": [one], **more},
        }


def not_found(file_id: str, location: str = "fileId") -> Refusal:
    return Refusal(404, "notFound", f"File not found: {file_id}.", location=location)


def no_permission(file_id: str) -> Refusal:
    message = f"The user does not have sufficient permissions for file {file_id}."
    return Refusal(403, "insufficientFilePermissions", message)


def invalid_value(location: str, message: str = "Invalid Value") -> Refusal:
    return Refusal(400, "invalid", message, location=location)


def bad_request(message: str, location: str = "") -> Refusal:
    return Refusal(400, "badRequest", message, location=location)


_NOT_WRITABLE = "The resource body includes fields which are not directly writable."


def not_writable(message: str = _NOT_WRITABLE) -> Refusal:
    return Refusal(403, "fieldNotWritable", message)
