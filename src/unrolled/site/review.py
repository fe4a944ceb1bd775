"""The ``{quiz-review}`` directive, a page that asks the questions that are due; and ``{review-due}``, which says on any page how many are.

Both need nothing but the log of answers that this browser keeps. When a question is due ``static/unrolled-schedule.js`` decides, as the
package's ``unrolled.yours.review`` does. The page holds a copy of each question, asleep in ``<template>`` elements.
"""

from __future__ import annotations

import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__, quizzes
from unrolled.site.progress import QuizProgressDirective
from unrolled.site.quiz import quiz
from unrolled.site.words import _

START = _("Start the review")
NEXT = _("Next question")
STOP = _("Stop for today")
NEEDS_SCRIPT = _("The review needs JavaScript: your browser knows what it has kept of your answers. In a terminal, unrolled review does the same.")
DUE = _("Questions to review today: {due}.")
# What the script says. It reads them, translated, from the page.
SPOKEN = {
    "stand": _("Due today: {due}. Tomorrow: {tomorrow} more. In the next seven days: {week} more. You have met {met} of {total} questions."),
    "unmet": _("You have not answered any of the {total} questions yet: each comes back here once you have answered it in its page."),
    "own": _("A mistake of your own, in {task}"),
    "left": _("After this one, still due: {left}."),
    "over": _("Five minutes are over. Still due: {left}. They can wait for another day; or go on with the next question."),
    "done": _("Done for today. Each question comes back when you may be about to forget it."),
    "stopped": _("What you answered is kept. The rest stays due."),
}


class QuizReviewDirective(QuizProgressDirective):
    """The page that asks what is due: how things stand, buttons, and every question asleep."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        course = self._course()
        self.place = self.get_source_info()
        root = self._root(course, "unrolled-progress unrolled-review")
        root += self._say("noscript", NEEDS_SCRIPT)
        root += self._box("p", role="control", class_="unrolled-progress-total unrolled-review-stand", **{"aria-live": "polite"})
        root += self._buttons()
        root += self._box("div", role="control", class_="unrolled-progress-asking", tabindex="-1")
        asleep = []
        for chapter in course:
            asleep.append(self._inline("span", f"{{doc}}`/{self._page_of(chapter.name)}`", **{"data-chapter": chapter.name}))
            for part in quizzes.PARTS:
                self.path = chapter.path
                asleep.append(self._box("template", self._quiz(chapter, part), role="control", **{"data-quiz": chapter.name, "data-part": part}))
                self.place = self.get_source_info()
        root += self._box("div", *asleep, role="control", hidden="hidden")
        root += self._box("div", *(self._say("span", text, **{"data-say": name}) for name, text in SPOKEN.items()), role="control", hidden="hidden")
        return [root]

    def _course(self) -> list[quizzes.Quiz]:
        try:
            course = quizzes.find_all(Path(self.env.srcdir, self.config.quizzes_folder))
        except quizzes.QuizError as error:
            raise self._failure(str(error)) from None
        for chapter in course:
            self.env.note_dependency(str(chapter.path))
        return course

    def _root(self, course: list[quizzes.Quiz], classes: str, **attrs: str) -> quiz:
        ids = [question.id for chapter in course for question in chapter.before + chapter.after]
        return quiz(part="review", attrs={"class": classes, "data-ids": json.dumps(ids), **attrs})

    def _buttons(self) -> nodes.Node:
        buttons = [self._say("button", text, type="button", **{"data-do": name}) for name, text in (("start", START), ("next", NEXT), ("stop", STOP))]
        said = self._box("p", role="control", class_="unrolled-progress-said", tabindex="-1", **{"aria-live": "polite"})
        return self._box("div", *buttons, said, role="control", class_="unrolled-progress-controls")


class ReviewDueDirective(QuizReviewDirective):
    """How many questions are due, and the way to the page that asks them; hidden where none is."""

    required_arguments = 1  # the page

    def run(self) -> list[nodes.Node]:
        course = self._course()
        self.place = self.get_source_info()
        root = self._root(course, "unrolled-due", hidden="hidden")
        link = self._inline("span", f"{{doc}}`{self.arguments[0]}`", class_="unrolled-due-link")
        root += self._box("p", self._say("span", DUE, **{"data-text": ""}), nodes.Text(" "), link, role="control")
        return [root]


def _add_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    if doctree is not None and any(node["part"] == "review" for node in doctree.findall(quiz)):
        app.add_js_file("unrolled-schedule.js", loading_method="defer")
        app.add_js_file("unrolled-review.js", loading_method="defer")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directives and their scripts. `unrolled.site.quiz`, on whose classes they build, calls for it."""
    app.add_directive("quiz-review", QuizReviewDirective)
    app.add_directive("review-due", ReviewDueDirective)
    app.connect("html-page-context", _add_assets)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
