"""A portfolio: one HTML page, offline, of what a learner has done in the course; and the page that an instructor signs.

A learner's own page says of itself that nobody else attests it. An instructor's page is made from the gradebook, may hold a learner's page,
and is signed as a whole (`signing`).
"""

from __future__ import annotations

import base64
import datetime
import html
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__, answers, language, quizzes
from ..checks import TASKS
from ..checks.report import points_text
from ..language import gettext, texts
from .milestones_terminal import FOLDER as MILESTONES_FOLDER
from .milestones_terminal import read_record as read_milestones
from .package import NAME, read_record

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

MAX_PICTURE = 5 * 2**20  # bytes
SELF_ATTESTED = texts(
    "This page is self-attested: its owner made it with the course's own program on their own machine, and nobody else has looked at it. "
    "The functions can be read, and checked again by anybody who has the course."
)
PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
{head}<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .2rem .6rem; border-bottom: 1px solid #8888; vertical-align: top; }}
img {{ max-width: 100%; background: white; }}
.note {{ border-left: 4px solid #888; padding: .2rem 1rem; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


class PortfolioError(ValueError):
    """A page can't be made; the message is one sentence that says why and what to do."""


def write(file: Path, text: str) -> None:
    """Write a page whole: beside, then moved into place."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}-", suffix=".html")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        os.chmod(beside, 0o644)
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise


# --- A learner's own ---------------------------------------------------------------------------


def portfolio(work: Path, course: Path, log: Iterable[answers.Event], name: str) -> str:
    """The page of what lies in `work/` and in the log of answers. course: where the quizzes lie. Raises PortfolioError where there is nothing."""
    record, milestones, standings = read_record(work / NAME), read_milestones(work), answers.standings(log)
    chapters = quizzes.find_all(course / "book" / "quizzes")
    answered = any(question.id in standings for quiz in chapters for question in quiz.before + quiz.after)
    if not (record or milestones or answered):
        text = gettext("There is nothing to show yet: no package in {folder}, no milestone, no answer to a quiz. `unrolled package` packs what passes.")
        raise PortfolioError(text.format(folder=work / NAME))
    today = datetime.date.today().isoformat()
    intro = _said("Course {course}, version {version}. Made on {date}.", course="<cite>Unrolled: sequence models from scratch</cite>", version=html.escape(__version__), date=today)
    body = [f"<p>{intro}</p>", f'<p class="note">{_said(SELF_ATTESTED)}</p>']
    body += [_tasks(record), _milestones(work, milestones), _quizzes(chapters, standings)]
    title = gettext("{name}: portfolio").format(name=name) if name else gettext("Portfolio")
    return PAGE.format(language=language.language().replace("_", "-"), head="", title=html.escape(title), body="\n".join(filter(None, body)))


def _said(text: str, **fills: object) -> str:
    """A text in the language that is spoken now, as HTML. What fills its places is HTML already."""
    return html.escape(gettext(text), quote=False).format(**fills)


def _table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML already; the first cell of a row is its head."""
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    lines = "".join(f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>\n' for first, *rest in rows)
    return f"<table>\n<caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{lines}</tbody>\n</table>"


def _tasks(record: dict) -> str:
    tasks = {name: entry for name, entry in record.get("tasks", {}).items() if name in TASKS}
    if not tasks:
        return ""
    rows = []
    for name, entry in tasks.items():
        module = html.escape(str(entry.get("module", "")), quote=True)
        link = f'<a href="{NAME}/{module}.py"><code>{html.escape(name)}</code></a>'
        points = _said("{points} of {most}", points=points_text(float(entry.get("points", 0))), most=points_text(float(entry.get("max_points", 0))))
        rows.append((link, html.escape(TASKS[name].assignment), points, html.escape(str(entry.get("since", ""))), html.escape(str(entry.get("judge", "")))))
    packed, course = html.escape(str(record.get("packed", ""))[:10]), html.escape(str(record.get("course", "")))
    intro = _said(
        "{count} of the course's {all} functions pass their checks, last checked on {date} with version {version}. The links lead to the code, in the "
        "folder {folder} beside this page.", count=len(rows), all=len(TASKS), date=packed, version=course, folder=NAME,
    )  # fmt: skip
    heads = tuple(map(_said, texts(("function", "assignment", "points", "since", "judged by"))))
    return f"<h2>{_said('Functions')}</h2>\n<p>{intro}</p>\n" + _table(_said("Functions that pass"), heads, rows)


def _milestones(work: Path, milestones: dict) -> str:
    parts = []
    for name, entry in milestones.items():
        said = "".join(f"<p>{html.escape(str(text))}</p>" for text in [*entry.get("said", []), entry.get("differs", "")] if text)
        own, missing = (", ".join(map(str, entry.get(key, []))) for key in ("own", "missing"))
        text = gettext("Own functions: {own}. The course's: {course}. Run on {date} with version {version}.")
        none = gettext("none")
        whose = text.format(own=own or none, course=missing or none, date=entry.get("date", ""), version=entry.get("course", ""))
        parts.append(f"<h3>{html.escape(name)}</h3>\n<p>{html.escape(whose)}</p>\n{said}\n{_picture(work / MILESTONES_FOLDER, entry)}")
    return f"<h2>{_said('Milestones')}</h2>\n" + "\n".join(parts) if parts else ""


def _picture(folder: Path, entry: dict) -> str:
    file = folder / Path(str(entry.get("picture", ""))).name
    if file.suffix != ".png" or not file.is_file() or file.stat().st_size > MAX_PICTURE:
        return f"<p>{_said('Its picture is no longer there.')}</p>"
    data = base64.b64encode(file.read_bytes()).decode("ascii")
    return f'<img src="data:image/png;base64,{data}" alt="{html.escape(str(entry.get("alt", "")), quote=True)}">'


def _quizzes(chapters: Iterable[quizzes.Quiz], standings: dict[str, answers.Standing]) -> str:
    rows = []
    for quiz in chapters:
        questions = quiz.before + quiz.after
        known = [standings[question.id] for question in questions if question.id in standings]
        if known:
            last = max((one.at or "" for one in known))[:10]
            rows.append((html.escape(quiz.name), _said("{count} of {all}", count=len(known), all=len(questions)), str(sum(one.first for one in known)), str(sum(one.right for one in known)), last))
    heads = tuple(map(_said, texts(("chapter", "answered", "right first time", "right last", "last answer"))))
    return f"<h2>{_said('Quizzes')}</h2>\n" + _table(_said("Quizzes"), heads, rows) if rows else ""


# --- An instructor's ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Graded:
    """What the gradebook says of one assignment of one student. score: after the late penalty. final: nothing waits for a grade by hand."""

    assignment: str
    score: float
    most: float
    received: str
    final: bool


def graded(book: Gradebook, student: str) -> list[Graded]:
    """What the gradebook holds of a student, in the order of assignments. Raises PortfolioError for somebody whom it does not know."""
    from nbgrader.api import MissingEntry

    try:
        submissions = book.find_student(student).submissions
    except MissingEntry:
        raise PortfolioError(gettext("The gradebook knows no student {student!r}: see `nbgrader db student list`.").format(student=student)) from None
    found = [
        Graded(one.assignment.name, max(0.0, one.score - (one.late_submission_penalty or 0.0)), one.max_score, one.timestamp.date().isoformat() if one.timestamp else "", not one.needs_manual_grade)
        for one in submissions
    ]  # fmt: skip
    if not found:
        raise PortfolioError(gettext("The gradebook holds no graded assignment of {student!r}: grade one first, by `unrolled grade`.").format(student=student))
    return sorted(found, key=lambda one: one.assignment)


PROVES = (
    "A valid signature proves that whoever holds the course's private key signed exactly this text. It does not prove who the student is, or that "
    "nobody helped them; and it says nothing of a self-attested part but that it was there when this page was signed. Check it with the course's public "
    "key, which you should have from the course itself and not with this page: unrolled verify FILE --key KEY."
)


def attested(student: str, grades: Iterable[Graded], course_name: str, own: str, head: str) -> str:
    """The page to sign. own: the text of a learner's page, or empty. head: what `signing` puts into the head."""
    today = datetime.date.today().isoformat()
    rows = [
        (html.escape(one.assignment), f"{points_text(one.score)} of {points_text(one.most)}", one.received, "yes" if one.final else "a part waits for a grade by hand")
        for one in grades
    ]  # fmt: skip
    body = [
        f"<p>Student <strong>{html.escape(student)}</strong>, course {html.escape(course_name)}, version {html.escape(__version__)}. Signed on {today}.</p>",
        f'<p class="note">{PROVES}</p>',
        "<h2>From the gradebook</h2>",
        _table("Assignments", ("assignment", "points, late penalties taken off", "received", "final"), rows),
    ]
    if own:
        begin, end = own.find("<main>"), own.rfind("</main>")
        if begin < 0 or end < begin:
            raise PortfolioError(gettext("The portfolio is not a page that `unrolled portfolio` wrote: it has no <main>."))
        body += ["<h2>Self-attested: what the student says</h2>", _harmless(own[begin + len("<main>") : end])]
    return PAGE.format(language="en", head=head, title=html.escape(f"{student}: record of the course"), body="\n".join(body))


def _harmless(page: str) -> str:
    """A learner's page as what may stand in one that somebody signs: text, tables and pictures that are in it; no script, form, frame or style."""
    import bleach

    tags = {"h1", "h2", "h3", "p", "table", "caption", "thead", "tbody", "tr", "th", "td", "code", "strong", "cite", "img"}

    def attributes(tag: str, name: str, value: str) -> bool:
        if tag == "img":
            return name == "alt" or (name == "src" and value.startswith("data:image/png;base64,"))
        return tag == "th" and name == "scope"

    clean = bleach.clean(page, tags=tags, attributes=attributes, protocols={"data"}, strip=True)
    return clean.replace("<h1>", "<h3>").replace("</h1>", "</h3>").replace("<h2>", "<h3>").replace("</h2>", "</h3>")
