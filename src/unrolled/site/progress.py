"""The ``{quiz-progress}`` directive: one page that shows how all quizzes of the book stand.

    ```{quiz-progress}
    why-sequences
    rnn
    ```

The body names every quiz, in the order in which the page lists them. The page holds a copy of each question, asleep in
``<template>`` elements, so that ``static/unrolled-progress.js`` can ask those that were missed again without fetching
anything, also from ``file://``. Its texts are nodes of the document, so that they can be translated.
"""

from __future__ import annotations

import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__, quizzes
from unrolled.site import words
from unrolled.site.quiz import QuizDirective, quiz
from unrolled.site.words import _

COLUMNS = (_("Chapter"), _("Answered"), _("Right first time"), _("To review"))
TABLE = _("Progress by chapter")
REVIEW_ALL = _("Ask me again what I missed")
REVIEW = _("Ask again")
CLOSE = _("Close")
EXPORT = _("Save as a file")
IMPORT = _("Load from a file")
CLEAR = _("Clear everything")
CLEAR_SURE = _("Really clear everything")
NEEDS_SCRIPT = _("This table needs JavaScript: your browser fills it from what it has kept of your answers.")
# What the script says. It reads them, translated, from the page.
SPOKEN = {
    "total": _("{answered} of {total} questions answered, {first} right first time, {missed} to review."),
    "part": _("{number} of {total}"),
    "asking": _("Questions to review: {missed}."),
    "none": _("Nothing to review: the last answer to every question you tried is right."),
    "imported": _("Loaded: {count} answers, {new} of them new."),
    "imported-some": _("Loaded: {count} answers, {new} of them new. Left out: {strangers}, whose questions the course no longer has."),
    "not-ours": _("This file holds no answers to these quizzes, so nothing was changed. Choose one that this page or the command unrolled quiz --export wrote."),
    "newer": _("This file was written by a newer version of the course, so nothing was changed. Load it where that version is."),
    "damaged": _("Answers kept in this browser that could not be understood: {count}. They are set aside, under another name, and not counted."),
    "cleared": _("Everything is cleared."),
    "sure": _("This forgets every answer kept in this browser. Press the button again to do it."),
    "not-kept": _("This browser keeps nothing: its storage is switched off or full."),
}


class QuizProgressDirective(QuizDirective):
    """A table of all quizzes, which the script fills, and what is needed to ask any question again."""

    required_arguments = 0
    has_content = True
    option_spec = {}

    def run(self) -> list[nodes.Node]:
        folder = Path(self.env.srcdir, self.config.quizzes_folder)
        names = [line.strip() for line in self.content if line.strip()]
        self._check_names(names, quizzes.names(folder))
        try:
            course = {chapter.name: chapter for chapter in quizzes.find_all(folder)}
        except quizzes.QuizError as error:
            raise self._failure(str(error)) from None
        self.place = self.get_source_info()
        root = quiz(part="progress", attrs={"class": "unrolled-progress"})
        root += self._say("noscript", NEEDS_SCRIPT)
        root += self._box("p", role="control", class_="unrolled-progress-total", **{"aria-live": "polite"})
        rows, asleep = [], []
        for name in names:
            chapter = course[name]
            self.env.note_dependency(str(chapter.path))
            rows.append(self._row(chapter))
            for part in quizzes.PARTS:
                self.path = chapter.path
                asleep.append(self._box("template", self._quiz(chapter, part), role="control", **{"data-quiz": name, "data-part": part}))
                self.place = self.get_source_info()
        root += self._box("div", self._table(rows), role="control", class_="unrolled-progress-scroll", tabindex="0", role_="region", **{"aria-label": words.say(self.config, TABLE)})
        root += self._controls()
        root += self._box("div", role="control", class_="unrolled-progress-asking", tabindex="-1")
        root += self._box("div", *asleep, role="control", hidden="hidden")
        root += self._box("div", *(self._say("span", text, **{"data-say": name}) for name, text in SPOKEN.items()), role="control", hidden="hidden")
        return [root]

    def _check_names(self, names: list[str], present: list[str]) -> None:
        if sorted(names) != sorted(present):
            missing, strange = sorted(set(present) - set(names)), sorted(set(names) - set(present))
            raise self._failure(
                f"quiz-progress should list every quiz of {self.config.quizzes_folder} once; missing: {', '.join(missing) or 'none'}; "
                f"unknown or twice: {', '.join(strange) or ('none' if len(names) == len(set(names)) else 'a name stands twice')}."
            )

    def _page_of(self, name: str) -> str:
        """The document that a quiz belongs to: the one of the same name."""
        pages = sorted(page for page in self.env.found_docs if page.rsplit("/", 1)[-1] == name)
        if len(pages) != 1:
            raise self._failure(f"the quiz {name!r} should belong to one page of that name, found {len(pages)}.")
        return pages[0]

    def _row(self, chapter: quizzes.Quiz) -> nodes.Node:
        ids = [question.id for question in chapter.before + chapter.after]
        link = self._inline("th", f"{{doc}}`/{self._page_of(chapter.name)}`", scope="row")
        cells = [self._box("td", role="control", **{"data-cell": cell}) for cell in ("answered", "first")]
        missed = self._box("span", role="control", **{"data-cell": "missed"})
        button = self._say("button", REVIEW, type="button", hidden="hidden")
        return self._box("tr", link, *cells, self._box("td", missed, button, role="control"), role="control", **{"data-quiz": chapter.name, "data-ids": json.dumps(ids)})

    def _table(self, rows: list[nodes.Node]) -> nodes.Node:
        heads = [self._say("th", text, scope="col") for text in COLUMNS]
        head = self._box("thead", self._box("tr", *heads, role="control"), role="control")
        return self._box("table", head, self._box("tbody", *rows, role="control"), role="control", class_="table")

    def _controls(self) -> nodes.Node:
        def button(name: str, text: str, **attrs: str) -> nodes.Node:
            return self._say("button", text, type="button", **{"data-do": name}, **attrs)

        chooser = self._box("input", role="control", type="file", accept=".json,application/json", id="unrolled-progress-file", class_="unrolled-progress-file")
        return self._box(
            "div",
            button("review", REVIEW_ALL),
            button("export", EXPORT),
            chooser,
            self._say("label", IMPORT, for_="unrolled-progress-file", class_="unrolled-progress-import"),
            button("clear", CLEAR, **{"data-sure": words.say(self.config, CLEAR_SURE)}),
            self._say("button", CLOSE, type="button", **{"data-do": "close"}, hidden="hidden"),
            self._box("p", role="control", class_="unrolled-progress-said", **{"aria-live": "polite"}),
            role="control",
            class_="unrolled-progress-controls",
        )


def _add_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    if doctree is not None and any(node["part"] == "progress" for node in doctree.findall(quiz)):
        app.add_js_file("unrolled-progress.js", loading_method="defer")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive and its script. `unrolled.site.quiz`, on whose classes it builds, calls for it."""
    app.add_directive("quiz-progress", QuizProgressDirective)
    app.connect("html-page-context", _add_assets)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
