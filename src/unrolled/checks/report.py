"""A check's record as text and as HTML."""

from __future__ import annotations

import html
import textwrap
from typing import Any

from .run import PRINTED_LIMIT, Record

MARKS = {"passed": "ok", "failed": "FAIL", "not reached": "-"}
COLOURS = {"passed": "#1a7f37", "failed": "#cf222e", "not reached": "#6e7781"}
WIDTH = 100


def points_text(points: float) -> str:
    """Points without needless decimals: 3, 2.5, 1.33."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def headline(record: Record) -> str:
    points = f"{points_text(record.points)} of {points_text(record.max_points)} points"
    return f"{record.task}: all passed, {points}" if record.passed else f"{record.task}: {points}"


def _rows(record: Record) -> list[tuple[str, str]]:
    """Status and name of each step, up to the one that failed; those after it as one row."""
    rows = [(step.status, step.name) for step in record.steps if step.status != "not reached"]
    left = len(record.steps) - len(rows)
    return rows + ([("not reached", f"{left} more, not reached")] if left else [])


def _diagnosis(record: Record) -> str:
    if not record.diagnosis:
        return ""
    if len(record.diagnosis) == 1:
        return f"Your results equal those of {record.diagnosis[0]}."
    return "Your results equal those of each of these, which the cases can't tell apart: " + "; ".join(
        f"({i}) {sentence}" for i, sentence in enumerate(record.diagnosis, 1)
    ) + "."


def _reread(record: Record) -> str:
    if not record.reread:
        return ""
    return "Reread: " + "; ".join(f"“{s['title']}” in book/{s['page']}" for s in record.reread) + "."


def _printed(record: Record) -> str:
    printed = record.printed.strip("\n")
    if len(printed) > PRINTED_LIMIT:
        printed = printed[:PRINTED_LIMIT] + " ... (cut)"
    return printed


def as_text(record: Record) -> str:
    """The report as plain text that fits on a screen."""
    lines = [headline(record)]
    if record.passed:
        lines.append(f"  {len(record.steps)} steps, judged by {record.judge}.")
        return "\n".join(lines)
    for status, name in _rows(record):
        lines.append(f"  {MARKS[status]:<5}{name}")
        if status == "failed":
            for paragraph in record.message.splitlines():
                lines += textwrap.wrap(paragraph, WIDTH, initial_indent=" " * 7, subsequent_indent=" " * 7)
    for paragraph in (_diagnosis(record), _reread(record)):
        lines += textwrap.wrap(paragraph, WIDTH)
    if record.printed:
        lines.append("Your code printed:")
        lines += [f"  | {line}" for line in _printed(record).splitlines()[:10]]
    lines.append(f"Judged by {record.judge}.")
    return "\n".join(lines)


def as_html(record: Record) -> str:
    """The report as an HTML fragment without scripts; everything that came from a learner is escaped."""
    colour = COLOURS["passed" if record.passed else "failed"]
    if record.passed:
        return (
            f'<div style="border-left:4px solid {colour};padding:.3em .8em">'
            f"<strong>{html.escape(headline(record))}</strong><br>"
            f"<small>{len(record.steps)} steps, judged by {html.escape(record.judge)}.</small></div>"
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
    if record.diagnosis:
        parts.append(f'<p style="margin:.4em 0"><strong>{html.escape(_diagnosis(record))}</strong></p>')
    if record.reread:
        parts.append(f'<p style="margin:.4em 0">{html.escape(_reread(record))}</p>')
    if record.printed:
        parts.append(
            '<details><summary>Your code printed</summary><pre style="white-space:pre-wrap">'
            f"{html.escape(_printed(record))}</pre></details>"
        )
    parts.append(f"<small>Judged by {html.escape(record.judge)}.</small>")
    return f'<div style="border-left:4px solid {colour};padding:.3em .8em">{"".join(parts)}</div>'


class Report:
    """What a notebook shows for a record."""

    def __init__(self, record: Record):
        self.record = record

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": as_text(self.record), "text/html": as_html(self.record)}

    def __repr__(self) -> str:
        return as_text(self.record)
