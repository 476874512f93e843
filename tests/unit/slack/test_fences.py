"""What a fence lets in: names of public channels, ids, and nothing private by a wildcard."""

import pytest

from ringmain_core.policy import Fence
from ringmain_slack.conversations import Conversation
from ringmain_slack.fences import admits

GENERAL = Conversation("C000000001", "public", "general")
OPS = Conversation("C000000002", "private", "ops")
ADA = Conversation("D000000003", "dm", "", "U1")
GROUP = Conversation("C000000004", "group", "mpdm-ada--bo-1")
EVERY = {"general": GENERAL, "ops": OPS, "ada": ADA, "group": GROUP}


@pytest.mark.parametrize(
    ("pattern", "inside"),
    [
        ("*", "general"),
        ("#*", "general"),
        ("#gen*", "general"),
        ("general", "general"),
        ("acme/*", "general"),
        ("labs/*", ""),
        ("acme/private:*", "ops"),
        ("C000000001", "general"),
        ("C*", ""),
        ("C000000002", "ops"),
        ("ops", "ops"),
        ("#ops", "ops"),
        ("op*", ""),
        ("private:*", "ops"),
        ("private:o?s", "ops"),
        ("public:*", "general"),
        ("dm:*", "ada"),
        ("dm:@ada", "ada"),
        ("dm:bo", ""),
        ("D000000003", "ada"),
        ("group:*", "group"),
        ("ada", ""),
        ("", ""),
    ],
)
def test_patterns_let_in_what_they_name(pattern: str, inside: str) -> None:
    fence = Fence((pattern,))
    found = [name for name, one in EVERY.items() if admits(fence, {"public"}, "acme", one, "ada")]
    assert found == ([inside] if inside else [])


def test_without_a_fence_the_kinds_decide() -> None:
    found = [name for name, one in EVERY.items() if admits(Fence(), {"public", "dm"}, "acme", one, "ada")]
    assert found == ["general", "ada"]
    assert not any(admits(Fence(()), {"public"}, "acme", one, "ada") for one in EVERY.values())
