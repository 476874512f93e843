"""Texts become the tokens that BERT was trained with, whatever they are made of."""

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringmain_vector.embedders.wordpiece import WordPiece, bert

VOCABULARY = (files("ringmain_vector.embedders") / "vocab.txt").read_text(encoding="utf-8").split("\n")
BERT = bert(256)


def pieces(text: str, tokens: WordPiece = BERT) -> list[str]:
    """The tokens between the two that stand around every text."""
    found = [VOCABULARY[number] for number in tokens.ids(text)]
    assert (found[0], found[-1]) == ("[CLS]", "[SEP]")
    return found[1:-1]


def test_numbers_are_those_of_the_published_model() -> None:
    assert BERT.ids("Hello, world!") == [101, 7592, 1010, 2088, 999, 102]
    assert BERT.ids("UNaffable") == [101, 14477, 20961, 3468, 102]
    assert BERT.ids("The quick brown fox") == [101, 1996, 4248, 2829, 4419, 102]
    assert BERT.ids("") == [101, 102]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(" \t\r\n\u00a0\u3000\u2028", [], id="only space"),
        pytest.param(
            "don't re-read it...", ["don", "'", "t", "re", "-", "read", "it", ".", ".", "."], id="marks"
        ),
        pytest.param("max_bytes=10", ["max", "_", "bytes", "=", "10"], id="code"),
        pytest.param(
            "$5 + 3^2 ~ `x`", ["$", "5", "+", "3", "^", "2", "~", "`", "x", "`"], id="ASCII symbols"
        ),
        pytest.param("Ünïcödé naïve", ["unicode", "naive"], id="accents"),
        pytest.param("cafe\u0301", ["cafe"], id="accents apart"),
        pytest.param("İstanbul", ["istanbul"], id="a letter that lowers to two"),
        pytest.param("ΣΑΣ", ["σ", "##α", "##σ"], id="a sigma is the same at the end"),  # noqa: RUF001 (Greek is meant)
        pytest.param("中国a", ["中", "国", "a"], id="Chinese stands alone"),
        pytest.param("の", ["の"], id="kana"),
        pytest.param("한", ["ᄒ", "##ᅡ", "##ᆫ"], id="Hangul in its letters"),
        pytest.param("a\u200bb\x00c\x0cd\ufffd", ["abc", "##d"], id="what is not seen is not there"),
        pytest.param("¿qué? “yes”", ["¿", "que", "?", "“", "yes", "”"], id="marks of other scripts"),
        pytest.param("5€", ["5", "##€"], id="other symbols are letters"),
        pytest.param("🙂 ok", ["[UNK]", "ok"], id="unknown"),
        pytest.param("ok🙂", ["[UNK]"], id="a word with one unknown piece is unknown"),
        pytest.param("[SEP] [CLS]", ["[", "sep", "]", "[", "cl", "##s", "]"], id="no forged marks"),
        pytest.param("##ing", ["#", "#", "ing"], id="no forged pieces"),
        pytest.param("a" * 101, ["[UNK]"], id="a word too long to look at"),
        pytest.param("1" * 100, ["111", *["##11"] * 48, "##1"], id="a word not too long"),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


def test_long_texts_are_cut() -> None:
    assert pieces("word " * 1_000) == ["word"] * 254
    assert pieces("unaffable " * 3, bert(6)) == ["una", "##ffa", "##ble", "una"]


@given(st.text(max_size=300))
def test_any_text_has_tokens(text: str) -> None:
    found = BERT.ids(text)
    assert found[0] == 101
    assert found[-1] == 102
    assert len(found) <= 256
    assert not {101, 102} & set(found[1:-1])
