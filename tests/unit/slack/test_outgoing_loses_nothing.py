"""Whatever the Markdown is: its words are in the blocks, in their order, and the limits are kept."""

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from ringmain_slack.markdown import parse
from ringmain_slack.mentions import Mentions
from ringmain_slack.outgoing import messages_of
from ringmain_slack.pieces import Style
from standins.slack.blocks import nodes

WORDS = some.text("abcdefgxyz", min_size=1, max_size=12)
LINES = some.lists(WORDS, min_size=1, max_size=12).map(" ".join)
PARAGRAPHS = some.lists(LINES, min_size=1, max_size=4).map("\n".join)
STYLED = some.builds("{0} **{1}** _{2}_ ~~{0}~~ `{1}` [{2}](https://ex.ample/1)".format, WORDS, LINES, WORDS)
CODE = PARAGRAPHS.map("```\n{}\n```".format)
HEADINGS = some.builds("{} {}".format, some.sampled_from(["#", "##", "######"]), LINES)


def tables(draw: some.DrawFn) -> str:
    columns = draw(some.integers(1, 22))
    row = some.lists(WORDS, min_size=columns, max_size=columns).map(lambda cells: f"| {' | '.join(cells)} |")
    head, *rows = draw(some.lists(row, min_size=1, max_size=120))
    return "\n".join([head, f"|{'-|' * columns}", *rows])


def prefixed(inner: some.SearchStrategy[str]) -> some.SearchStrategy[str]:
    """Quotes and lists of what there is."""
    parts = some.lists(inner, min_size=1, max_size=4)
    return some.one_of(
        parts.map(lambda each: "\n>\n".join(re.sub("(?m)^", "> ", part) for part in each)),
        parts.map(lambda each: "\n".join(f"- {part}".replace("\n", "\n  ") for part in each)),
        parts.map(
            lambda each: "\n".join(f"{at}. {part}".replace("\n", "\n   ") for at, part in enumerate(each, 1))
        ),
    )


BLOCKS = some.recursive(
    some.one_of(PARAGRAPHS, STYLED, CODE, HEADINGS, some.composite(tables)(), some.just("---")),
    prefixed,
    max_leaves=12,
)
DOCUMENTS = some.lists(BLOCKS, min_size=1, max_size=30).map("\n\n".join)
ANYTHING = some.text("ab |#>-*_`~[]()<>!@:/.\\1\n\t", max_size=400)
ONE_BY_ONE = re.compile(r"[a-z]+")


def converted(text: str, *, only_rich: bool = False) -> list[list[dict[str, Any]]]:
    return [message.blocks for message in messages_of(parse(text), Style(Mentions(), only_rich=only_rich))]


def sources(text: str) -> str:
    """The letters of a text of ours, without addresses: they stand before their labels, but not in code."""
    return re.sub(r"[^a-z]", "", text).replace("httpsexample", "")


def letters(blocks: Any) -> str:
    found: list[str] = []
    for node in nodes(blocks):
        if node.get("type") == "emoji":
            found.append(node["name"])
        found += [node[name] for name in ("url", "text") if isinstance(node.get(name), str)]
    return re.sub(r"[^a-z]", "", "".join(found)).replace("httpsexample", "")


@given(DOCUMENTS, some.booleans())
@settings(max_examples=60, deadline=None)
def test_every_word_is_there_in_its_order(text: str, only_rich: bool) -> None:
    made = converted(text, only_rich=only_rich)
    assert letters(made) == sources(text)


@given(DOCUMENTS)
@settings(max_examples=40, deadline=None)
def test_every_message_is_within_the_limits(text: str) -> None:
    for blocks in converted(text * 3):
        tables = [block for block in blocks if block["type"] == "table"]
        assert 0 < len(blocks) <= 50
        assert len(tables) <= 1
        assert len(json.dumps([one for one in blocks if one not in tables], ensure_ascii=False)) <= 12_500
        for node in nodes(blocks):
            assert node.get("text") != ""
            assert node.get("elements") != []
        for table in tables:
            assert len(table["rows"]) <= 100
            assert all(len(row) <= 20 for row in table["rows"])


@given(ANYTHING)
@settings(max_examples=300, deadline=None)
def test_no_text_is_too_odd(text: str) -> None:
    kept = iter(letters(converted(text)))
    wanted = re.sub(r"^[ >\t-]*(```+|~~~+)[ \t]*[^\s`]+[ \t]*$", r"\1", text, flags=re.MULTILINE)  # languages
    missing = [letter for letter in re.sub(r"[^a-z]", "", wanted) if letter not in kept]
    assert missing == []
