"""In the pseudo-language nothing that a learner reads stands outside of the brackets."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from brackets import outside

from unrolled import checks
from unrolled.checks import TASKS, run
from unrolled.checks.hints import hints
from unrolled.checks.observe import Clock, in_process
from unrolled.checks.report import as_html, as_text

# What stands outside, with the reason.
SIGNS = {"ok", "FAIL"}                                   # the marks in the margin of a report
NAMES = {name for name in TASKS} | {a for task in TASKS.values() for a in task.arguments} | {"dtype", "None"}


def foreign(text):
    """Words outside of the brackets that are neither signs nor names of code."""
    words = {word for name in NAMES for word in name.replace("_", " ").split()} | NAMES
    text = "\n".join(line for line in text.splitlines() if not line.startswith("  | "))  # what a learner's code printed, and Python's warnings
    return [word for word in outside(text) if word not in SIGNS and word not in words]


def report_of(name, function):
    return run.run(TASKS[name], in_process(function, Clock()))


def test_brackets_inside_of_brackets_are_taken_away_together():
    assert outside("⟦a ⟦b c⟧ d⟧ left ⟦e⟧ over") == ["left", "over"]


@pytest.mark.parametrize("name", TASKS)
def test_a_report_of_a_right_answer_is_bracketed(pseudo, name):
    record = report_of(name, TASKS[name].solution)
    assert record.passed and not foreign(as_text(record))


@pytest.mark.parametrize("name", TASKS)
def test_a_report_of_each_tenth_known_mistake_is_bracketed(pseudo, name):
    for mistake in TASKS[name].mistakes[:: 10]:
        record = report_of(name, mistake.function)
        said = [as_text(record), record.advice, *record.signs, *hints(record)]
        assert not [word for text in said for word in foreign(text)], (mistake.name, said)


STEP = "rnn_step"
WRONG = {
    "raises": lambda X_t, H_prev, W_xh, W_hh, b_h: X_t @ X_t,
    "another type": lambda X_t, H_prev, W_xh, W_hh, b_h: [1, 2],
    "a dict": lambda X_t, H_prev, W_xh, W_hh, b_h: {"a": 1},
    "nothing": lambda X_t, H_prev, W_xh, W_hh, b_h: None,
    "another shape": lambda X_t, H_prev, W_xh, W_hh, b_h: np.zeros((1, 1)),
    "another dtype": lambda X_t, H_prev, W_xh, W_hh, b_h: np.zeros(H_prev.shape, int),
    "not finite": lambda X_t, H_prev, W_xh, W_hh, b_h: np.full(H_prev.shape, np.nan),
    "random numbers": lambda X_t, H_prev, W_xh, W_hh, b_h: np.random.default_rng(0).normal(size=H_prev.shape),
    "in float32": lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh((X_t @ W_xh + H_prev @ W_hh + b_h).astype(np.float32)).astype(float),
    "nearly": lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_prev @ W_hh + b_h) * 1.01,
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_report_of_a_wrong_answer_is_bracketed(pseudo, kind):
    record = report_of(STEP, WRONG[kind])
    said = [as_text(record), record.advice, *record.signs, *hints(record)]
    assert not record.passed
    assert not [word for text in said for word in foreign(text)], said


def test_a_report_as_html_is_bracketed(pseudo):
    text = re.sub(r"<[^>]*>", " ", as_html(report_of(STEP, WRONG["raises"])))
    assert not foreign(text)


def test_the_overview_and_hints_without_a_check_are_bracketed(pseudo, capsys, monkeypatch):
    monkeypatch.setattr(checks, "_standing", {})
    monkeypatch.setattr(checks, "_asked", {})
    checks.hint(STEP)
    with pytest.raises(checks.CheckFailed) as failed:
        checks.check(STEP, WRONG["nothing"])
    with pytest.raises(checks.CheckFailed) as missing:
        checks.check("rnn_forward")
    checks.check()
    checks.hint(STEP)
    said = [capsys.readouterr().out.replace("02-rnn-forward", ""), str(failed.value), str(missing.value)]
    assert not [word for text in said for word in foreign(text)], said


# --- In the terminal ---------------------------------------------------------------------------

SPEAKING = "import sys; from pathlib import Path; from unrolled import language; language.FOLDER = Path(sys.argv.pop(1)); from unrolled import cli; cli.main()"


@pytest.fixture
def said(pseudo_locales, tmp_path):
    """What a command says in the pseudo-language: everything that it writes, in lines as wide as they come."""

    def run(*arguments, stdin=""):
        env = {**os.environ, "UNROLLED_STATE": str(tmp_path / "state"), "COLUMNS": "2000", "PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, "-c", SPEAKING, str(pseudo_locales), "--language", "eo", *arguments]
        done = subprocess.run(command, env=env, cwd=tmp_path, input=stdin, capture_output=True, encoding="utf-8")
        return done.stdout + done.stderr

    return run


# What a help text names beside the sentences: options, what they take, commands; and in the line of the usage the command and its arguments.
HELP = re.compile(r"(?<=⟧)-c[a-z -]*|[{\[]\w+[}\]]|list\[str\]|--[a-z-]+|<[a-z]+>|^[│ ]+(\*? *[a-z_-]+)|\b[A-Z]+\b", re.MULTILINE)


@pytest.mark.parametrize("command", [[], ["start"], ["train"], ["quiz"]])
def test_the_help_of_a_learners_command_is_bracketed(said, command):
    text = said(*command, "--help")
    assert text and not outside(HELP.sub(" ", text)), text


def test_a_quiz_in_the_terminal_is_bracketed_but_for_its_questions(said):
    text = said("quiz", "rnn", "--part", "before", stdin="zzz\n1\n\nq\n")
    frame = [line for line in text.splitlines() if "⟦" in line]
    assert len(frame) > 5 and not [word for line in frame for word in outside(line) if word not in ("rnn",)], text
    assert "Question 1" not in re.sub(r"⟦[^⟧]*⟧", "", text) and "Enter sends" not in re.sub(r"⟦[^⟧]*⟧", "", text)


@pytest.mark.parametrize("command", [["start", "99-none"], ["quiz", "no-such"], ["quiz", "--progress"], ["quiz", "--missed"], ["quiz"], ["review", "--due"]])
def test_what_else_a_command_says_is_bracketed(said, command):
    names = {word for name in ["rnn", "99-none", "no-such", "unrolled"] for word in re.findall(r"[A-Za-z]+", name)}
    text = said(*command)
    lines = [line for line in text.splitlines() if not re.match(r"[│┃]?\s*[\w-]+\s*│", line)]  # a row of a table: a chapter's name and numbers
    assert text.strip() and not [word for line in lines for word in outside(line) if word not in names], text


@pytest.mark.parametrize("arguments", [["start"], ["start", "x", "y"], ["start", "--languag", "x"], ["strat"], ["verify", "x"]])
def test_what_is_said_of_a_wrong_use_is_bracketed(said, arguments):
    """All but names: what was typed, what there is to choose from, and what the command's help calls things."""
    text = said(*arguments)
    named = re.compile(r"'[^']*'|(?<=⟧)-c [a-z-]+|--?[\w-]+|unrolled|\{\w+\}|\bTEXT\b|/\S+|\b(?:rnn|lstm|gru|text|labelled|en|eo|zh_CN|utf-8|no-such\.csv|y|x)\b")
    assert "⟦" in text and not outside(named.sub(" ", text)), text


# --- Feedback ----------------------------------------------------------------------------------


def test_the_words_of_the_feedback_page_are_bracketed(pseudo):
    """The page of a notebook with a check, an answer marked by hand with a comment, a cell that the learner added, and days of delay."""
    from nbformat import v4

    from unrolled.grading import pages

    check = v4.new_code_cell("check", metadata={"nbgrader": {"grade": True, "solution": False, "grade_id": "rnn_step", "score": 1.0, "points": 4.0}})
    answer = {"grade": True, "solution": True, "grade_id": "explain", "score": 2.0, "points": 4.0, "comment": "⟦Good.⟧"}
    cells = [
        check,
        v4.new_code_cell("x", metadata={"nbgrader": {"solution": True, "grade": False, "grade_id": "rnn_step-code"}}),
        v4.new_markdown_cell("⟦Because.⟧", metadata={"nbgrader": answer}),
        v4.new_markdown_cell("⟦More.⟧", metadata={"unrolled": {"cell": "added"}}),
    ]
    notebook = v4.new_notebook(cells=cells, metadata={"unrolled": {"language": "eo"}})
    graded = {"notebook": "02", "student": "7", "score": 3.0, "max_score": 8.0, "late_penalty": 1.0}
    page, _ = pages.FeedbackExporter().from_notebook_node(notebook, {"nbgrader": graded})
    assert '<html lang="eo">' in page
    text = re.sub(r"<style.*?</style>|<[^>]*>", " ", page.partition("</head>")[2] + page[page.index("<title>") : page.index("</title>")], flags=re.DOTALL)
    names = {"rnn", "step", "explain", "check", "x"}
    assert not [word for word in outside(text) if word not in names], outside(text)
