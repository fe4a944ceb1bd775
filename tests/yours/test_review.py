"""Questions that come back: on which day, in which order, and how the terminal asks them."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from unrolled import answers, quiz_terminal, quizzes
from unrolled.yours import review
from unrolled.yours.review import DAY, SITTING, schedule

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def log_of(*given: tuple[float, bool], question: str = "q") -> list[answers.Event]:
    """Answers to one question: (days after the first, right)."""
    log: list[answers.Event] = []
    for days, right in given:
        log.append(answers.answer_event(question, ["a"], right, log, NOON + timedelta(days=days)))
    return log


def interval(*given: tuple[float, bool]) -> float:
    """The days from the last answer that counts until the question comes back."""
    due = schedule(log_of(*given))["q"]
    return (due.due + SITTING - due.last) / DAY


def test_a_right_answer_comes_back_later_than_a_wrong_one():
    assert interval((0, False)) == 1 < interval((0, True))


def test_each_right_answer_at_its_day_makes_the_interval_longer():
    days, given, seen = 0.0, [], []
    for _ in range(5):
        given.append((days, True))
        seen.append(interval(*given))
        days += seen[-1]
    assert seen == sorted(seen) and seen[-1] > 100


def test_a_wrong_answer_makes_it_short_again():
    assert interval((0, True), (2, True), (13, False)) < 4


def test_a_second_try_in_the_same_sitting_does_not_count():
    assert schedule(log_of((0, False), (0.01, True)))["q"] == schedule(log_of((0, False)))["q"]


def test_the_hour_of_the_day_does_not_matter():
    due = schedule(log_of((0, True)))["q"]
    assert due.is_due(NOON + 2 * DAY - timedelta(hours=10)) and not due.is_due(NOON + DAY)


def test_an_answer_without_a_date_makes_a_question_due_at_once():
    old = {"id": "v1", "at": None, "question": "q", "answer": ["a"], "right": True, "first": True, "answered": 3}
    assert schedule([old])["q"].is_due(NOON)
    assert schedule([old, *log_of((0, True))]) == schedule(log_of((0, True)))


def test_what_was_reset_is_forgotten():
    reset = {"id": "r", "at": "2026-04-01T00:00:00.000Z", "question": "q", "reset": True}
    assert schedule([*log_of((0, False)), reset]) == {}


def test_missed_questions_come_first_and_then_those_most_likely_forgotten():
    log = log_of((0, True), question="sure") + log_of((0, True), (2, True), question="surer") + log_of((1, False), question="missed")
    now = NOON + 30 * DAY
    assert [one.question for one in review.due_now(log, now, ["sure", "surer", "missed"])] == ["missed", "sure", "surer"]


def test_questions_that_the_course_no_longer_has_are_not_asked():
    assert review.due_now(log_of((0, False), question="gone"), NOON + DAY, ["q"]) == []


@pytest.mark.parametrize("seed", range(5))
def test_histories_of_two_places_give_the_same_days_whichever_is_merged_into_which(seed):
    rng = random.Random(seed)
    here, there = ([e for q in "abc" for e in log_of(*sorted((rng.uniform(0, 40), rng.random() < 0.6) for _ in range(6)), question=q)] for _ in range(2))
    assert schedule(answers.merged(here, there)) == schedule(answers.merged(there, here, there))
    assert schedule(answers.merged(here, there)) != schedule(here)


# --- In the terminal ---------------------------------------------------------------------------


@pytest.fixture
def folder(course, tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path / "state"))
    return course / "book" / "quizzes"


def kept(folder, *events) -> None:
    quiz_terminal.Progress.load(folder, Console(file=io.StringIO())).add(list(events))


def old_answers(folder, number: int, right: bool) -> list[str]:
    """Answers from a month ago to the first questions with choices; their ids."""
    found = [q for quiz in quizzes.find_all(folder) for q in quiz.before if q.kind == "one"][:number]
    now = datetime.now(UTC) - 30 * DAY
    kept(folder, *(answers.answer_event(q.id, ["a"], right, [], now) for q in found))
    return [q.id for q in found]


def reviewed(folder, typed, minutes=5.0, clock=lambda: 0.0) -> tuple[int, str]:
    """What `unrolled review` leaves, and what it prints."""
    console = Console(file=io.StringIO(), width=100)
    lines = iter(typed)
    left = review.run(folder, console, minutes, lambda prompt: next(lines), clock)
    return left, console.file.getvalue()


def test_without_an_answer_it_says_how_a_question_comes_to_it(folder):
    assert "Nothing to review yet" in reviewed(folder, [])[1]


def test_what_is_due_is_asked_and_then_no_longer_due(folder):
    old_answers(folder, 1, right=False)
    left, printed = reviewed(folder, ["1", ""])
    assert left == 0 and "1 questions are due" in printed
    assert "Nothing is due today" in reviewed(folder, [])[1]


def test_who_leaves_keeps_what_was_answered(folder):
    old_answers(folder, 3, right=False)
    left, printed = reviewed(folder, ["1", "", "q"])  # a right answer needs no Enter: then that is no answer, and asked for again
    assert left == 2 and "1 questions answered, 2 left" in printed
    assert len(quiz_terminal.Progress.load(folder, Console(file=io.StringIO())).log) == 4


def test_after_the_minutes_the_rest_waits(folder):
    old_answers(folder, 3, right=False)
    clock = iter([0.0, 0.0, 400.0, 400.0])
    left, printed = reviewed(folder, ["1", ""], clock=lambda: next(clock))
    assert left == 2


def test_a_damaged_log_is_kept_under_another_name_and_said(folder, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "answers.json").write_text("{")
    _, printed = reviewed(folder, [])
    assert "could not be understood" in " ".join(printed.split())
    assert (tmp_path / "state" / "answers.damaged.json").read_text() == "{"
