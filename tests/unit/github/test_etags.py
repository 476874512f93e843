"""Known answers are kept by token, and within bounds."""

from ringmain_github.client import JSON, Reply
from ringmain_github.etags import ETags, key_of


def test_an_answer_without_a_tag_is_not_kept_and_drops_the_one_before() -> None:
    etags = ETags()
    etags.put("a", Reply(200, {"etag": '"1"'}, "one"))
    etags.put("a", Reply(200, {}, "two"))
    assert etags.get("a") is None


def test_what_was_not_asked_for_the_longest_time_goes_first() -> None:
    etags = ETags(most_bytes=10)
    for name in ("a", "b"):
        etags.put(name, Reply(200, {"etag": name}, "12345"))
    assert etags.get("a") is not None
    etags.put("c", Reply(200, {"etag": "c"}, "12345"))
    assert [name for name in "abc" if etags.get(name) is not None] == ["a", "c"]


def test_an_answer_that_is_replaced_is_counted_once() -> None:
    etags = ETags(most_bytes=10)
    for _ in range(5):
        etags.put("a", Reply(200, {"etag": "a"}, "12345"))
    etags.put("b", Reply(200, {"etag": "b"}, "12345"))
    assert etags.get("a") is not None


def test_two_tokens_never_share_an_answer_and_a_key_holds_no_token() -> None:
    one = key_of("ghp_one", "/user", {"page": 1}, JSON)
    assert one != key_of("ghp_two", "/user", {"page": 1}, JSON)
    assert one != key_of("ghp_one", "/user", {"page": 2}, JSON)
    assert "ghp_one" not in one
