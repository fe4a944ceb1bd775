"""Known mistakes that a learner's own checks named: they are kept, and come back as questions of the review."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.markdown import Markdown
from typer.testing import CliRunner

from unrolled import answers, quiz_terminal, quizzes
from unrolled.checks import TASKS, find, met, run
from unrolled.checks.observe import in_process
from unrolled.cli import app
from unrolled.yours import mistakes, review

SAMPLE = [(task, mistake) for task in ("tokenize", "rnn_forward", "num_parameters", "rnn_backward", "lstm_step", "bleu") for mistake in TASKS[task].mistakes]


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    return tmp_path / "state"


def checked(task: str, mistake: str):
    """The record of a check of a mistake's own variant."""
    wrong = next(one for one in find(task).mistakes if one.name == mistake)
    return run.run(find(task), in_process(wrong.function))


def test_a_mistake_that_a_check_names_is_kept_once():
    for _ in range(2):
        met.remember(checked("rnn_forward", "state-not-carried"))
    assert met.met() == [("rnn_forward", "state-not-carried")]


def test_a_check_that_passes_keeps_nothing(state):
    met.remember(run.run(find("one_hot"), in_process(find("one_hot").solution)))
    assert not state.exists()


def test_while_grading_nothing_is_kept(state, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    met.remember(checked("rnn_forward", "state-not-carried"))
    assert not state.exists()


def test_where_nothing_can_be_written_a_check_does_not_fail(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path / "file"))
    met.remember(checked("rnn_forward", "state-not-carried"))
    assert met.met() == []


def test_damaged_lines_and_mistakes_that_the_course_no_longer_knows_are_passed_over(state, course):
    state.mkdir()
    (state / met.NAME).write_text('{"task": "rnn_forward"\nnull\n{"task": "gone", "mistake": "x"}\n{"task": "rnn_step", "mistake": "tanh-left-out"}\n')
    progress = quiz_terminal.Progress.load(course / "book" / "quizzes", Console(file=io.StringIO()))
    mistakes.keep(progress)
    assert list(mistakes.questions(progress.log)) == ["mistake rnn_step tanh-left-out"]


def test_the_checks_of_a_notebook_keep_what_they_name(state):
    cell = "from unrolled.checks import check\nimport numpy as np\ndef rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    return X_t @ W_xh + H_prev @ W_hh + b_h\ntry:\n    check('rnn_step', rnn_step)\nexcept Exception:\n    pass"
    code = f"from IPython.core.interactiveshell import InteractiveShell\nInteractiveShell.instance().run_cell({cell!r})"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "IPYTHONDIR": str(state / "ipython")}, check=True, capture_output=True)
    assert met.met() == [("rnn_step", "tanh-left-out")]


@pytest.mark.parametrize("task, mistake", SAMPLE, ids=lambda value: value if isinstance(value, str) else value.name)
def test_a_question_sets_its_mistake_apart_from_the_other_choices(task, mistake):
    question = mistakes.question(task, mistake.name)
    if question is None:  # it shows nothing on a case that has a truth, or nothing else would show anything else
        pytest.skip("optional: no question can be made of this mistake")
    assert [choice.id for choice in question.choices if choice.right] == [mistake.name]
    assert len({choice.text for choice in question.choices}) == len(question.choices) >= 2
    told = question.prompt.split("\n\n")[1]
    assert all(told not in choice.feedback for choice in question.choices)
    assert quizzes.grade(question, [mistake.name]).correct


def test_nearly_every_mistake_of_a_task_gives_a_question():
    made = [mistakes.question(task, mistake.name) for task, mistake in SAMPLE]
    assert sum(question is not None for question in made) > 0.9 * len(made)


def test_a_curve_of_errors_says_where_the_mistake_begins():
    question = mistakes.question("rnn_forward", "state-not-carried")
    assert "Error at step 1, 2, 3" in question.prompt and ": 0, 0." in question.prompt


def test_the_review_asks_for_a_mistake_until_it_is_known(course):
    met.remember(checked("rnn_step", "tanh-left-out"))
    question = mistakes.question("rnn_step", "tanh-left-out")
    right = next(number for number, choice in enumerate(question.shown, 1) if choice.right)
    console, typed = Console(file=io.StringIO(), width=100), iter([str(right)])
    assert review.run(course / "book" / "quizzes", console, input=lambda prompt: next(typed)) == 0
    assert "your own mistakes" in console.file.getvalue() and "Right." in console.file.getvalue()
    again = Console(file=io.StringIO(), width=100)
    review.run(course / "book" / "quizzes", again)
    assert "Nothing is due today" in again.file.getvalue()


def unrolled(*arguments: str, input: str = "") -> str:
    done = CliRunner().invoke(app, arguments, input=input)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_mistake_goes_along_in_the_file_of_progress(tmp_path, monkeypatch):
    met.remember(checked("rnn_step", "tanh-left-out"))
    unrolled("quiz", "--export", str(tmp_path / "answers.json"))
    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path / "elsewhere"))
    unrolled("quiz", "--import", str(tmp_path / "answers.json"))
    assert unrolled("review", "--due").startswith("1 questions are due, 0 more")


def test_a_mistake_that_was_met_in_two_places_is_one_question(tmp_path, monkeypatch):
    for place in ("here", "there"):
        monkeypatch.setenv("UNROLLED_STATE", str(tmp_path / place))
        met.remember(checked("rnn_step", "tanh-left-out"))
        unrolled("quiz", "--export", str(tmp_path / f"{place}.json"))
    assert "1 answers, 0 of them new" in unrolled("quiz", "--import", str(tmp_path / "here.json"))


def test_an_answer_given_in_one_place_counts_where_the_mistake_was_met(tmp_path):
    met.remember(checked("rnn_step", "tanh-left-out"))
    answered = answers.answer_event(mistakes.id_of("rnn_step", "tanh-left-out"), ["tanh-left-out"], True, [])
    (tmp_path / "answers.json").write_text(answers.write([answered]))
    unrolled("quiz", "--import", str(tmp_path / "answers.json"))
    assert unrolled("review", "--due").startswith("0 questions are due")


def test_who_forgets_every_answer_forgets_the_mistakes(state):
    met.remember(checked("rnn_step", "tanh-left-out"))
    unrolled("review", "--due")
    unrolled("quiz", "--clear", input="y\n")
    assert unrolled("review", "--due").startswith("0 questions are due")


def test_signs_that_markdown_knows_are_shown_as_they_are():
    question = mistakes.question("build_vocab", next(one.name for one in TASKS["build_vocab"].mistakes if "<unk>" in one.sentence))
    console = Console(file=io.StringIO(), width=300)
    console.print(Markdown(quiz_terminal.plain(next(choice.text for choice in question.choices if choice.right))))
    assert "<unk>" in console.file.getvalue() and "\\" not in console.file.getvalue()
