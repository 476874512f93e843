"""Texts are cut where people would cut them, and every passage knows where it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringmain_vector.chunking import Chunk, Kind, chunks, first_heading

KINDS: list[Kind] = ["markdown", "code", "text"]
WORDS = st.sampled_from(
    [
        "# One\n",
        "## Two ##\n",
        "```\n",
        "word ",
        "\n\n",
        "\n",
        "- item\n",
        " " * 700,
        "漢字。",
        "é",
        "a" * 300,
    ]
)
GUIDE = (
    "# Guide\n\n"
    + "Hello. " * 20
    + "\n\n## Install\n\n```\n# no heading\n```\n\n"
    + "Run it. " * 110
    + "\n\n## Use\n\n"
    + "Do. " * 240
)


@given(st.lists(WORDS | st.text(max_size=20), max_size=60).map("".join), st.sampled_from(KINDS))
def test_passages_are_parts_of_the_text_and_leave_out_only_space(text: str, kind: Kind) -> None:
    end = 0
    for chunk in chunks(text, kind):
        assert 0 < len(chunk.text) <= 1_200
        assert text[chunk.start : chunk.start + len(chunk.text)] == chunk.text
        assert not text[end : chunk.start].strip()
        end = chunk.start + len(chunk.text)
    assert not text[end:].strip()


def test_markdown_is_cut_at_its_headings_and_each_passage_has_its_own() -> None:
    found = chunks(GUIDE, "markdown")
    assert [(chunk.title, chunk.text[:10]) for chunk in found] == [
        ("Guide", "# Guide\n\nH"),
        ("Install", "## Install"),
        ("Use", "## Use\n\nDo"),
    ]


def test_no_heading_is_a_passage_alone_but_the_last() -> None:
    found = chunks("# One\n\n## Two\n\n" + "word " * 199 + "\n\n# End", "markdown")
    assert [(chunk.title, chunk.text[:20]) for chunk in found] == [
        ("One", "# One\n\n## Two\n\nword "),
        ("End", "# End"),
    ]


def test_what_comes_before_any_heading_has_none() -> None:
    assert chunks("Hello.\n\n# One", "markdown")[0].title == ""
    assert {chunk.title for chunk in chunks(GUIDE, "text")} == {""}


def test_short_texts_are_one_passage_without_the_lines_around_it() -> None:
    assert chunks("\n  one\n", "text") == [Chunk("  one", 1)]
    assert chunks(" \n\n ", "markdown") == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_passage_begins_with_the_indentation_of_its_first_line(kind: Kind) -> None:
    code = "".join(f"def f{n}():\n    if {n}:\n        return {n}\n\n" for n in range(60))
    found = chunks(code, kind)
    assert len(found) > 1
    assert all(not chunk.start or code[chunk.start - 1] == "\n" for chunk in found)


def test_texts_without_a_place_to_cut_are_cut_all_the_same_and_fast() -> None:
    assert [len(chunk.text) for chunk in chunks("x" * 100_500, "text")] == [*[1_000] * 100, 500]


def test_scripts_with_a_word_in_a_letter_are_cut_into_shorter_passages() -> None:
    assert max(len(chunk.text) for chunk in chunks("漢字仮名。" * 200, "text")) == 250


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("# One\n# Two", "One"),
        ("text\n\n  ### Three #  \n", "Three"),
        ("```\n# code\n```\n", ""),
        ("~~~\n```\n# code\n~~~\n# After", "After"),
        ("#hashtag\n####### seven", ""),
        ("# " + "x" * 500, "x" * 200),
    ],
)
def test_the_first_heading(text: str, heading: str) -> None:
    assert first_heading(text) == heading
