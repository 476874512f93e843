"""Whatever an error looks like, it is told in words."""

from typing import Any

import pytest

from ringmain_core.errors import UpstreamRefused
from ringmain_gdrive.client import NotDrive, Reply
from ringmain_gdrive.failures import require_success


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"error": "invalid_request", "error_description": "Bad Request"}, "Bad Request"),
        ({"error": "invalid_request"}, "invalid_request"),
        ({"error": {"message": "Bad", "errors": [{"reason": "badRequest"}]}}, "Bad"),
    ],
)
def test_an_error_is_an_object_or_a_word(data: dict[str, Any], words: str) -> None:
    with pytest.raises(UpstreamRefused, match=words):
        require_success(Reply(400, {}, data))


@pytest.mark.parametrize("error", [None, [], 7])
def test_what_is_no_error_of_drives_did_not_come_from_there(error: object) -> None:
    with pytest.raises(NotDrive):
        require_success(Reply(400, {}, {"error": error}))
