"""Questions that come back: when each quiz question should be asked again, by FSRS on the dated log of answers; and asking them.

The scheduler is the library `fsrs` [ye2022], with its published weights. The page's `unrolled-schedule.js` holds the same few formulas; a
test holds the two together. Days, not minutes: what is answered again within half a day of an answer belongs to the same sitting and
does not count, since the feedback is still fresh; and a question is due from half a day before its interval ends, so that the hour of the
day does not matter. Answers without a date, from before the log had them, say that a question was met: it is due at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from .. import answers, quiz_terminal, quizzes
from ..language import gettext
from . import mistakes

if TYPE_CHECKING:
    from rich.console import Console

DAY = timedelta(days=1)
SITTING = DAY / 2
MINUTES = 5.0  # that a learner gives to it on a day
_START = datetime(2000, 1, 1, tzinfo=UTC)  # the library wants dates; what counts is the days between them


@dataclass(frozen=True)
class Due:
    """When a question is to be asked again. due: None for at once. missed: its last answer that counts was wrong."""

    question: str
    due: datetime | None
    missed: bool
    stability: float   # days after which the answer is known with a probability of 0.9; 0 for what has no dated answer
    difficulty: float  # from 1 to 10
    last: datetime | None

    def is_due(self, now: datetime) -> bool:
        return self.due is None or self.due <= now

    def known(self, now: datetime) -> float:
        """The probability that the answer is still known."""
        return _scheduler().get_card_retrievability(_card(self), _START + now_days(now, self.last) * DAY) if self.last else 0.0


def schedule(log: Iterable[answers.Event]) -> dict[str, Due]:
    """For each question that was answered since it was last reset, when it comes back."""
    events: dict[str, list[answers.Event]] = {}
    for event in answers.merged(log):
        if event.get("reset"):
            events.pop(event["question"], None)
        else:
            events.setdefault(event["question"], []).append(event)
    return {question: _due(question, own) for question, own in events.items()}


def _due(question: str, events: list[answers.Event]) -> Due:
    from fsrs import Card, Rating

    card, last, right = Card(card_id=1), None, events[-1]["right"]
    for event in events:
        if event["at"] is None:
            continue
        at = datetime.fromisoformat(event["at"])
        if last is not None and at - last < SITTING:
            continue
        when = (card.last_review or _START) + (now_days(at, last) if last else 0) * DAY
        card, _ = _scheduler().review_card(card, Rating.Good if event["right"] else Rating.Again, when)
        last, right = at, event["right"]
    if last is None:
        return Due(question, None, not right, 0.0, 0.0, None)
    return Due(question, last + (card.due - card.last_review) - SITTING, not right, card.stability, card.difficulty, last)


def now_days(now: datetime, last: datetime) -> int:
    """The days between two sittings: the nearest whole number, 1 at least."""
    return max(1, int((now - last) / DAY + 0.5))


def _scheduler():
    from fsrs import Scheduler

    return Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)


def _card(of: Due):
    from fsrs import Card, State

    return Card(card_id=1, state=State.Review, stability=of.stability, difficulty=of.difficulty, due=_START, last_review=_START)


def due_now(log: Iterable[answers.Event], now: datetime, known: Iterable[str]) -> list[Due]:
    """What of the known questions is due, in the order to ask: missed ones first, then what is most likely to be forgotten."""
    wanted = set(known)
    found = [one for one in schedule(log).values() if one.question in wanted and one.is_due(now)]
    return sorted(found, key=lambda one: (not one.missed, one.known(now), one.question))


# --- In the terminal ---------------------------------------------------------------------------


def run(
    folder: Path, console: Console, minutes: float = MINUTES, input: Callable[[str], str] = input, clock: Callable[[], float] = time.monotonic
) -> int:
    """Ask what is due until it is done or the minutes are over; return how many questions are left. Raises QuizError."""
    chapters = {question.id: (quiz.name, question) for quiz in quizzes.find_all(folder) for question in quiz.before + quiz.after}
    progress = quiz_terminal.Progress.load(folder, console)
    mistakes.keep(progress)
    asked = chapters | {name: (gettext("your own mistakes"), question) for name, question in mistakes.questions(progress.log).items()}
    waiting = due_now(progress.log, datetime.now(UTC), asked)
    if not waiting:
        console.print(_nothing(progress.log, asked), soft_wrap=True)
        return 0
    text = gettext("{count} questions are due. After {minutes} minutes the rest waits for another day; q leaves, and what you answered is kept.")
    console.print(text.format(count=len(waiting), minutes=f"{minutes:g}"), highlight=False, soft_wrap=True)
    end, left = clock() + 60 * minutes, len(waiting)
    for one in waiting:
        if clock() >= end:
            break
        title, question = asked[one.question]
        console.rule(f"[bold]{title}")
        if not quiz_terminal.ask_one(question, console, input, progress):
            break
        left -= 1
    text = gettext("{count} questions answered, {left} left.") if left else gettext("Done for today.")
    console.print(text.format(count=len(waiting) - left, left=left), highlight=False)
    return left


def _nothing(log: list[answers.Event], known: Iterable[str]) -> str:
    """What to say where nothing is due."""
    coming = [one.due for one in schedule(log).values() if one.question in set(known) and one.due]
    if not coming:
        return gettext("Nothing to review yet: a question comes back once you have answered it, in a page or by `unrolled quiz`.")
    text = gettext("Nothing is due today. The next question comes back on {date}.")
    return text.format(date=min(coming).astimezone().date().isoformat())


def counts(log: Iterable[answers.Event], known: Iterable[str], now: datetime) -> tuple[int, int, int]:
    """How many questions are due now, how many more within the seven days that follow, and how many were met."""
    plan, wanted = schedule(log), set(known)
    seen = [one for one in plan.values() if one.question in wanted]
    now_due = sum(one.is_due(now) for one in seen)
    return now_due, sum(one.is_due(now + 7 * DAY) for one in seen) - now_due, len(seen)
