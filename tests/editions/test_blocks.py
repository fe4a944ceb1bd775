"""What of a page is translated: the cut into blocks, and the way back."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import unrolled.quizzes
from unrolled.editions import blocks, notebooks, pictures, quizzes, sources

PAGE = """\
(why)=
# Why sequences?

A paragraph that
goes on, with $x_t$ and `code`.

1. first item
   in two lines
2. second

   - nested

> a quotation
> of two lines

| a head | $x$ |
|---|:-:|
| one \\| two | `code` |

term
: its definition

A line\\
and another.

````{exercise} Count them
:label: ex-count

How many?

```{figure} ../img/a.svg
:alt: A picture: "two" lines
:width: 100%

The caption.
```

```python
print("code")
```
````

$$
x = \\text{words}
$$

Text with a footnote.[^a]

[^a]: The footnote.

% a comment
"""


def sources_of(course):
    """Every source that has messages, with its text."""
    return [(path, path.read_text(encoding="utf-8")) for paths in sources.catalogues(course).values() for path in paths]


def test_each_kind_of_block_is_found_in_order():
    assert blocks.messages(PAGE) == [
        "Why sequences?", "A paragraph that goes on, with $x_t$ and `code`.", "first item in two lines", "second", "nested", "a quotation of two lines",
        "a head", "one \\| two", "term", "its definition", "A line\\\nand another.", "Count them", "How many?", 'A picture: "two" lines', "The caption.",
        "Text with a footnote.[^a]", "The footnote.",
    ]  # fmt: skip


def test_translations_take_the_places_of_their_blocks_and_nothing_else_changes():
    found = blocks.replace(PAGE, {message: f"⟦{number}⟧" for number, message in enumerate(blocks.messages(PAGE))})
    assert blocks.messages(found.replace("⟦", "⟦A")) == [f"⟦A{number}⟧" for number in range(17)]
    for kept in ("(why)=\n# ⟦0⟧\n\n⟦1⟧\n\n1. ⟦2⟧\n2. ⟦3⟧\n\n   - ⟦4⟧\n\n> ⟦5⟧\n", "| ⟦6⟧ | $x$ |\n|---|:-:|\n| ⟦7⟧ | `code` |", ":label: ex-count\n\n⟦12⟧",
                 ":alt: ⟦13⟧\n:width: 100%", 'print("code")', "\\text{words}", "[^a]: ⟦16⟧", "% a comment\n"):  # fmt: skip
        assert kept in found


def test_a_hard_break_stays_one_in_the_translation():
    assert blocks.replace("- One\\\n  two\n", {"One\\\ntwo": "一\\\n二"}) == "- 一\\\n  二\n"


def test_an_alt_text_that_yaml_would_misread_is_quoted():
    page = "```{figure} a.svg\n:alt: Old\n```\n"
    assert blocks.replace(page, {"Old": "新: 图 #1"}) == '```{figure} a.svg\n:alt: "新: 图 #1"\n```\n'


def test_a_directive_that_nobody_described_stops_the_work():
    with pytest.raises(blocks.UnknownDirective, match="{surprise}"):
        blocks.split("```{surprise} Title\n```\n")


def test_only_the_definitions_of_a_glossary_are_messages():
    assert blocks.messages("```{glossary}\nAdam\nAdam 优化器\n    An optimizer.\n\nGRU\n门控循环单元\n    A cell.\n```\n") == ["An optimizer.", "A cell."]


@pytest.mark.parametrize("text", ["$x$", "`code`", "{ref}`label`", "{cite}`key2020`", "1.5", "$$x$$"])
def test_what_has_no_words_is_no_message(text):
    assert blocks.split(f"{text}\n") == []


def test_pages_are_cut_by_the_extensions_of_markdown_that_the_book_is_built_with(course):
    assert set(yaml.safe_load((course / "_config.yml").read_text())["parse"]["myst_enable_extensions"]) == blocks.EXTENSIONS


def test_untouched_sources_come_back_byte_for_byte(course):
    for path, text in sources_of(course):
        assert sources.replaced(path, {}) == text, path


def test_a_source_that_is_translated_into_itself_has_the_same_messages(course):
    for path, text in sources_of(course):
        kind = sources.KINDS[path.suffix]
        messages = kind.messages(text)
        assert kind.messages(kind.replace(text, {message: message for message in messages})) == messages, path


def test_every_translated_quiz_is_one_that_the_course_can_read(course, tmp_path):
    for path in sorted((course / "book" / "quizzes").glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        (tmp_path / path.name).write_text(quizzes.replace(text, {message: f"⟦it's: {message} #1⟧" for message in quizzes.messages(text)}), encoding="utf-8")
        questions = unrolled.quizzes.load(tmp_path / path.name)
        assert all(question.prompt.startswith("⟦it's: ") for question in questions.before + questions.after)


def test_code_keys_and_labels_of_a_translated_quiz_stay(course):
    path = course / "book" / "quizzes" / "rnn.yml"
    text = path.read_text(encoding="utf-8")
    found = quizzes.replace(text, {message: f"译 {message}" for message in quizzes.messages(text)})
    before, after = yaml.safe_load(text), yaml.safe_load(found)
    question, translated = before["before"][0], after["before"][0]
    assert translated["prompt"].startswith("译 ") and translated["compute"] == question["compute"]
    assert [choice["id"] for choice in translated["choices"]] == [choice["id"] for choice in question["choices"]]
    assert [choice["right"] for choice in translated["choices"]] == [choice["right"] for choice in question["choices"]]


def test_the_caption_and_the_alt_text_of_a_cell_are_messages_and_its_code_is_not():
    cell = {"cell_type": "code", "source": "x = 1  # words", "outputs": [], "metadata": {"mystnb": {"image": {"alt": "A line."}, "figure": {"caption": "It *rises*."}}}}
    notebook = notebooks.dump({"cells": [cell], "metadata": {}})
    assert notebooks.messages(notebook) == ["A line.", "It *rises*."]
    shown = json.loads(notebooks.replace(notebook, {"A line.": "一条线。", "It *rises*.": "它*上升*。"}))["cells"][0]
    assert shown["metadata"]["mystnb"] == {"image": {"alt": "一条线。"}, "figure": {"caption": "它*上升*。"}} and shown["source"] == cell["source"]


def test_words_of_a_drawing_are_messages_and_symbols_are_none():
    drawing = '<svg aria-label="A cell"><title>One &amp; two</title><text x="1">W_hh</text><text>h<tspan>t</tspan></text><text>old state</text></svg>'
    assert pictures.messages(drawing) == ["A cell", "One & two", "old state"]
    assert "<title>一 &lt; 二</title>" in pictures.replace(drawing, {"One & two": "一 < 二"})


PIECES = st.sampled_from(["# Head\n\n", "Words here\nand there.\n\n", "- item\n  more\n\n", "> quoted\n\n", "| a | b |\n|--|--|\n| c | $d$ |\n\n",
    "```{admonition} Title\n:class: dropdown\n\nBody text.\n```\n\n", "$$\nx\n$$\n\n", "```python\ncode\n```\n\n", "(label)=\n## Two\n\n", "term\n: meaning\n\n"])  # fmt: skip


@given(st.lists(PIECES, max_size=12))
def test_any_mixture_of_blocks_keeps_its_order_and_its_count_when_translated(pieces):
    page = "".join(pieces)
    found = blocks.split(page)
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))
    translated = blocks.replace(page, {block.message: f"⟦{block.message}⟧" for block in found})
    assert [block.message for block in blocks.split(translated)] == [f"⟦{block.message}⟧" for block in found]
