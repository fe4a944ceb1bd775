"""Hints in steps, for a check that failed: first the idea to look at, then the mistake in words, then the line of the learner's code."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

from ..course import section_link
from ..language import gettext, listed_long, texts
from .record import Record

IDEA = texts("Which idea: {sections}.")
SECTION = texts("read “{title}” in book/{page} again")
LINE = texts("Which line: look at line {number} of the cell, “{text}”.")
ASK = texts('For a hint: check.hint("{task}"), and again for the next one.')
NUMBERED = texts("Hint {number} of {count}. {text}")
FOLDED = texts("Hints")
PASSED = texts("{task}: all passed, there is nothing to hint at.")
NOT_CHECKED = texts('There is nothing to hint at yet: run check("{task}", {task}) first.')


def hints(record: Record) -> list[str]:
    """The hints of a record, the mildest first; none for a check that passed."""
    if record.passed or not record.reread:
        return []
    found = [gettext(IDEA).format(sections=listed_long(map(_to_read, record.reread)))]
    if record.advice:
        found.append(record.advice)
    if record.line and record.line["text"]:
        found.append(gettext(LINE).format(**record.line))
    return found


def numbered(texts: list[str], place: int) -> str:
    """One hint, with its number."""
    return gettext(NUMBERED).format(number=place + 1, count=len(texts), text=texts[place])


def section_text(section: dict[str, str]) -> str:
    """Where a section stands."""
    return gettext("“{title}” in book/{page}").format(title=gettext(section["title"]), page=section["page"])


def _to_read(section: dict[str, str]) -> str:
    return gettext(SECTION).format(title=gettext(section["title"]), page=section["page"])


def folded(record: Record) -> str:
    """All hints as HTML, each folded inside the one before: who opens one has not yet seen the next."""
    texts, inner = hints(record), ""
    for place in reversed(range(len(texts))):
        summary = gettext(FOLDED) if place == 0 else gettext(NUMBERED).format(number=place + 1, count=len(texts), text="")
        inner = (
            f'<details style="margin:.2em 0"><summary>{html.escape(summary.strip())}</summary>'
            f'<p style="margin:.2em 0 .2em 1em">{html.escape(texts[place])}</p>{inner}</details>'
        )
    return inner


class Hint:
    """What a notebook shows for one hint; in a page, with links to `sections`."""

    def __init__(self, text: str, sections: list[dict[str, str]] = []) -> None:
        self.text, self.sections = text, sections

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        shown = html.escape(self.text)
        for section in self.sections:
            words, address = html.escape(_to_read(section)), section_link(section["page"], section["label"], Path.cwd())
            if address:
                shown = shown.replace(words, f'<a href="{html.escape(address)}">{words}</a>')
        return {"text/plain": self.text, "text/html": f'<div style="border-left:4px solid #0969da;padding:.3em .8em">{shown}</div>'}

    def __repr__(self) -> str:
        return self.text
