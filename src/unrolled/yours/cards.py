"""A deck for Anki: every quiz question with its choices and reasons, every term of the glossary both ways, formulas as MathJax.

A note is known by an id that is made from the question's or the term's own, and the two note types and the decks by fixed numbers. So whoever
imports a later deck gets its new words, and keeps the history of their reviews.
"""

from __future__ import annotations

import html
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import quizzes
from ..quizzes import Question

# These numbers are for ever: Anki knows note types and decks by them.
QUESTION_MODEL, TERM_MODEL = 1_689_201_501, 1_689_201_502
QUIZ_DECK, GLOSSARY_DECK = 1_689_201_511, 1_689_201_512
CSS = """
.card { font-family: sans-serif; font-size: 18px; text-align: left; line-height: 1.4; max-width: 40em; margin: auto; padding: .5em; }
.right { color: #1a7f37; } .wrong { color: #cf222e; } .nightMode .right { color: #4ac26b; } .nightMode .wrong { color: #ff8182; }
ol.choices { list-style: upper-alpha; } .chapter { color: #6e7781; font-size: 14px; } pre, code { font-size: 16px; }
"""
QUESTION_TEMPLATE = {"name": "question", "qfmt": "{{Front}}", "afmt": "{{Front}}<hr id=answer>{{Back}}<p class=chapter>{{Chapter}}</p>"}
TERM_TEMPLATES = [
    {"name": "English to Chinese", "qfmt": "<b>{{English}}</b>", "afmt": "{{FrontSide}}<hr id=answer><b lang=zh>{{Chinese}}</b>{{Meaning}}"},
    {"name": "Chinese to English", "qfmt": "<b lang=zh>{{Chinese}}</b>", "afmt": "{{FrontSide}}<hr id=answer><b>{{English}}</b>{{Meaning}}"},
]


@dataclass(frozen=True)
class Term:
    """A term of the glossary: its English name, its Chinese name (which may be the same), and its meaning in MyST."""

    english: str
    chinese: str
    meaning: str


def build(course: Path, file: Path) -> tuple[int, int]:
    """Write the deck, whole or not at all; return how many questions and terms it has. course: where the book's sources lie.

    Raises QuizError for a malformed quiz, ModuleNotFoundError without genanki and what renders Markdown, OSError.
    """
    import genanki

    question_model = genanki.Model(
        QUESTION_MODEL, "Unrolled: question", fields=[{"name": name} for name in ("Front", "Back", "Chapter", "Id")], templates=[QUESTION_TEMPLATE], css=CSS,
    )  # fmt: skip
    term_model = genanki.Model(
        TERM_MODEL, "Unrolled: term", fields=[{"name": name} for name in ("English", "Chinese", "Meaning")], templates=TERM_TEMPLATES, css=CSS,
    )  # fmt: skip
    decks = genanki.Deck(QUIZ_DECK, "Unrolled::Quizzes"), genanki.Deck(GLOSSARY_DECK, "Unrolled::Glossary")
    to_html = renderer()
    for quiz in quizzes.find_all(course / "book" / "quizzes"):
        for question in quiz.before + quiz.after:
            fields = [front(question, to_html), back(question, to_html), html.escape(quiz.name), question.id]
            decks[0].add_note(genanki.Note(question_model, fields, guid=genanki.guid_for("unrolled question", question.id), tags=[quiz.name]))
    for term in terms((course / "book" / "appendix" / "glossary.md").read_text(encoding="utf-8")):
        fields = [html.escape(term.english), html.escape(term.chinese), to_html(term.meaning)]
        decks[1].add_note(genanki.Note(term_model, fields, guid=genanki.guid_for("unrolled term", term.english), tags=["glossary"]))
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}-", suffix=file.suffix)
    os.close(handle)
    try:
        genanki.Package(list(decks)).write_to_file(beside)
        os.chmod(beside, 0o644)
        os.replace(beside, file)
    except BaseException:
        os.unlink(beside)
        raise
    return len(decks[0].notes), len(decks[1].notes)


# --- Questions ---------------------------------------------------------------------------------


def front(question: Question, to_html: Any) -> str:
    """The prompt, and the choices in the order of page and terminal."""
    shown = to_html(question.prompt)
    if question.choices:
        several = "<p><i>Several may be right.</i></p>" if question.kind == "many" else ""
        shown += several + "<ol class=choices>" + "".join(f"<li>{to_html(choice.text)}</li>" for choice in question.shown) + "</ol>"
    elif question.unit:
        shown += f"<p>({to_html(question.unit)})</p>"
    return shown


def back(question: Question, to_html: Any) -> str:
    """The answer, and the reason for each choice."""
    if question.choices:
        rows = "".join(f"<li>{_mark(choice.right)} {to_html(choice.feedback)}</li>" for choice in question.shown)
        return f"<ol class=choices>{rows}</ol>"
    answer = f"{question.answer:g}" if question.kind == "number" else " · ".join(question.accept)
    said = [f"<p>{_mark(True)} <b>{html.escape(answer)}</b></p>{to_html(question.right)}"]
    for mistake in question.mistakes:
        wrong = f"{mistake.answer:g}" if isinstance(mistake.answer, int | float) else mistake.answer
        said.append(f"<p>{_mark(False)} {html.escape(wrong)}</p>{to_html(mistake.feedback)}")
    return "".join(said)


def _mark(right: bool) -> str:
    return "<span class=right>✓</span>" if right else "<span class=wrong>✗</span>"


# --- The glossary ------------------------------------------------------------------------------


def terms(page: str) -> Iterator[Term]:
    """The terms of the page's glossary: one name in a line, a second one below it where Chinese differs, and the meaning, indented."""
    body = re.search(r"^```\{glossary\}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for entry in re.split(r"\n\s*\n", body[1].strip("\n")) if body else []:
        names = [line.strip() for line in entry.split("\n") if line and not line[0].isspace()]
        meaning = " ".join(line.strip() for line in entry.split("\n") if line[:1].isspace())
        if names and meaning:
            yield Term(names[0], names[-1], meaning)


# --- MyST as Anki shows it ---------------------------------------------------------------------


def renderer() -> Any:
    """A function from MyST to HTML: formulas as Anki's MathJax, roles as their text, links as their words. Raw HTML is shown, not obeyed."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.myst_role import myst_role_plugin

    def formula(content: str, options: dict[str, bool]) -> str:
        # Anki reads {{ and }} as its own: a space between them changes nothing in a formula.
        text = html.escape(content.strip()).replace("{{", "{ {").replace("}}", "} }")
        return rf"\[{text}\]" if options.get("display_mode") else rf"\({text}\)"

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.use(dollarmath_plugin, renderer=formula, double_inline=True, allow_blank_lines=False).use(myst_role_plugin)

    def role(self: Any, tokens: list, index: int, options: Any, env: Any) -> str:
        text = re.sub(r"\s*<[^>]*>$", "", tokens[index].content)
        return formula(text, {}) if tokens[index].meta["name"] == "math" else f"<i>{html.escape(text)}</i>"

    markdown.add_render_rule("myst_role", role)
    for name in ("link_open", "link_close"):
        markdown.add_render_rule(name, lambda *_: "")

    def to_html(text: str) -> str:
        shown = markdown.render(text).strip()
        return re.sub(r'<(?:span|div) class="math (?:inline|block)">\s*(.*?)\s*</(?:span|div)>', r"\1", shown, flags=re.DOTALL)

    return to_html
