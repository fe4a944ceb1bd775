"""The tree of translated sources that a translated book is built from."""

from __future__ import annotations

import json

import pytest
import yaml

from unrolled.editions import tree

CELL = {"cell_type": "markdown", "id": "one", "metadata": {}, "source": ["# A title\n"]}


@pytest.fixture
def small(tmp_path):
    """A course of two pages and two assignments, of which one has a Chinese notebook."""
    course = tmp_path / "course"
    for name, text in {
        "_toc.yml": "root: book/index\nparts:\n- caption: Sequences\n  chapters:\n  - file: book/part/other\n",
        "_config.yml": "title: Small\nsphinx:\n  config:\n    numfig: true\n",
        "README.md": "# Read me\n",
        "book/index.md": "(top)=\n# The *first* page\n\nWords.\n",
        "book/part/other.md": "# Another page\n\n## A head\n",
        "book/_static/plain.css": "a {}\n",
        "book/img/one.svg": '<svg viewBox="0 0 9 9"><text>Words</text></svg>',
        "book/locales/zh_CN/index.po": "",
        "assignments/01-one/01-one.ipynb": json.dumps({"cells": [CELL], "metadata": {}}),
        "assignments/01-one/zh_CN/01-one.ipynb": "Chinese",
        "assignments/02-two/02-two.ipynb": json.dumps({"cells": [CELL], "metadata": {}}),
    }.items():
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).write_text(text, encoding="utf-8")
    return course


WORDS = {"index": {"The *first* page": "第一页", "Words.": "文字。"}, "pictures": {"Words": "文字"}, "site": {"Sequences": "序列", "Small": "小书"}}


def written(small):
    target = small / "_build" / "zh_CN"
    return target, tree.write(small, "zh_CN", target, small / "_build" / "html", lambda name: WORDS.get(name, {}))


def test_pages_captions_and_the_title_are_translated_and_all_else_is_copied(small):
    target, untranslated = written(small)
    assert (target / "book/index.md").read_text(encoding="utf-8") == "(top)=\n# 第一页\n\n文字。\n"
    assert (target / "book/_static/plain.css").read_text() == "a {}\n" and untranslated == ["book/part/other"]
    assert yaml.safe_load((target / "_toc.yml").read_text(encoding="utf-8"))["parts"][0]["caption"] == "序列"
    config = yaml.safe_load((target / "_config.yml").read_text(encoding="utf-8"))
    assert config["title"] == "小书" and config["sphinx"]["config"]["language"] == "zh_CN" and config["sphinx"]["config"]["numfig"]


def test_a_translated_drawing_says_its_language(small):
    target, _ = written(small)
    assert (target / "book/img/one.svg").read_text(encoding="utf-8") == '<svg xml:lang="zh-CN" viewBox="0 0 9 9"><text>文字</text></svg>'


def test_headings_keep_the_anchors_of_their_english_texts(small):
    target, _ = written(small)
    assert json.loads((target / "edition.json").read_text(encoding="utf-8"))["anchors"] == {"book/index": ["the-first-page"], "book/part/other": ["another-page", "a-head"]}


def test_an_assignment_is_that_of_the_language_where_there_is_one(small):
    target, _ = written(small)
    assert (target / "assignments/01-one/01-one.ipynb").read_text() == "Chinese"
    assert (target / "assignments/02-two/02-two.ipynb").read_text() == (small / "assignments/02-two/02-two.ipynb").read_text()


def test_a_second_writing_touches_only_what_has_changed_and_removes_what_has_gone(small):
    target, _ = written(small)
    kept = (target / "book/index.md").stat().st_mtime_ns
    (target / "_build").mkdir()
    (target / "_build" / "built").write_text("stays")
    (small / "book/_static/plain.css").unlink()
    written(small)
    assert (target / "book/index.md").stat().st_mtime_ns == kept and (target / "_build" / "built").exists()
    assert not (target / "book/_static/plain.css").exists()
