"""The quiz in a terminal: scripted learners, and the file that keeps their progress."""

import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from unrolled import answers, quiz_terminal, quizzes

FOLDER = Path(__file__).parent / "small-book/book/quizzes"


@pytest.fixture
def state(tmp_path, monkeypatch):
    """The state file of this test."""
    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path / "state"))
    return tmp_path / "state/answers.json"


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


def events(state):
    """The log that is kept: id, time, question, answer and verdict of each event."""
    return json.loads(state.read_text(encoding="utf-8"))["answers"]


def standings(state):
    return answers.standings(events(state))


def test_right_answers_to_all_kinds_give_the_full_score(answer):
    scores, shown = answer("1", "1, 2", "32", "bptt")
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
    _, shown = answer("2", "", "1,3", "", part="before")
    assert "That is the transpose, H_tᵀ." in shown
    assert "No, every step uses the same weights." in shown
    assert "Yes, a state is kept for each step." in shown
    assert "Yes, one step comes after the other." not in shown


def test_a_known_mistake_gets_its_feedback(answer):
    _, shown = answer("28", "", "backpropagation", "", part="after")
    assert "The bias is left out." in shown
    assert "Yes, but through what?" in shown


def test_a_retry_may_be_right_but_not_first(answer):
    scores, _ = answer("2", "r", "1", "1,2", part="before")
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
    assert standings(state)["shape-of-h"].answered == 1


@pytest.mark.parametrize("leaving", ["q", "Q", EOFError(), KeyboardInterrupt()])
def test_leaving_keeps_what_was_answered(answer, state, leaving):
    scores, shown = answer("1", leaving)
    assert [(score.part, score.finished) for score in scores] == [("before", False)]
    assert "1 of 2 right, 1 right first time. Kept for the next time." in shown
    assert standings(state)["shape-of-h"].right


def test_every_answer_is_kept_with_its_time_and_verdict(answer, state):
    answer("2", "r", "1", "q")
    kept = events(state)
    assert [(one["question"], one["answer"], one["right"]) for one in kept] == [("shape-of-h", ["b"], False), ("shape-of-h", ["a"], True)]
    assert kept[0]["at"] < kept[1]["at"] and kept[0]["id"] != kept[1]["id"]
    assert all(map(answers.is_event, kept))


def test_a_later_run_keeps_the_first_result(answer, state):
    answer("1", "q")
    answer("2", "q")
    standing = standings(state)["shape-of-h"]
    assert (standing.answered, standing.right, standing.first, standing.answer) == (2, False, True, ["b"])


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"version": 2}', '{"version": 2, "answers": [{"id": "a"}]}', "\x00", "[" * 100_000]
)
def test_a_corrupt_state_file_is_moved_aside_with_a_message(answer, state, content):
    state.parent.mkdir()
    state.write_text(content)
    _, shown = answer("1", "q")
    assert "could not be understood" in " ".join(shown.split())
    assert state.with_name("answers.damaged.json").read_text() == content
    assert list(standings(state)) == ["shape-of-h"]


def test_a_second_damaged_file_does_not_replace_the_first(answer, state):
    state.parent.mkdir()
    for content in ["one", "two"]:
        state.write_text(content)
        answer("1", "q")
    assert {path.name: path.read_text() for path in state.parent.glob("*.damaged*")} == {
        "answers.damaged.json": "one", "answers.damaged-2.json": "two",
    }  # fmt: skip


def test_a_file_of_a_newer_version_is_left_alone(answer, state):
    state.parent.mkdir()
    state.write_text('{"version": 3, "answers": []}')
    scores, shown = answer("1", "q")
    assert "Progress is not kept" in shown and "newer version of the course" in " ".join(shown.split())
    assert state.read_text() == '{"version": 3, "answers": []}'
    assert scores[0].right == 1


def test_two_terminals_at_once_lose_nothing(answer, state, small_quiz):
    console = Console(file=io.StringIO())
    one, other = (quiz_terminal.Progress.load(FOLDER, console) for _ in range(2))
    one.record(small_quiz.before[0], ["b"], False)
    other.record(small_quiz.before[1], ["b", "c"], True)
    one.record(small_quiz.before[0], ["a"], True)
    assert len(events(state)) == 3
    assert one.standings() == standings(state)


def test_a_file_that_is_damaged_meanwhile_is_set_aside_and_what_is_known_stays(answer, state, small_quiz):
    progress = quiz_terminal.Progress.load(FOLDER, Console(file=io.StringIO()))
    progress.record(small_quiz.before[0], ["b"], False)
    state.write_text("damaged")
    progress.record(small_quiz.before[0], ["a"], True)
    assert state.with_name("answers.damaged.json").read_text() == "damaged"
    assert standings(state)["shape-of-h"].answered == 2


def test_what_another_terminal_has_cleared_does_not_come_back(answer, state, small_quiz):
    progress = quiz_terminal.Progress.load(FOLDER, Console(file=io.StringIO()))
    progress.record(small_quiz.before[0], ["b"], False)
    quiz_terminal.clear_progress()
    progress.record(small_quiz.before[1], ["b", "c"], True)
    assert list(standings(state)) == ["what-grows"]

def test_a_state_folder_that_can_not_be_written_is_no_obstacle(answer, state):
    state.parent.write_text("a file where the folder should be")
    scores, shown = answer("1", "1,2", part="before")
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
    assert [path.name for path in state.parent.iterdir() if path.suffix == ".json"] == ["answers.json"]


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
        result = function(*arguments, FOLDER, console, *extra)
        assert next(lines, None) is None, "not every line was read"
        return result, console.file.getvalue()

    return run


def test_a_review_asks_only_what_was_wrong_last_and_clears_it_when_right(answer, tell):
    answer("2", "", "1, 2", "28", "", "bptt")  # the first and the third question wrong
    count, shown = tell(quiz_terminal.review, None, typed=("1", "32"))
    assert count == 2
    assert "Which of these grow" not in shown
    count, shown = tell(quiz_terminal.review, None)
    assert count == 0 and "Nothing to review" in shown


def test_the_progress_table_counts_answers_first_times_and_what_to_review(answer, tell):
    answer("2", "", "1, 2", "28", "", "bptt")
    _, shown = tell(quiz_terminal.show_progress)
    assert [word for word in next(line for line in shown.splitlines() if "rnn" in line).split() if word not in "│┃|"] == [
        "rnn", "4", "of", "4", "2", "2",
    ]  # fmt: skip


def test_answers_survive_export_clear_and_import(answer, tell, state, tmp_path):
    answer("1", "1, 2", "32", "bptt")
    before = events(state)
    assert tell(quiz_terminal.export_progress, tmp_path / "answers.json")[0] == 4
    quiz_terminal.clear_progress()
    assert not state.exists()
    assert tell(quiz_terminal.import_progress, tmp_path / "answers.json")[0] == (4, 4)
    assert events(state) == before


def test_loading_a_file_twice_adds_nothing_and_takes_nothing_away(answer, tell, state, tmp_path):
    answer("2", "q")
    tell(quiz_terminal.export_progress, tmp_path / "answers.json")
    answer("1", "q")
    assert tell(quiz_terminal.import_progress, tmp_path / "answers.json")[0] == (1, 0)
    standing = standings(state)["shape-of-h"]
    assert (standing.answered, standing.right, standing.first) == (2, True, False)


@pytest.mark.parametrize(
    "content",
    ["", "{}", '{"version": 2, "questions": {}}', '{"version": 1, "questions": {"a": 3}}', '{"version": true, "answers": []}',
     '{"version": 2, "answers": [{"id": "a", "at": "yesterday", "question": "q", "answer": "1", "right": true}]}',
     '{"version": 3, "answers": []}'],
)  # fmt: skip
def test_a_file_of_something_else_is_refused_and_changes_nothing(answer, tell, state, tmp_path, content):
    answer("1", "1, 2", "32", "bptt")
    before = events(state)
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(quizzes.QuizError, match="nothing was changed"):
        tell(quiz_terminal.import_progress, tmp_path / "other.json")
    assert events(state) == before


def test_clearing_removes_what_was_set_aside_too(answer, state):
    state.parent.mkdir()
    state.write_text("damaged")
    answer("1", "q")
    quiz_terminal.clear_progress()
    assert list(state.parent.glob("*.json")) == []


# What version 1 kept. The files were written by it: `terminal.json` is its state and its export, which were the same.

BOOK = Path(__file__).parents[2] / "book/quizzes"
VERSION_1 = Path(__file__).parent / "version-1"


@pytest.fixture
def of_version_1(state):
    """A state folder as version 1 left it."""
    state.parent.mkdir()
    shutil.copy(VERSION_1 / "terminal.json", state.with_name("quizzes.json"))
    return state


def load(console=None):
    return quiz_terminal.Progress.load(BOOK, console or Console(file=io.StringIO()))


def test_answers_of_version_1_are_taken_over_and_its_file_is_kept(of_version_1):
    console = Console(file=io.StringIO(), width=200)
    found = load(console).standings()
    assert len(found) == 11
    gate = found["gate"]
    assert (gate.answered, gate.right, gate.first, gate.answer, gate.at) == (3, True, False, ["a"], None)
    assert found["product"].answer == "15.3" and not found["product"].right
    assert "11 answers of an earlier version were taken over" in console.file.getvalue()
    kept = of_version_1.with_name("quizzes.version-1.json")
    assert kept.read_bytes() == (VERSION_1 / "terminal.json").read_bytes()
    assert not of_version_1.with_name("quizzes.json").exists()


def test_what_version_1_writes_later_is_taken_over_once_more(of_version_1):
    load()
    shutil.copy(VERSION_1 / "page-export.json", of_version_1.with_name("quizzes.json"))
    assert len(load().log) == 24
    shutil.copy(VERSION_1 / "terminal.json", of_version_1.with_name("quizzes.json"))
    assert len(load().log) == 24
    assert len(list(of_version_1.parent.glob("quizzes.version-1*.json"))) == 3


def test_an_answer_after_those_of_version_1_is_no_first_answer(of_version_1):
    progress = load()
    gate = next(one for one in quizzes.find("gru", BOOK).before if one.id == "gate")
    progress.record(gate, ["b"], False)
    standing = load().standings()["gate"]
    assert (standing.answered, standing.right, standing.first) == (4, False, False)


def test_a_damaged_file_of_version_1_is_kept_and_said(state):
    state.parent.mkdir()
    state.with_name("quizzes.json").write_text('{"version": 1, "questions": {"gru.before.gate": {"answered": "often"}}}')
    console = Console(file=io.StringIO(), width=200)
    assert load(console).log == []
    assert "quizzes.damaged.json" in console.file.getvalue()
    assert "often" in state.with_name("quizzes.damaged.json").read_text()


def test_the_export_of_the_page_of_version_1_can_be_loaded(state):
    console = Console(file=io.StringIO(), width=200)
    assert quiz_terminal.import_progress(VERSION_1 / "page-export.json", BOOK, console) == (13, 13)
    found = standings(state)
    assert found["products-back"].right and not found["products-back"].first  # it was called missing-term, like another one
    assert found["missing-term"].answer == ["d", "e"] and found["missing-term"].answered == 3
    assert found["half-of-the"].answer == ["b"]


def test_answers_to_questions_that_are_gone_are_said_to_be_left_out(state, tmp_path):
    content = json.loads((VERSION_1 / "terminal.json").read_text())
    content["questions"]["gru.before.gone"] = content["questions"]["gru.before.gate"]
    (tmp_path / "old.json").write_text(json.dumps(content))
    console = Console(file=io.StringIO(), width=200)
    assert quiz_terminal.import_progress(tmp_path / "old.json", BOOK, console) == (11, 11)
    assert "1 of its answers belong to questions that the course no longer has" in console.file.getvalue()


def test_every_question_of_version_1_is_still_in_the_course():
    today = {question.id for quiz in quizzes.find_all(BOOK) for question in quiz.before + quiz.after}
    names = quizzes.version_1_names(BOOK)
    assert len(names) == 196 and len(set(names.values())) == 196
    assert set(names.values()) - today == set()
