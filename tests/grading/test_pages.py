"""What a page may show of a learner's work: Markdown without anything active, code in colours where that takes no time."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import v4

from unrolled.grading import pages, rebuild

HONEST = r"""
## My answer

1. The gradient $\frac{\partial L}{\partial W}$ is cut when $t<k$; `if i<n: x[i]`, `W[i](x)` and `<eos>` are code, see [D2L](https://d2l.ai) and [2][].
   $$\prod_{t=1}^{T} W^\top \operatorname{diag}(1-h_t^2) < 1$$

\begin{align}
a &<b \\ f[x](y) &= c
\end{align}

| lag | norm |
|---:|:---|
| 1 | $0.5<x$ |

```python
for i in a[1]:
    if i<n: print("<eos>", W[i](x))
```

- [x] *em*, **strong**, ~~del~~ until <eos> comes, for a < b
- dY@W.T

[2]: https://arxiv.org/abs/1211.5063
"""


class Live(HTMLParser):
    """The addresses that HTML links to or loads, its tags and its ids."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links, self.loads, self.tags, self.ids, self.handlers = [], [], set(), set(), []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            if name in {"href", "xlink:href", "action", "formaction"}:
                self.links.append(value or "")
            elif name in {"src", "srcset", "data", "poster", "background", "style"}:
                self.loads.append(value)
            elif name == "id":
                self.ids.add(value)
            elif name.startswith("on"):
                self.handlers.append(name)

    handle_startendtag = handle_starttag


def _is_harmless(page: str) -> bool:
    live = Live(page)
    web = all(re.match(r"(?i)#|https?://", link) for link in live.links)
    return web and not live.loads and not live.handlers and not live.tags & {"img", "script", "iframe", "svg", "style", "form", "input"}


def _by_markdown_it(source: str) -> str:
    """HTML by a parser of another family than nbconvert's, with everything on that GitHub's Markdown has."""
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": True})
    parser.validateLink = lambda url: True  # no second line of defence here
    return parser.render(source)


def _by_nbconvert(source: str) -> str:
    return MarkdownWithMath(renderer=IPythonRenderer(escape=False)).render(source)


PARSERS = pytest.mark.parametrize("render", [_by_markdown_it, _by_nbconvert], ids=["markdown-it", "nbconvert"])
PIECES = st.sampled_from([
    "[a]", "[a", "]", "(", ")", "(javascript:x)", "](javascript:x)", "(<javascript:x>)", "]: javascript:x", "\n[r]: ", "javascript:x", "JavaScript&colon;x",
    "&#106;avascript:x", "data:text/html,x", "//evil.example", "(//evil.example)", "/files/x.html", "(x.ipynb)", "![", "![p](http://e/p.png)", "!", "[r]", "<",
    ">", "<img src=x onerror=y>", "<a href=javascript:x>", "</a>", "<javascript:x>", "<!--", "-->", "<svg/onload=x>", "`", "``", "```", "~~~", "\n", "\n\n", " ", "    ",
    "\t", "\\", "$", "$$", "\\\\(", "\\\\[", "\\begin{a}", "\\end{a}", "> ", "- ", "1. ", "|", "|-|", "# ", "x", "@e.example", "me@e.example", "ftp://e", "http://e", "https://e", "#x",
    "(#x)", "(https://e)", "www.e.example", "mermaid", "mailto:", "\u00a0", "\u2028", "'", '"', "*", "_", "~~", "^", ":", "[^1]", "[^1]: ", "\u200b", "\ufeff", "attachment:x",
])  # fmt: skip


# --- Markdown ------------------------------------------------------------------------------------


@PARSERS
@settings(max_examples=200)
@given(text=st.lists(PIECES, max_size=14).map("".join))
@example(text="[a](javascript:x)")
@example(text="[a][r]\n\n[r]: javascript:x")
@example(text="`\\`![p](http://e/p.png)`")
@example(text="> [r]:\n> javascript:x\n\n[r]")
def test_what_is_entered_of_markdown_holds_nothing_active_for_any_parser(render, text):
    assert _is_harmless(render(rebuild.plain_markdown(text)))


@settings(max_examples=200)
@given(text=st.lists(PIECES, max_size=14).map("".join))
@example(text="[a](javascript:x)")
@example(text="<svg/onload=x>")
@example(text="```mermaid\n<img src=x onerror=y>\n```")
def test_a_page_shows_nothing_active_even_of_markdown_as_it_was_handed_in(text):
    assert _is_harmless(re.sub(r'<span title="[^"]*" style="[^"]*">', "", pages.markdown_html(text)))


@pytest.mark.parametrize("text", [
    "[a](https://e.example/x_(y))", "[a](  http://e.example)", "[a](<https://e.example> 'title')", "[a][r]\n\n[r]: https://e.example", "<https://e.example>",
    "https://e.example", "[a](HTTPS://E.example)", "[a](#Part)",
])  # fmt: skip
def test_a_link_to_the_web_or_within_the_page_lives(text):
    page = pages.markdown_html(rebuild.plain_markdown(text))
    assert len(Live(page).links) == 1 and _is_harmless(page)


@pytest.mark.parametrize("text", [
    "[a](javascript:x)", "[a](java&Tab;script:x)", "[a](//e.example)", "[a](x.ipynb)", "[a](file:///etc/passwd)", "[a](mailto:a@e.example)", "[a](data:text/html,x)",
    "[a][r]\n\n[r]: javascript:x", "<javascript:x>", "<a href='javascript:x'>a</a>", "ftp://e.example", "me@e.example",
])  # fmt: skip
def test_any_other_link_is_shown_as_it_was_written(text):
    page = pages.markdown_html(rebuild.plain_markdown(text))
    assert Live(page).links == []
    words = html.unescape(re.sub(r"<[^>]*>", " ", page))
    assert " ".join(words.split()) == " ".join(html.unescape(text).split())


@pytest.mark.parametrize("text", ["![a](https://e.example/p.png)", "![a](data:image/png;base64,AA)", "![a][r]\n\n[r]: https://e.example", "<img src='https://e.example'>"])
def test_no_picture_is_shown_of_a_learners_markdown(text):
    for given_text in (text, rebuild.plain_markdown(text)):
        assert Live(pages.markdown_html(given_text)).loads == []


def test_an_honest_explanation_is_shown_unharmed():
    page = pages.markdown_html(rebuild.plain_markdown(HONEST))
    assert page == pages.markdown_html(HONEST.replace("until <eos>", "until &lt;eos>"))
    words = html.unescape(re.sub(r"<[^>]*>", "", page))
    for kept in (r"$\frac{\partial L}{\partial W}$", "$t<k$", "if i<n: x[i]", "W[i](x)", "<eos>", "a &<b \\\\ f[x](y) &= c", 'print("<eos>", W[i](x))', "for i in a[1]:", "dY@W.T"):
        assert kept in words
    assert {"h2", "ol", "table", "code", "em", "strong", "del"} <= Live(page).tags
    assert Live(page).links == ["https://d2l.ai", "https://arxiv.org/abs/1211.5063"]


@pytest.mark.parametrize("text", ["The *gradient* is `cut`: $a < b$.\n\n- one\n- [two](https://e.example)\n", "x[i] = y[j] for 3 < 4, z: A @ B.T, 1/2"])
def test_markdown_without_anything_active_is_entered_as_it_is(text):
    assert rebuild.plain_markdown(text) == text


def test_a_learners_heading_takes_no_anchor_of_a_check():
    page = pages.markdown_html("# one_hot\n\n## *explanation*\n\n[to](#one_hot)")
    assert Live(page).ids == {"text-one_hot", "text-explanation"} and Live(page).links == ["#text-one_hot"]


# --- Characters ----------------------------------------------------------------------------------


def test_overrides_of_direction_are_shown_in_code():
    page = _page("return 34  # \u202e nruter \u202c\u2066")
    assert all(f">U+{code}</span>" in page for code in ("202E", "202C", "2066")) and not set("\u202e\u202c\u2066") & set(page)


def test_overrides_of_direction_are_shown_in_prose_and_prints():
    assert ">U+202E</span>" in pages.markdown_html("a \u202e b") and ">U+202E</span>" in pages.printed("a \u202e b")


def test_arabic_prose_and_joined_letters_are_left_alone():
    text = "السلام \u200fعليكم می\u200cخواهم"
    assert text in pages.markdown_html(text) and "می\u200cخواهم" in _page("# می\u200cخواهم")


# --- Code ----------------------------------------------------------------------------------------


def _page(*sources: str, exporter: type = pages.FeedbackExporter) -> str:
    cells = [v4.new_code_cell(source, metadata={"unrolled": {"cell": "added"}}) for source in sources]
    known = {"nbgrader": {"student": "ada", "notebook": "x", "score": 0, "max_score": 1, "late_penalty": 0}}
    return exporter().from_notebook_node(v4.new_notebook(cells=cells), known)[0]


def test_short_code_is_coloured():
    assert '<span class="k">return</span>' in _page("return 1")


@pytest.mark.parametrize("source", ["a = 1\n" * 1000, "x = [" + "1, " * 200 + "]"], ids=["long", "long line"])
def test_long_code_is_shown_without_colours(source):
    page = _page(source)
    assert '<span class="' not in page and html.escape(source.strip()) in page


def test_a_notebook_with_much_code_is_shown_without_colours():
    assert '<span class="' not in _page(*["a = 1\n" * 400] * 30)


def test_code_in_prose_is_coloured_by_the_same_rule_and_for_python_alone():
    assert '<span class="' in pages.markdown_html("```python\nreturn 1\n```")
    assert '<span class="' not in pages.markdown_html("```python\n" + "a." * 2600 + "\n```")
    assert '<span class="' not in pages.markdown_html("```perl\nreturn 1\n```")
