"""Of web pages, what people see is read; no page takes longer than its length."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringmain_vector.web_pages import WebPage, web_page

PAGE = """<!DOCTYPE html><html><head><TITLE> Herons &amp;
  egrets </TITLE><style>p { color: red }</style><script>var x = "<p>no</p>";</script></head>
<body><h1>Herons</h1><p>They   <b>wait</b>,<br>long.</p><ul><li>fish<li>frogs</ul>
<pre>a
  b</pre><table><tr><th>Name<td>Size</table><img src=x onerror=alert(1) alt="no"></body></html>"""


def test_a_page_becomes_text_with_headings() -> None:
    assert web_page(PAGE) == WebPage(
        "# Herons\n\nThey wait,\nlong.\n\n- fish\n- frogs\n\n```\na\n  b\n```\n\n Name Size",
        "Herons & egrets",
    )


@pytest.mark.parametrize(
    ("html", "text"),
    [
        pytest.param("a<script>b</script>c", "ac", id="script"),
        pytest.param("a<SCRIPT\n>b</p></script foo>c", "ac", id="end with attributes"),
        pytest.param("a<script>b", "a", id="script without end"),
        pytest.param("a<script src=x/>b</script>c", "ac", id="scripts do not close themselves"),
        pytest.param("a<script hidden>b</script>c", "ac", id="hidden script"),
        pytest.param("a<!-- b --> c <!-- d", "a c", id="comments"),
        pytest.param("a<!--><p>b-->c", "ac", id="comment that looks empty"),
        pytest.param("a<div hidden>b<div>c</div>d</div>e", "ae", id="hidden"),
        pytest.param('a<p style="x:y;DISPLAY :none">b</p>c', "ac", id="not displayed"),
        pytest.param('a<span aria-hidden="true">b</span>c', "ac", id="hidden from readers"),
        pytest.param("a<svg><text>b</text></svg>c<svg/>d", "acd", id="pictures"),
        pytest.param("a<template><p>b</p></template>c", "ac", id="template"),
        pytest.param("a<br hidden>b", "a\nb", id="hidden break"),
        pytest.param("1 &lt; 2 < 3 &#x26; <3", "1 < 2 < 3 & <3", id="marks that are none"),
        pytest.param("&lt;script&gt;", "<script>", id="escaped"),
        pytest.param("</div></pre></p>a", "a", id="ends without beginning"),
        pytest.param("", "", id="nothing"),
        pytest.param('<p title="the hidden gem">a</p>', "a", id="hidden in a value"),
        pytest.param('<b class="flex hidden md:block">a</b>', "a", id="hidden as a class"),
        pytest.param("<p hidden>a<p>b<p>c", "b\n\nc", id="paragraph without end"),
        pytest.param("<div><p hidden>a</div>b", "b", id="paragraph that ends with what is around it"),
        pytest.param("<ul><li hidden>a<ul><li>b</ul><li>c</ul>d", "- c\n\nd", id="item without end"),
        pytest.param("<table><tr hidden><td>a<tr><td>b</table>c", "b\n\nc", id="row without end"),
        pytest.param("<table><tr><td hidden>a<td>b</table>", "b", id="cell without end"),
        pytest.param("<dl><dt hidden>a<dd>b</dl>", "b", id="term without end"),
        pytest.param("<div aria-hidden=true>a</div>b", "b", id="hidden from readers, unquoted"),
    ],
)
def test_what_people_do_not_see_is_left_out(html: str, text: str) -> None:
    assert web_page(html).text == text


HOSTILE = [
    "<a ",
    "<!--",
    "<![",
    "</a",
    '<a x="',
    "<",
    "<script>",
    "<title",
    "&#",
    "<?",
    "<pre>",
    "<b hidden>",
    "<p hidden>",
    "a",
    "<a" + " x" * 3,
    "</script ",
    "a=\"b='",
]


@pytest.mark.parametrize("part", HOSTILE)
def test_no_page_takes_long(part: str) -> None:
    began = time.process_time()
    for begin, end in (("", ""), ("", ">"), ("<", ""), ("<script>", "")):
        web_page(begin + part * 50_000 + end)
    assert time.process_time() - began < 2


@given(st.lists(st.sampled_from([*HOSTILE, "</", ">", "a", "p", " ", "--", "script"]), max_size=50))
def test_any_page_is_read(parts: list[str]) -> None:
    assert "<script>" not in web_page("".join(parts)).text
