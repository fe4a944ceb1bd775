"""A check's record, and an overview of several, as text and as HTML."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..course import section_link
from ..language import again, all_of, gettext, listed_long, ngettext, texts
from ..terminal import padded, wrapped
from .hints import ASK, folded, hints, section_text
from .run import PRINTED_LIMIT, Record
from .task import Task

REREAD = texts("Reread: {sections}.")
JUDGES = texts(("recorded results of {judge}", "{library}, float64, on {device}", "what holds for every right result"))  # as `Drawn` names them
MARKS = {"passed": "ok", "failed": "FAIL", "not reached": "-"}
COLOURS = {"passed": "#1a7f37", "failed": "#cf222e", "not reached": "#6e7781"}
WIDTH = 100
ASSIGNMENT_POINTS = 20  # what is not given by checks is given by hand


GIVEN = texts("Right, given a right {names}: it was judged once more with that, because your own {names} is not right by itself.")
PARTLY_GIVEN = texts(
    "Right as far as it was asked, given a right {names}: it was judged once more with that, because your own {names} is not right by itself. "
    "The case that takes long is judged with your own {names} only."
)


def points_text(points: float) -> str:
    """Points without needless decimals: 3, 2.5, 1.33."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def judge_text(judge: str) -> str:
    """What judged, in the language that is spoken now."""
    return again(judge, JUDGES)


def headline(record: Record) -> str:
    text = gettext("{task}: all passed, {points} of {most} points") if record.passed else gettext("{task}: {points} of {most} points")
    return text.format(task=record.task, points=points_text(record.points), most=points_text(record.max_points))


def _given(record: Record) -> str:
    """Of a task that was judged on its own: what it was given."""
    if not record.given:
        return ""
    return gettext(GIVEN if record.passed else PARTLY_GIVEN).format(names=all_of(record.given))


def _when_graded(record: Record) -> str:
    return gettext("Careful: {warning}").format(warning=record.when_graded) if record.when_graded else ""


def _rows(record: Record) -> list[tuple[str, str]]:
    """Status and name of each step, up to the one that failed; those after it as one row."""
    rows = [(step.status, gettext(step.name)) for step in record.steps if step.status != "not reached"]
    left = len(record.steps) - len(rows)
    more = ngettext("{count} more, not reached", "{count} more, not reached", left).format(count=left)
    return rows + ([("not reached", more)] if left else [])


def _explained(record: Record) -> list[str]:
    """What the function did, and what else its code shows."""
    return [text for text in (record.explanation, *record.signs) if text]


def _reread(record: Record) -> str:
    if not record.reread:
        return ""
    return gettext(REREAD).format(sections=listed_long(map(section_text, record.reread)))


def _judged(record: Record) -> str:
    """How many steps passed, and what judged them."""
    text = ngettext("{count} step, judged by {judge}.", "{count} steps, judged by {judge}.", len(record.steps))
    return text.format(count=len(record.steps), judge=judge_text(record.judge))


Link = Callable[[str, str], str | None]  # where a section can be read: of its page and its label the address, or None


def _reread_html(record: Record, link: Link) -> str:
    def section(s: dict[str, str]) -> str:
        words, address = html.escape(section_text(s)), link(s["page"], s["label"])
        return f'<a href="{html.escape(address)}">{words}</a>' if address else words

    return html.escape(gettext(REREAD)).format(sections=listed_long(map(section, record.reread)))


def _printed(record: Record) -> str:
    printed = record.printed.strip("\n")
    if len(printed) > PRINTED_LIMIT:
        printed = gettext("{printed} ... (cut)").format(printed=printed[:PRINTED_LIMIT])
    return printed


def as_text(record: Record) -> str:
    """The report as plain text that fits on a screen."""
    lines = [headline(record)]
    if record.passed:
        lines += wrapped(_given(record), WIDTH, "  ")
        lines.append(f"  {_judged(record)}")
        lines += wrapped(_when_graded(record), WIDTH, "  ")
        return "\n".join(lines)
    for status, name in _rows(record):
        lines.append(f"  {MARKS[status]:<5}{name}")
        if status == "failed":
            for paragraph in record.message.splitlines():
                lines += wrapped(paragraph, WIDTH, " " * 7)
    for paragraph in (_given(record), *_explained(record), _reread(record), _when_graded(record)):
        lines += wrapped(paragraph, WIDTH)
    if record.printed:
        lines.append(gettext("Your code printed:"))
        lines += [f"  | {line}" for line in _printed(record).splitlines()[:10]]
    if record.warned:
        lines.append(gettext("NumPy or Python warned:"))
        lines += [f"  | {line}" for warning in record.warned for line in warning.splitlines()]
    lines.append(gettext("Judged by {judge}.").format(judge=judge_text(record.judge)))
    return "\n".join(lines)


def as_html(record: Record, link: Link = lambda page, label: None) -> str:
    """The report as an HTML fragment without scripts; everything that came from a learner is escaped."""
    colour = COLOURS["passed" if record.passed else "failed"]
    careful = f'<p style="margin:.4em 0"><strong>{html.escape(_when_graded(record))}</strong></p>' if record.when_graded else ""
    if record.passed:
        return (
            f'<div style="border-left:4px solid {colour};padding:.3em .8em">'
            f"<strong>{html.escape(headline(record))}</strong><br>{html.escape(_given(record))}{'<br>' if record.given else ''}"
            f"<small>{html.escape(_judged(record))}</small>{careful}</div>"
        )
    rows = []
    for status, name in _rows(record):
        message = ""
        if status == "failed":
            message = f'<div style="white-space:pre-wrap;margin:.2em 0 .4em">{html.escape(record.message)}</div>'
        rows.append(
            f'<li style="margin:.1em 0"><span style="color:{COLOURS[status]};font-weight:600;'
            f'display:inline-block;min-width:3.2em">{MARKS[status]}</span>{html.escape(name)}{message}</li>'
        )
    parts = [
        f"<strong>{html.escape(headline(record))}</strong>",
        f'<ul style="list-style:none;padding-left:.2em;margin:.4em 0">{"".join(rows)}</ul>',
    ]
    for place, paragraph in enumerate(filter(None, (_given(record), *_explained(record)))):
        text = html.escape(paragraph)
        parts.append(f'<p style="margin:.4em 0">{text if place else f"<strong>{text}</strong>"}</p>')
    if record.reread:
        parts.append(f'<p style="margin:.4em 0">{_reread_html(record, link)}</p>')
    if record.printed:
        parts.append(
            f'<details><summary>{html.escape(gettext("Your code printed"))}</summary><pre style="white-space:pre-wrap">'
            f"{html.escape(_printed(record))}</pre></details>"
        )
    if record.warned:
        parts.append(
            f'<details><summary>{html.escape(gettext("NumPy or Python warned"))}</summary><pre style="white-space:pre-wrap">'
            f"{html.escape(chr(10).join(record.warned))}</pre></details>"
        )
    parts.append(careful)
    parts.append(f"<small>{html.escape(gettext('Judged by {judge}.').format(judge=judge_text(record.judge)))}</small>")
    return f'<div style="border-left:4px solid {colour};padding:.3em .8em">{"".join(parts)}</div>'


def feedback_html(record: Record, link: Link) -> str:
    """The report of a graded check, with the hints folded below it."""
    return as_html(record, link) + folded(record)


class Report:
    """What a notebook shows for a record: the report, and how to ask for a hint."""

    def __init__(self, record: Record):
        self.record = record

    @property
    def _ask(self) -> str:
        return gettext(ASK).format(task=self.record.task) if hints(self.record) else ""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        ask = f"<p><small>{html.escape(self._ask)}</small></p>" if self._ask else ""
        return {"text/plain": repr(self), "text/html": as_html(self.record, self._link) + ask}

    @staticmethod
    def _link(page: str, label: str) -> str | None:
        return section_link(page, label, Path.cwd())

    def __repr__(self) -> str:
        return "\n".join(filter(None, [as_text(self.record), self._ask]))


# --- What stands -------------------------------------------------------------------------------


def _stands(task: Task, record: Record | None) -> tuple[str, str, str]:
    """A task's status, its points, and in words how far it came when it was last checked."""
    most = points_text(task.points)
    if record is None:
        return "not reached", gettext("{most} points").format(most=most), gettext("not checked yet")
    points = gettext("{points} of {most} points").format(points=points_text(record.points), most=most)
    if record.given:
        return "passed" if record.passed else "not reached", points, gettext("right, given a right {names}").format(names=all_of(record.given))
    if record.passed:
        return "passed", points, gettext("all passed")
    failed = next(step.name for step in record.steps if step.status == "failed")
    return "failed", points, gettext("not written yet") if record.unwritten else gettext("stops at: {step}").format(step=gettext(failed))


def _summary(assignment: str, tasks: list[Task], records: dict[str, Record]) -> str:
    earned = sum(records[task.name].points for task in tasks if task.name in records)
    most = sum(task.points for task in tasks)
    by_hand = ASSIGNMENT_POINTS - most
    text = gettext("{assignment}: {points} of {most} points; {more} more are given by hand") if by_hand > 0 else gettext("{assignment}: {points} of {most} points")
    return text.format(assignment=assignment, points=points_text(earned), most=points_text(most), more=points_text(by_hand))


class Overview:
    """What a notebook shows for several tasks: `records` holds those that were checked, by the task's name."""

    def __init__(self, tasks: list[Task], records: dict[str, Record]):
        self.records = records
        self.assignments: dict[str, list[Task]] = {}
        for task in tasks:
            self.assignments.setdefault(task.assignment, []).append(task)

    def as_text(self) -> str:
        """One line a task, under its assignment."""
        lines = []
        for assignment, tasks in self.assignments.items():
            lines.append(_summary(assignment, tasks, self.records))
            width = max(len(task.name) for task in tasks)
            for task in tasks:
                status, points, words = _stands(task, self.records.get(task.name))
                lines.append(f"  {MARKS[status]:<5}{task.name:<{width}}  {padded(points, 16)}  {words}")
        return "\n".join(lines)

    def as_html(self) -> str:
        """The same as an HTML fragment without scripts."""
        parts = []
        for assignment, tasks in self.assignments.items():
            rows = []
            for task in tasks:
                status, points, words = _stands(task, self.records.get(task.name))
                cells = "".join(f'<td style="text-align:left">{html.escape(text)}</td>' for text in (points, words))
                rows.append(
                    f'<tr><td style="color:{COLOURS[status]};font-weight:600;text-align:left">{MARKS[status]}</td>'
                    f'<th scope="row" style="text-align:left"><code>{html.escape(task.name)}</code></th>{cells}</tr>'
                )
            caption = html.escape(_summary(f"\0{assignment}\1", tasks, self.records)).replace("\0", "<strong>").replace("\1", "</strong>")
            parts.append(f'<table><caption style="text-align:left">{caption}</caption><tbody>{"".join(rows)}</tbody></table>')
        return "".join(parts)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.as_text(), "text/html": self.as_html()}

    def __repr__(self) -> str:
        return self.as_text()
