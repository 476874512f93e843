"""Markdown becomes Slack's blocks: what Slack can show is shown, the rest stays text, nothing is lost."""

import html
import json
import re
from typing import Any

import pytest

from ringmain_slack.markdown import bare, parse
from ringmain_slack.mentions import Mentions
from ringmain_slack.outgoing import MOST_MESSAGES, Message, messages_of
from ringmain_slack.pieces import Style
from standins.slack.blocks import nodes

MENTIONS = Mentions(
    people={"ada": "U0ADA00001", "u0ada00001": "U0ADA00001"},
    channels={"general": "C0GENERAL1", "c0general1": "C0GENERAL1"},
    names={"U0ADA00001": "ada", "C0GENERAL1": "general"},
)
LABEL = "https://x.example/a_b_"
LOUD = Mentions(
    groups={"oncall": "S0ONCALL01", "s0oncall01": "S0ONCALL01"},
    everybody=True,
    names={"S0ONCALL01": "oncall"},
)


def messages(text: str, mentions: Mentions = MENTIONS, *, only_rich: bool = False) -> list[Message]:
    return messages_of(parse(text), Style(mentions, only_rich=only_rich))


def blocks(text: str, mentions: Mentions = MENTIONS, *, only_rich: bool = False) -> list[dict[str, Any]]:
    (made,) = messages(text, mentions, only_rich=only_rich)
    return made.blocks


def rich(text: str, mentions: Mentions = MENTIONS) -> list[dict[str, Any]]:
    """The elements of the one block of rich text."""
    (block,) = blocks(text, mentions)
    assert block["type"] == "rich_text"
    return block["elements"]


def inline(text: str, mentions: Mentions = MENTIONS) -> list[dict[str, Any]]:
    """The elements of the one paragraph."""
    (section,) = rich(text, mentions)
    assert section["type"] == "rich_text_section"
    return section["elements"]


def said(text: str, *styles: str) -> dict[str, Any]:
    style = {"style": dict.fromkeys(styles, True)} if styles else {}
    return {"type": "text", "text": text, **style}


def letters(value: Any) -> str:
    """All letters of some blocks, in their order."""
    said = (
        f"{node.get('url', '')}{node.get('text', '')}" for node in nodes(value) if node["type"] != "header"
    )
    return re.sub(r"[^a-zA-Z=:/.]", "", "".join(said))


def kinds(value: Any) -> set[str]:
    return {str(node["type"]) for node in nodes(value) if "type" in node}


def test_styles_are_styles() -> None:
    assert inline("a **b _c_** ~~d~~ `e`") == [
        said("a "),
        said("b ", "bold"),
        said("c", "bold", "italic"),
        said(" "),
        said("d", "strike"),
        said(" "),
        said("e", "code"),
    ]


def test_lines_and_paragraphs_stay_apart() -> None:
    assert inline("one\ntwo\n\nthree") == [said("one\ntwo"), said("\n\n"), said("three")]


@pytest.mark.parametrize(
    ("text", "element"),
    [
        ("[label](https://x.example)", {"type": "link", "url": "https://x.example", "text": "label"}),
        ("<https://x.example>", {"type": "link", "url": "https://x.example"}),
        ("https://x.example/a_(b)", {"type": "link", "url": "https://x.example/a_(b)"}),
        ("![chart](https://x.example/i)", {"type": "link", "url": "https://x.example/i", "text": "chart"}),
        ("[a](mailto:a@x.example)", {"type": "link", "url": "mailto:a@x.example", "text": "a"}),
        ("**<tel:1>**", {"type": "link", "url": "tel:1", "style": {"bold": True}}),
        (":tada:", {"type": "emoji", "name": "tada"}),
        (":+1:", {"type": "emoji", "name": "+1"}),
    ],
)
def test_links_images_and_emoji(text: str, element: dict[str, Any]) -> None:
    assert inline(text) == [element]


@pytest.mark.parametrize(
    "text",
    [
        "at 10:30:45 sharp",
        "<b>bold</b> and <!-- hidden -->",
        "me@x.example and path/@ada/#general",
        "#42 and #nowhere and @nobody",
        "@here @channel @everyone <!here> <!channel> <!everyone|all> @oncall <!subteam^S0ONCALL01>",
        "<@U0NOBODY01> <#C0NOWHERE1|secret>",
        "<!date^1392734382^{date}|then>",
    ],
)
def test_what_means_nothing_stays_text(text: str) -> None:
    assert inline(text) == [said(text)]


def test_an_address_that_slack_takes_no_link_to_stays_readable() -> None:
    assert inline("[notes](./notes.md)") == [said("notes (./notes.md)")]


def test_an_address_ends_before_the_sentence_does() -> None:
    assert inline("(see https://x.example/a.)") == [
        said("(see "),
        {"type": "link", "url": "https://x.example/a"},
        said(".)"),
    ]


def test_slacks_own_link_shows_where_it_leads() -> None:
    assert inline("<https://evil.example|https://good.example>") == [
        said("<"),
        {"type": "link", "url": "https://evil.example"},
        said("|"),
        {"type": "link", "url": "https://good.example"},
        said(">"),
    ]


@pytest.mark.parametrize("text", ["@ada", "<@U0ADA00001>", "<@U0ADA00001|whoever>", "@Ada"])
def test_people_are_mentioned(text: str) -> None:
    for end in (".", "'s", ", you", "\n"):
        (mention, *_) = inline(f"{text}{end}")
        assert mention == {"type": "user", "user_id": "U0ADA00001"}


@pytest.mark.parametrize("text", ["#general", "<#C0GENERAL1>", "<#C0GENERAL1|general>"])
def test_channels_are_mentioned(text: str) -> None:
    assert inline(text) == [{"type": "channel", "channel_id": "C0GENERAL1"}]


def test_nobody_is_mentioned_in_code_or_in_a_label() -> None:
    assert kinds(blocks("`@ada` [@ada](https://x.example)\n\n```\n@ada\n```")) == {
        "rich_text",
        "rich_text_section",
        "rich_text_preformatted",
        "text",
        "link",
    }


def test_whole_channels_and_groups_are_mentioned_where_that_was_asked_for() -> None:
    assert inline("@here <!channel> @oncall <!subteam^S0ONCALL01|x>", LOUD) == [
        {"type": "broadcast", "range": "here"},
        said(" "),
        {"type": "broadcast", "range": "channel"},
        said(" "),
        {"type": "usergroup", "usergroup_id": "S0ONCALL01"},
        said(" "),
        {"type": "usergroup", "usergroup_id": "S0ONCALL01"},
    ]


def test_headings_are_headers_as_long_as_they_lose_nothing() -> None:
    assert blocks("# Plan *A*") == [
        {"type": "header", "text": {"type": "plain_text", "text": "Plan A", "emoji": True}}
    ]
    (linked,) = rich("## [Plan](https://x.example) A")
    assert linked["elements"][1] == said(" A", "bold")
    assert linked["elements"][0]["style"] == {"bold": True}
    (long,) = rich(f"# {'word ' * 31}")
    assert long["elements"] == [said(("word " * 31).strip(), "bold")]


def test_lists_nest_and_their_numbers_go_on() -> None:
    text = "3. a\n   - b\n     - c\n4. d\n\n   ```py\n   code\n   ```\n5. e"
    made = [(one["type"], one.get("style"), one.get("indent"), one.get("offset")) for one in rich(text)]
    assert made == [
        ("rich_text_list", "ordered", 0, 2),
        ("rich_text_list", "bullet", 1, None),
        ("rich_text_list", "bullet", 2, None),
        ("rich_text_list", "ordered", 0, 3),
        ("rich_text_preformatted", None, None, None),
        ("rich_text_list", "ordered", 0, 4),
    ]
    assert messages(text)[0].shown.splitlines()[:4] == ["3. a", "  - b", "    - c", "4. d"]


def test_quotes_hold_what_a_quote_can() -> None:
    assert [(one["type"], one.get("border")) for one in rich("> a\n>\n> - b\n>\n> ```\n> c\n> ```")] == [
        ("rich_text_quote", None),
        ("rich_text_list", 1),
        ("rich_text_preformatted", 1),
    ]


def test_what_is_empty_makes_no_empty_element() -> None:
    for text in ("# \n\nx", "- \n- x", "> \n\nx", "```\n```\n\nx", "|a|b|\n|-|-|\n||x|"):
        assert not [
            node for node in nodes(blocks(text)) if node.get("text") == "" or node.get("elements") == []
        ]


def test_nothing_at_all_makes_no_message() -> None:
    assert messages(" \n\n ") == []


def test_the_first_table_is_a_table_and_the_next_are_aligned_text() -> None:
    table = "| Name | Count |\n|:--|--:|\n| a | 1 |\n| **b** | |"
    first, second = blocks(f"{table}\n\n{table}")
    assert first["column_settings"] == [
        {"align": "left", "is_wrapped": True},
        {"align": "right", "is_wrapped": True},
    ]
    assert first["rows"][1] == [{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "1"}]
    bold = {"type": "rich_text_section", "elements": [said("b", "bold")]}
    assert first["rows"][2] == [
        {"type": "rich_text", "elements": [bold]},
        {"type": "raw_text", "text": " "},
    ]
    assert second["elements"][0]["elements"][0]["text"].splitlines() == [
        "Name | Count",
        "-----+------",
        "a    |     1",
        "b    |",
    ]


@pytest.mark.parametrize(
    "table",
    [
        "|a|\n|-|\n" + "|x|\n" * 100,
        f"{'|a' * 21}|\n{'|-' * 21}|\n",
        "|a|\n|-|\n" + f"|{'x' * 999}|\n" * 11,
        "|a|b|\n|-|-|\n|1|2|3|",
    ],
    ids=["rows", "columns", "characters", "cells beyond the head"],
)
def test_tables_that_slack_does_not_take_are_text(table: str) -> None:
    made = [block for message in messages(table) for block in message.blocks]
    assert {block["type"] for block in made} == {"rich_text"}
    assert kinds(made) == {"rich_text", "rich_text_preformatted", "text"}


def test_where_only_rich_text_goes_everything_is_rich_text() -> None:
    made = blocks("# a\n\n---\n\n|b|\n|-|\n|c|", only_rich=True)
    assert [block["type"] for block in made] == ["rich_text"]


def test_the_text_beside_the_blocks_is_inert_and_short() -> None:
    (made,) = messages(f"<!channel> & @ada in #general <@U0EVIL0001> {'<' * 3_000}")
    assert made.text.startswith("&lt;!channel&gt; &amp; @ada in #general &lt;@U0EVIL0001&gt; ")
    assert len(made.text) <= 3_000
    assert made.text.endswith("…")
    assert "<" not in made.text
    assert html.unescape(messages("a < b")[0].text) == "a < b"


@pytest.mark.parametrize(
    "text",
    [
        "word " * 5_000,
        "\n\n".join(f"Paragraph {number} {'x' * 300}" for number in range(80)),
        "\n".join(f"{number}. {'item ' * 30}" for number in range(1, 150)),
        "- " + "word " * 5_000 + "\n- last",
        "```\n" + "\n".join(f"line {number} {'=' * 60}" for number in range(300)) + "\n```",
        "> " + "word " * 5_000,
        "x" * 30_000,
        "[" + "label " * 4_000 + "](https://x.example)",
        "\n\n".join(f"# Head {number}\n\n---" for number in range(60)),
        "|a|b|\n|-|-|\n" + "\n".join(f"|row {number}|{'cell ' * 15}|" for number in range(240)),
    ],
    ids=["paragraph", "paragraphs", "numbers", "item", "code", "quote", "word", "label", "headers", "rows"],
)
def test_what_is_long_is_split_within_the_limits_and_nothing_is_lost(text: str) -> None:
    made = messages(text)
    assert 1 < len(made) <= MOST_MESSAGES
    for message in made:
        assert len(message.blocks) <= 50
        assert len(json.dumps(message.blocks, ensure_ascii=False)) <= 12_500
    kept = "".join(letters(message.blocks) for message in made)
    assert kept.replace("https://x.example", "") == re.sub(
        r"[^a-zA-Z=]", "", text.replace("https://x.example", "")
    )


def test_a_split_list_keeps_its_numbers_and_split_code_its_lines() -> None:
    numbers = "\n".join(f"{number}. {'item ' * 30}" for number in range(1, 150))
    assert messages(numbers)[1].shown.split(".")[0] == str(
        messages(numbers)[1].blocks[0]["elements"][0]["offset"] + 1
    )
    code = "```\n" + "\n".join(f"line {number} {'=' * 60}" for number in range(300)) + "\n```"
    for message in messages(code):
        (block,) = message.blocks
        (pre,) = block["elements"]
        assert pre["type"] == "rich_text_preformatted"
        assert pre["elements"][0]["text"].startswith("line ")


def test_what_nests_without_end_is_plain_text() -> None:
    assert kinds(blocks("> " * 5_000 + "deep")) == {"rich_text", "rich_text_preformatted", "text"}


def address(url: str) -> dict[str, Any]:
    return {"type": "link", "url": url}


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("https://x.example/pkg/__init__.py", [address("https://x.example/pkg/__init__.py")]),
        ("https://x.example/*/y", [address("https://x.example/*/y")]),
        ("http://x.example/a~~b~~c!", [address("http://x.example/a~~b~~c"), said("!")]),
        ("https://*.example.com/*", [address("https://*.example.com/"), said("*")]),
        (
            "**https://x.example/a_b_**",
            [{**address("https://x.example/a_b"), "style": {"bold": True}}, said("_", "bold")],
        ),
        ("(https://x.example/a_(b)_c)", [said("("), address("https://x.example/a_(b)_c"), said(")")]),
        ("https://x.example/a\\_b?c&amp;d", [address("https://x.example/a_b?c&d")]),
        ("[https://x.example/a_b_](https://y.example)", [{**address("https://y.example"), "text": LABEL}]),
        ("`https://x.example/_a_`", [said("https://x.example/_a_", "code")]),
        ("ratio: a_b_", [said("ratio: a_b_")]),
    ],
)
def test_addresses_are_taken_whole(text: str, elements: list[dict[str, Any]]) -> None:
    assert inline(text) == elements


def test_the_end_of_an_address_is_found_in_one_go() -> None:
    class Counted(str):
        __slots__ = ()
        counts = 0

        def count(self, *args: Any) -> int:
            Counted.counts += 1
            return super().count(*args)

    assert bare(Counted(f"https://x{')' * 1_000}")) == "https://x"
    assert Counted.counts == 6


def test_a_list_that_begins_with_0_keeps_its_numbers() -> None:
    (made,) = rich("0. none\n1. one")
    assert made["style"] == "bullet"
    assert [item["elements"] for item in made["elements"]] == [
        [said("0. "), said("none")],
        [said("1. "), said("one")],
    ]


def test_a_table_in_a_quote_is_a_table_without_the_marks_of_the_quote() -> None:
    (made,) = rich("> | a | b |\n> |---|---|\n> | 1 | 2 |")
    assert made == {
        "type": "rich_text_preformatted",
        "elements": [said("a | b\n--+--\n1 | 2")],
        "border": 1,
    }
    (made,) = rich("> | a |\n> |---|\n> | 1 | 2 |")
    assert made["elements"] == [said("| a |\n|---|\n| 1 | 2 |")]


@pytest.mark.parametrize("text", ["@ada/core", "@ada@example.com"])
def test_packages_and_addresses_mention_nobody(text: str) -> None:
    assert inline(text) == [said(text)]
    assert inline("@ada/@ada.")[0] == {"type": "user", "user_id": "U0ADA00001"}
