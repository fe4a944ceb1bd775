"""The quiz in a terminal: scripted learners, and the file that keeps their progress."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from unrolled import quiz_terminal, quizzes

FOLDER = Path(__file__).parent / "small-book/book/quizzes"


@pytest.fixture
def state(tmp_path, monkeypatch):
    """The state file of this test."""
    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path / "state"))
    return tmp_path / "state/quizzes.json"


@pytest.fixture
def answer(state):
    """A function: run the quiz with these lines typed; gives the scores and what was shown."""

    def run(*lines, part=None, name="rnn"):
        console = Console(file=io.StringIO(), width=100)
        typed = iter(lines)

        def read(prompt: str) -> str:
            line = next(typed, EOFError())
            if not isinstance(line, str):
                raise line
            console.print(prompt + line, markup=False, highlight=False)
            return line

        scores = quiz_terminal.run_quiz(name, part, FOLDER, console, read)
        assert next(typed, None) is None, "not every line was read"
        return scores, console.file.getvalue()

    return run


def records(state):
    return json.loads(state.read_text(encoding="utf-8"))["questions"]


def test_right_answers_to_all_kinds_give_the_full_score(answer):
    scores, shown = answer("1", "2, 3", "32", "bptt")
    assert [(score.part, score.right, score.first, score.total, score.finished) for score in scores] == [
        ("before", 2, 2, 2, True),
        ("after", 2, 2, 2, True),
    ]
    assert shown.count("2 of 2 right, 2 right first time.") == 2


def test_one_part_may_be_asked_alone(answer):
    scores, shown = answer("32", "bptt", part="after")
    assert [score.part for score in scores] == ["after"]
    assert "Which of these grow" not in shown


def test_the_feedback_of_each_selected_choice_is_shown(answer):
    _, shown = answer("2", "", "1,2", "", part="before")
    assert "That is the transpose, H_tᵀ." in shown
    assert "No, every step uses the same weights." in shown
    assert "Yes, a state is kept for each step." in shown
    assert "Yes, one step comes after the other." not in shown


def test_a_known_mistake_gets_its_feedback(answer):
    _, shown = answer("28", "", "backpropagation", "", part="after")
    assert "The bias is left out." in shown
    assert "Yes, but through what?" in shown


def test_a_retry_may_be_right_but_not_first(answer):
    scores, _ = answer("2", "r", "1", "2,3", part="before")
    assert (scores[0].right, scores[0].first) == (2, 1)


def test_the_section_to_reread_is_named_after_a_wrong_answer(answer):
    _, shown = answer("2", "q", part="before")
    assert "Reread the section hidden-state." in shown


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Choose an answer first."),
        ("3", "Choose among the 2 choices."),
        ("0", "Choose among the 2 choices."),
        ("1, 2", "Type one number, among the 2 choices."),
        ("first", "Type one number, among the 2 choices."),
    ],
)
def test_what_is_no_answer_is_asked_again_and_not_counted(answer, state, typed, message):
    _, shown = answer(typed, "1", "q", part="before")
    assert message in shown
    assert records(state)["rnn.before.shape-of-h"]["answered"] == 1


@pytest.mark.parametrize("leaving", ["q", "Q", EOFError(), KeyboardInterrupt()])
def test_leaving_keeps_what_was_answered(answer, state, leaving):
    scores, shown = answer("1", leaving)
    assert [(score.part, score.finished) for score in scores] == [("before", False)]
    assert "1 of 2 right, 1 right first time. Kept for the next time." in shown
    assert records(state)["rnn.before.shape-of-h"]["correct"]


def test_the_state_says_how_often_how_now_and_how_first(answer, state):
    answer("2", "r", "1", "q")
    assert records(state) == {
        "rnn.before.shape-of-h": {"answered": 2, "correct": True, "first": False, "response": [0]},
    }


def test_a_later_run_keeps_the_first_result(answer, state):
    answer("1", "q")
    answer("2", "q")
    assert records(state)["rnn.before.shape-of-h"] == {
        "answered": 2, "correct": False, "first": True, "response": [1],
    }  # fmt: skip


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"questions": []}', '{"questions": {"a": {"answered": "often"}}}', "\x00"]
)
def test_a_corrupt_state_file_is_moved_aside_with_a_message(answer, state, content):
    state.parent.mkdir()
    state.write_text(content)
    _, shown = answer("1", "q")
    assert "could not be understood" in " ".join(shown.split())
    assert state.with_name("quizzes.json.unreadable").read_text() == content
    assert list(records(state)) == ["rnn.before.shape-of-h"]


def test_a_state_folder_that_can_not_be_written_is_no_obstacle(answer, state):
    state.parent.write_text("a file where the folder should be")
    scores, shown = answer("1", "2,3", part="before")
    assert scores[0].right == 2
    assert shown.count("Progress is not kept") == 1


def test_a_state_file_is_replaced_as_a_whole(answer, state, monkeypatch):
    answer("1", "q")
    before = state.read_text()

    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(quiz_terminal.os, "replace", fail)
    _, shown = answer("2", "q")
    assert "No space left on device" in " ".join(shown.split())
    assert "Kept for the next time" not in shown
    assert state.read_text() == before
    assert [path.name for path in state.parent.iterdir()] == ["quizzes.json"]


def test_an_unknown_quiz_raises_the_sentence(answer):
    with pytest.raises(quizzes.QuizError, match="No quiz is called 'rn'"):
        answer(name="rn")


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"\mathbf H_t=\tanh(\mathbf X_t\mathbf W_{xh})", "H_t=tanh(X_t W_xh)"),
        (r"\frac{1}{T}\sum_{t=1}^{T} \ell_t", "(1)/(T)Σ_(t=1)^T ell_t"),
        (r"\mathbf W^\top \odot \alpha \le 10^{-3}", "Wᵀ ⊙ α ≤ 10^(-3)"),
        (r"\mathbf{C}_{t-1}", "C_(t-1)"),
    ],
)
def test_formulas_are_shown_in_plain_signs(latex, shown):
    assert quiz_terminal.plain_math(latex) == shown


@pytest.mark.parametrize(
    ("myst", "markdown"),
    [
        ("the state $\\mathbf h$ of `$x`", "the state `h` of `$x`"),
        ("the {term}`hidden state <state>` and {math}`\\rho`", "the hidden state and `ρ`"),
        ("see [the page](rnn.md) or [](#bptt)", "see the page or bptt"),
        ("```python\na = '$x$'\n```", "```python\na = '$x$'\n```"),
    ],
)
def test_myst_becomes_markdown_for_a_terminal(myst, markdown):
    assert quiz_terminal.plain(myst) == markdown


# Looking after the answers


@pytest.fixture
def tell(state):
    """A function: call something of the terminal with a console; gives its result and what was shown."""

    def run(function, *arguments, typed=()):
        console = Console(file=io.StringIO(), width=100)
        lines = iter(typed)
        extra = [lambda prompt: next(lines)] if function is quiz_terminal.review else []
        result = function(*arguments, console, *extra)
        assert next(lines, None) is None, "not every line was read"
        return result, console.file.getvalue()

    return run


def test_a_review_asks_only_what_was_wrong_last_and_clears_it_when_right(answer, tell):
    answer("2", "", "2, 3", "28", "", "bptt")  # the first and the third question wrong
    count, shown = tell(quiz_terminal.review, None, FOLDER, typed=("1", "32"))
    assert count == 2
    assert "Which of these grow" not in shown
    count, shown = tell(quiz_terminal.review, None, FOLDER)
    assert count == 0 and "Nothing to review" in shown


def test_the_progress_table_counts_answers_first_times_and_what_to_review(answer, tell):
    answer("2", "", "2, 3", "28", "", "bptt")
    _, shown = tell(quiz_terminal.show_progress, FOLDER)
    assert [word for word in next(line for line in shown.splitlines() if "rnn" in line).split() if word not in "│┃|"] == [
        "rnn", "4", "of", "4", "2", "2",
    ]  # fmt: skip


def test_answers_survive_export_clear_and_import(answer, tell, state, tmp_path):
    answer("1", "2, 3", "32", "bptt")
    before = records(state)
    assert tell(quiz_terminal.export_progress, tmp_path / "answers.json")[0] == 4
    quiz_terminal.clear_progress()
    assert not state.exists()
    assert tell(quiz_terminal.import_progress, tmp_path / "answers.json")[0] == 4
    assert records(state) == before


@pytest.mark.parametrize("content", ["", "{}", '{"version": 2, "questions": {}}', '{"version": 1, "questions": {"a": 3}}'])
def test_a_file_of_something_else_is_refused_and_changes_nothing(answer, tell, state, tmp_path, content):
    answer("1", "2, 3", "32", "bptt")
    before = records(state)
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(quizzes.QuizError, match="nothing was changed"):
        tell(quiz_terminal.import_progress, tmp_path / "other.json")
    assert records(state) == before
