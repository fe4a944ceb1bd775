"""Late days: a bank of days for each student over the whole course; beyond it, each day costs a share of the points.

`LateDays` is the plugin that nbgrader asks about a late notebook. `AssignLateDays` stands in the place of nbgrader's step: it
settles the student's other assignments as well, so that the end does not depend on the order in which assignments are graded.
`SettleLateDays` and the export settle anew what an extension or another due date has changed since.

A day ends when the clock on the wall, in the course's time zone, shows the due time again: it has 23 or 25 hours where summer time
begins or ends. Each day's end has the same time of grace.
"""

from __future__ import annotations

import itertools
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

import dateutil.parser
import dateutil.tz
from nbformat import NotebookNode
from nbgrader.api import Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor
from traitlets import Float, Integer, TraitError, Unicode, validate

from .gradebook import opened


DAY = timedelta(days=1)


@dataclass(frozen=True)
class HandIn:
    """When an assignment was received and when it was due, both in UTC; None where nobody knows."""

    assignment: str
    received: datetime | None
    due: datetime | None


@dataclass(frozen=True)
class Days:
    """Whole days begun after the due date, and how many of them the bank pays."""

    late: int = 0
    from_bank: int = 0

    @property
    def beyond(self) -> int:
        return self.late - self.from_bank


@dataclass(frozen=True)
class Clock:
    """How a course counts days: by the clock on the wall in its time zone, with a time of grace at the end of each."""

    zone: tzinfo = timezone.utc
    grace: timedelta = timedelta()

    def later(self, moment: datetime, days: int) -> datetime:
        """The moment, in UTC, at which the clock shows the same time `days` days later.

        Where it shows that time twice, or leaves it out, as summer time ends or begins, the later moment.
        """
        if not days:
            return moment
        shown = moment.replace(tzinfo=timezone.utc).astimezone(self.zone).replace(tzinfo=None) + days * DAY
        moments = (shown.replace(tzinfo=self.zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1))
        return max(moments).replace(tzinfo=None)

    def extended(self, due: datetime, extension: timedelta) -> datetime:
        """A due date, in UTC, after an extension: its days are those of the clock, and the rest are hours that pass."""
        return self.later(due, extension.days) + timedelta(seconds=extension.seconds)

    def days_late(self, hand_in: HandIn) -> int:
        """Days begun after the due date; 0 within the time of grace, and where there is no due date or no time of receipt."""
        if hand_in.received is None or hand_in.due is None:
            return 0
        begun = max(0, (hand_in.received - hand_in.due) // DAY - 1)  # a count from which no day is missed: a day has up to 25 hours
        try:
            return next(days for days in itertools.count(begun) if hand_in.received <= self.later(hand_in.due, days) + self.grace)
        except OverflowError:  # beyond the last year of the calendar
            return begun


def moment(text: str) -> datetime:
    """A time as people and platforms write it, in UTC; without a zone it is in UTC. Raises ValueError for what is none.

    nbgrader takes an offset such as -0500 for seconds, an afternoon (PM) for the night, and a zone that it does not know for UTC.
    """
    words = text.split()
    named = dateutil.tz.gettz(words[-1]) if words and "/" in words[-1] else None
    found = dateutil.parser.parse(" ".join(words[:-1] if named else words), tzinfos=_zone)
    if named:
        found = found.replace(tzinfo=named)
    return found.astimezone(timezone.utc).replace(tzinfo=None) if found.tzinfo else found


def _zone(name: str | None, offset: int | None) -> tzinfo | None:
    """The zone of a name such as EST, or of an offset in seconds."""
    if offset is not None:
        return dateutil.tz.tzoffset(name, offset)
    if name and not (zone := dateutil.tz.gettz(name)):
        raise ValueError(f"there is no time zone {name}")
    return zone if name else None


def spend(hand_ins: Iterable[HandIn], bank: int, clock: Clock) -> dict[str, Days]:
    """The late days of each assignment. The bank pays them in the order in which the assignments were received."""
    left, days = bank, {}
    late = [(hand_in, clock.days_late(hand_in)) for hand_in in hand_ins]
    for hand_in, many in sorted((each for each in late if each[1]), key=lambda each: (each[0].received, each[0].due, each[0].assignment)):
        paid = min(many, left)
        left -= paid
        days[hand_in.assignment] = Days(many, paid)
    return days


class LateDays(LateSubmissionPlugin):
    """nbgrader's plugin for late submissions. What counts is the time of receipt in timestamp.txt, and each student's extension."""

    bank = Integer(5, min=0, help="Days a student may be late without loss, over the whole course").tag(config=True)
    rate = Float(0.1, min=0, max=1, help="Share of an assignment's points that each day beyond the bank costs").tag(config=True)
    grace_minutes = Integer(15, min=0, help="Minutes after the due date, and after each day's end, that don't count").tag(config=True)
    timezone = Unicode("UTC", help="The time zone whose clock ends a day, such as Europe/Berlin").tag(config=True)

    @validate("timezone")
    def _known(self, proposal: dict) -> str:
        try:
            zoneinfo.ZoneInfo(proposal["value"])
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise TraitError(
                f"c.LateDays.timezone is {proposal['value']!r}: expected the name of a time zone in IANA's list, such as 'Europe/Berlin'."
            ) from None
        return proposal["value"]

    @property
    def clock(self) -> Clock:
        return Clock(zoneinfo.ZoneInfo(self.timezone), timedelta(minutes=self.grace_minutes))

    def days(self, submissions: Iterable[SubmittedAssignment]) -> dict[str, Days]:
        """The late days of each of a student's late assignments."""
        return spend(map(self._hand_in, submissions), self.bank, self.clock)

    def _hand_in(self, submission: SubmittedAssignment) -> HandIn:
        due = submission.assignment.duedate
        if due and submission.extension:
            due = self.clock.extended(due, submission.extension)
        return HandIn(submission.assignment.name, submission.timestamp, due)

    def penalty(self, notebook: SubmittedNotebook, days: Days) -> float:
        """The points that a notebook loses: a share of those it could have, and never more than it has."""
        return min(round(self.rate * days.beyond * notebook.max_score, 2), notebook.score) if days.beyond else 0.0

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """The penalty of the notebook that nbgrader's step, our parent, has before it."""
        step = self.parent
        notebook = step.gradebook.find_submission_notebook(step.notebook_id, step.assignment_id, student_id)
        days = self.days(step.gradebook.student_submissions(student_id))
        return self.penalty(notebook, days.get(step.assignment_id, Days())) or None

    def settle(self, submissions: Iterable[SubmittedAssignment]) -> dict[str, Days]:
        """Set the penalties of all that a student handed in, and return the late days. Whoever calls commits."""
        submissions = list(submissions)
        days = self.days(submissions)
        for submission in submissions:
            for notebook in submission.notebooks:
                penalty = self.penalty(notebook, days.get(submission.assignment.name, Days())) or None
                if notebook.late_submission_penalty != penalty:
                    notebook.late_submission_penalty = penalty
        return days


def late_days(parent: Any) -> LateDays | None:
    """The course's late days, as the configuration of `parent` sets them; None where it names another plugin for them.

    Raises TraitError for a setting that is none.
    """
    chosen = AssignLateDays(parent=parent).plugin_class
    return chosen(parent=parent) if issubclass(chosen, LateDays) else None


class AssignLateDays(AssignLatePenalties):
    """nbgrader's step, and then the same for the student's other assignments: this one may have taken days from the bank."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        nb, resources = super().preprocess(nb, resources)
        if isinstance(self.plugin_inst, LateDays):
            _settle(self.plugin_inst, self.db_url, self.student_id)
        return nb, resources


class SettleLateDays(NbGraderPreprocessor):
    """The first step of `nbgrader generate_feedback`: what an extension or another due date has changed is settled before it is shown."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        if plugin := late_days(self):
            _settle(plugin, resources["nbgrader"]["db_url"], resources["nbgrader"]["student"])
        return nb, resources


def _settle(plugin: LateDays, db_url: str, student_id: str) -> None:
    with opened(db_url) as gradebook:
        plugin.settle(gradebook.student_submissions(student_id))
        gradebook.db.commit()
