"""The scripts of questions about known mistakes that the page Review loads."""

from __future__ import annotations

import json

import pytest
from markdown_it import MarkdownIt

from unrolled.checks import TASKS
from unrolled.yours import mistakes, review_page

TASK = "rnn_step"


@pytest.fixture
def one_task(tmp_path, monkeypatch):
    """A function: the scripts of one task in a language, in a folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(review_page, "TASKS", {TASK: TASKS[TASK]})

    def written(of_pages: str = "en"):
        review_page.write(tmp_path / of_pages, of_pages)
        return tmp_path / of_pages

    return written


def table(file) -> dict:
    return json.loads(file.read_text(encoding="utf-8").partition(" = ")[2].rstrip(";\n"))


def test_the_index_names_the_questions_of_the_task_s_script(one_task):
    folder = one_task()
    asked = table(folder / f"{TASK}.js")["questions"]
    assert table(folder / "index.js") == {TASK: list(asked)} and len(asked) > 10


def test_a_question_is_that_of_the_terminal(one_task):
    question = mistakes.question(TASK, "tanh-left-out")
    script = table(one_task() / f"{TASK}.js")
    told = script["questions"]["tanh-left-out"]
    assert [choice["id"] for choice in told["choices"]] == [choice.id for choice in question.shown]
    assert [script["texts"][choice["text"]] for choice in told["choices"]] == [MarkdownIt().renderInline(choice.text) for choice in question.shown]
    assert told["key"]["right"] == ["tanh-left-out"] and told["key"]["kind"] == "one"


def test_a_text_stands_in_a_script_once(one_task):
    script = table(one_task() / f"{TASK}.js")
    texts, questions = script["texts"], script["questions"].values()
    assert len(set(texts)) == len(texts) < sum(2 + 2 * len(told["choices"]) for told in questions) / 2


def test_it_leads_to_the_section_to_reread(one_task):
    task = TASKS[TASK]
    mistake = next(one for one in task.mistakes if one.name == "tanh-left-out")
    section = mistake.section or task.section
    assert table(one_task() / f"{TASK}.js")["questions"]["tanh-left-out"]["reread"]["href"] == f"book/{section.page}.html#{section.label}"


def test_the_pages_language_counts_and_not_that_of_the_machine(one_task, monkeypatch):
    monkeypatch.setenv("UNROLLED_LANGUAGE", "zh_CN")
    assert "What did the check say?" in (one_task("en") / f"{TASK}.js").read_text(encoding="utf-8")


def test_a_chinese_book_has_chinese_questions(one_task):
    assert "两个方程" in (one_task("zh_CN") / f"{TASK}.js").read_text(encoding="utf-8")


def test_signs_of_html_are_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(review_page, "TASKS", {"build_vocab": TASKS["build_vocab"]})
    review_page.write(tmp_path / "all")
    text = (tmp_path / "all" / "build_vocab.js").read_text(encoding="utf-8")
    assert "&lt;unk&gt;" in text and "<unk>" not in text


def test_what_was_made_before_is_taken_from_the_cache(one_task, monkeypatch):
    first = (one_task() / "index.js").read_text()
    monkeypatch.setattr(review_page, "_make", None)
    assert (one_task() / "index.js").read_text() == first
