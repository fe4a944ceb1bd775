"""Late days: a bank of days for each student over the whole course; beyond it, each day costs a share of the points.

`LateDays` is the plugin that nbgrader asks about a late notebook. `AssignLateDays` stands in the place of nbgrader's step: it
settles the student's other assignments as well, so that the end does not depend on the order in which assignments are graded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from nbformat import NotebookNode
from nbgrader.api import Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Float, Integer

from .gradebook import opened


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


def days_late(hand_in: HandIn, grace: timedelta) -> int:
    """Days begun after the due date; 0 within the time of grace, and where there is no due date or no time of receipt."""
    if hand_in.received is None or hand_in.due is None or hand_in.received <= hand_in.due + grace:
        return 0
    return math.ceil((hand_in.received - hand_in.due) / timedelta(days=1))


def spend(hand_ins: Iterable[HandIn], bank: int, grace: timedelta) -> dict[str, Days]:
    """The late days of each assignment. The bank pays them in the order in which the assignments were received."""
    left, days = bank, {}
    late = [(hand_in, days_late(hand_in, grace)) for hand_in in hand_ins]
    for hand_in, many in sorted((each for each in late if each[1]), key=lambda each: (each[0].received, each[0].due, each[0].assignment)):
        paid = min(many, left)
        left -= paid
        days[hand_in.assignment] = Days(many, paid)
    return days


def _hand_in(submission: SubmittedAssignment) -> HandIn:
    due = submission.assignment.duedate
    return HandIn(submission.assignment.name, submission.timestamp, due and due + (submission.extension or timedelta()))


class LateDays(LateSubmissionPlugin):
    """nbgrader's plugin for late submissions. What counts is the time of receipt in timestamp.txt, and each student's extension."""

    bank = Integer(5, min=0, help="Days a student may be late without loss, over the whole course").tag(config=True)
    rate = Float(0.1, min=0, max=1, help="Share of an assignment's points that each day beyond the bank costs").tag(config=True)
    grace_minutes = Integer(15, min=0, help="Minutes after the due date that don't count").tag(config=True)

    def days(self, gradebook: Gradebook, student_id: str) -> dict[str, Days]:
        """The late days of each of a student's late assignments."""
        hand_ins = map(_hand_in, gradebook.student_submissions(student_id))
        return spend(hand_ins, self.bank, timedelta(minutes=self.grace_minutes))

    def penalty(self, notebook: SubmittedNotebook, days: Days) -> float:
        """The points that a notebook loses: a share of those it could have, and never more than it has."""
        return min(round(self.rate * days.beyond * notebook.max_score, 2), notebook.score)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """The penalty of the notebook that nbgrader's step, our parent, has before it."""
        step = self.parent
        notebook = step.gradebook.find_submission_notebook(step.notebook_id, step.assignment_id, student_id)
        return self.penalty(notebook, self.days(step.gradebook, student_id).get(step.assignment_id, Days())) or None

    def settle(self, gradebook: Gradebook, student_id: str) -> None:
        """Enter the penalties of all that a student handed in."""
        days = self.days(gradebook, student_id)
        for submission in gradebook.student_submissions(student_id):
            for notebook in submission.notebooks:
                notebook.late_submission_penalty = self.penalty(notebook, days.get(submission.assignment.name, Days())) or None
        gradebook.db.commit()


class AssignLateDays(AssignLatePenalties):
    """nbgrader's step, and then the same for the student's other assignments: this one may have taken days from the bank."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        nb, resources = super().preprocess(nb, resources)
        if isinstance(self.plugin_inst, LateDays):
            with opened(self.db_url) as gradebook:
                self.plugin_inst.settle(gradebook, self.student_id)
        return nb, resources
