"""The ``{quiz}`` directive: shows a chapter's quiz in the page. A thin skin over ``unrolled.quizzes``.

    ```{quiz} rnn
    :part: before
    ```

In HTML each question is a form with native controls; ``static/unrolled-quiz.js`` judges it in the browser and keeps
the progress there. Without JavaScript, and in print, the answers are reachable in a ``<details>``; other builders get
plain lists. Every text, those of the buttons included, is a node of the document, so that it can be translated with
the page.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from unrolled import __version__, quizzes

from . import words
from .words import _

STATIC = Path(__file__).parent / "static"
PAGE_BUILDERS = {"html", "dirhtml", "singlehtml"}

TITLES = {"before": _("Quiz: before you read"), "after": _("Quiz: after you have read")}
CHECK = _("Check answer")
RESET = _("Reset this quiz")
YOUR_ANSWER = _("Your answer")
ANSWERS = _("Answers")
RIGHT = _("Right")
WRONG = _("Wrong")
OTHERWISE = _("Any other answer")
REREAD = _("Reread: {section}")
COLON = _(": ")
# What the script says. It reads them, translated, from the page.
SPOKEN = {
    "right": _("Right."),
    "wrong": _("Not yet."),
    "choose": _("Choose an answer first."),
    "type": _("Type an answer first."),
    "number": _("Type a number, such as 0.25 or 1e-3."),
    "incomplete": quizzes.INCOMPLETE,
    "progress": _("{right} of {total} right, {first} right first time."),
    "reset": _("The quiz is reset."),
    "not-kept": _("This browser keeps nothing: its storage is switched off or full."),
    "damaged": _("Some answers that this browser kept could not be understood. They are set aside, under another name, and not counted."),
}


class quiz(nodes.General, nodes.Element):
    """A quiz: one part of a chapter's file."""


class quiz_box(nodes.General, nodes.Element):
    """An HTML element (``tag``, ``attrs``) that holds blocks; ``role`` says what it is in the quiz."""


class quiz_text(nodes.Part, nodes.TextElement):
    """An HTML element (``tag``, ``attrs``) that holds one text, which is translated as a whole."""


class QuizDirective(SphinxDirective):
    """Puts one part of a chapter's quiz into the page."""

    required_arguments = 1
    option_spec = {"part": lambda part: directives.choice(part, quizzes.PARTS)}

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if "part" not in self.options:
            raise self._failure(f"the quiz {name!r} needs :part: before or :part: after, received neither.")
        folder = Path(self.env.srcdir, self.config.quizzes_folder)
        try:
            path = quizzes.path_of(name, folder)
            self.env.note_dependency(str(path))
            chapter = quizzes.load(path)
        except quizzes.QuizError as error:
            raise self._failure(str(error)) from None
        self.path = path
        return [self._quiz(chapter, self.options["part"])]

    def _failure(self, sentence: str) -> ExtensionError:
        return ExtensionError(f"{self.get_location()}: {sentence}")

    def _quiz(self, chapter: quizzes.Quiz, part: str) -> quiz:
        self.place = self.get_source_info()
        names = quizzes.version_1_names(Path(self.env.srcdir, self.config.quizzes_folder))
        self.former = {question: key for key, question in names.items()}
        self.prefix = f"quiz-{chapter.name}-{part}"
        root = quiz(part=part, attrs={
            "id": self.prefix, "class": "unrolled-quiz", "role": "group",
            "aria-labelledby": f"{self.prefix}-title", "data-quiz": chapter.name, "data-part": part,
        })  # fmt: skip
        root += self._say("p", TITLES[part], role="title", id=f"{self.prefix}-title", class_="unrolled-quiz-title")
        for question in chapter.part(part):
            self.place = (str(self.path), question.line)
            root += self._question(question)
        self.place = self.get_source_info()
        root += self._box(
            "div",
            self._box("p", role="progress", class_="unrolled-quiz-progress", **{"aria-live": "polite"}),
            self._say("button", RESET, type="button", class_="unrolled-quiz-reset"),
            role="control",
            class_="unrolled-quiz-foot",
        )
        root += self._box(
            "div",
            *(self._say("span", text, **{"data-say": name}) for name, text in SPOKEN.items()),
            role="control",
            hidden="hidden",
        )
        return root

    def _question(self, question: quizzes.Question) -> quiz_box:
        self.question_id = f"{self.prefix}-{question.id}"
        legend, rest = self._prompt(question)
        data = {"data-id": question.id, "data-kind": question.kind, "data-key": json.dumps(page_key(question))}
        if question.id in self.former:
            data["data-was"] = self.former[question.id]
        form = self._box("form", role="question", id=self.question_id, class_="unrolled-question",
                         novalidate="novalidate", autocomplete="off", **data)  # fmt: skip
        form += self._box(
            "fieldset",
            legend,
            *([self._box("div", *rest, role="prompt", class_="unrolled-prompt")] if rest else []),
            self._answers_to_choose(question) if question.choices else self._answer_to_type(question),
            self._say("button", CHECK, type="submit", class_="unrolled-check"),
            self._box(
                "div",
                self._box("p", class_="unrolled-verdict", role="control"),
                role="control",
                class_="unrolled-feedback",
                **{"aria-live": "polite"},
            ),
            self._box(
                "details",
                self._say("summary", ANSWERS),
                *self._feedback(question),
                role="answers",
                class_="unrolled-answers",
            ),
        )
        return form

    def _prompt(self, question: quizzes.Question) -> tuple[quiz_text, list[nodes.Node]]:
        """The prompt's first paragraph as a legend, and the blocks that follow it."""
        blocks = self._blocks(question.prompt)
        if not isinstance(blocks[0], nodes.paragraph):
            raise self._failure(
                f"{quizzes.shown(self.path)}, question {question.id!r}, field 'prompt': expected a paragraph first, "
                f"received {blocks[0].tagname.replace('_', ' ')}."
            )
        first, *rest = blocks
        legend = self._text("legend", role="legend")
        legend.rawsource = first.rawsource
        legend += first.children
        return legend, rest

    def _answers_to_choose(self, question: quizzes.Question) -> quiz_box:
        kind = "radio" if question.kind == "one" else "checkbox"
        box = self._box("div", role="choices", class_="unrolled-choices")
        for choice in question.shown:
            control = f"{self.question_id}-{choice.id}"
            box += self._box(
                "div",
                self._box("input", role="control", type=kind, id=control, name=self.question_id, value=choice.id),
                self._inline("label", choice.text, role="choice", for_=control),
                class_="unrolled-choice",
            )
        return box

    def _answer_to_type(self, question: quizzes.Question) -> quiz_box:
        control = f"{self.question_id}-answer"
        attrs = {"id": control, "name": self.question_id, "autocapitalize": "off"}
        attrs |= {"type": "number", "step": "any"} if question.kind == "number" else {"type": "text", "spellcheck": "false"}
        if question.unit:
            attrs["aria-describedby"] = f"{control}-unit"
        box = self._box(
            "div",
            self._say("label", YOUR_ANSWER, for_=control, role="label"),
            self._box("input", role="control", **attrs),
            class_="unrolled-entry",
        )
        if question.unit:
            box += self._inline("span", question.unit, role="unit", id=f"{control}-unit")
        return box

    def _feedback(self, question: quizzes.Question) -> list[quiz_box]:
        """Each feedback with a head that says to which answer it belongs; the script shows the one that is earned."""
        if question.choices:
            items = [
                self._item(choice.id, choice.right, self._inline("span", choice.text), choice.feedback) for choice in question.shown
            ]
        else:
            key = str(question.answer) if question.kind == "number" else " · ".join(question.accept)
            items = [self._item("right", True, self._literal(key), question.right)]
            items += [
                self._item(f"mistake-{index}", False, self._literal(str(mistake.answer)), mistake.feedback)
                for index, mistake in enumerate(question.mistakes)
            ]
            items.append(self._item("wrong", False, self._say("span", OTHERWISE), question.wrong))
        if question.section:
            target = question.section if "#" in question.section else f"#{question.section}"
            link = self._blocks(words.say(self.config, REREAD).format(section=f"[](<{target}>)"))
            items.append(self._box("div", *link, role="item", class_="unrolled-item", **{"data-for": "reread"}))
        return items

    def _item(self, answer: str, right: bool, head: quiz_text, feedback: str) -> quiz_box:
        mark = self._say("span", RIGHT if right else WRONG, class_="unrolled-mark")
        return self._box(
            "div",
            self._box("div", mark, nodes.Text(words.say(self.config, COLON)), head, role="head", class_="unrolled-head"),
            *self._blocks(feedback),
            role="item",
            class_="unrolled-item " + ("is-right" if right else "is-wrong"),
            **{"data-for": answer},
        )

    # Nodes. In keyword arguments, ``class_`` is the attribute ``class``.

    def _blocks(self, text: str) -> list[nodes.Node]:
        return [self._placed(node) for node in self.parse_text_to_nodes(text)]

    def _inline(self, tag: str, text: str, role: str = "", **attrs: str) -> quiz_text:
        node = self._text(tag, role, **attrs)
        node.rawsource = " ".join(text.split())
        children, _ = self.parse_inline(node.rawsource, lineno=self.lineno)
        node += children
        return self._placed(node)

    def _say(self, tag: str, text: str, role: str = "control", **attrs: str) -> quiz_text:
        """A text of the quiz itself, such as a button's."""
        node = self._text(tag, role, **attrs)
        node.rawsource = text = words.say(self.config, text)
        node += nodes.Text(text)
        return node

    def _literal(self, text: str) -> quiz_text:
        """A text that is not to be translated."""
        node = self._say("span", text, role="")
        node["translatable"] = False
        return node

    def _text(self, tag: str, role: str = "", **attrs: str) -> quiz_text:
        return self._placed(quiz_text(tag=tag, role=role, attrs=_attributes(attrs)))

    def _box(self, tag: str, *children: nodes.Node, role: str = "", **attrs: str) -> quiz_box:
        node = quiz_box(tag=tag, role=role, attrs=_attributes(attrs))
        node += [*children]
        return node

    def _placed(self, node: nodes.Element) -> nodes.Element:
        """Say of a node and all that it holds where their text stands, for warnings and for translators."""
        for one in node.findall(nodes.Element):
            one.source, one.line = self.place
        return node


def _attributes(attrs: dict[str, str]) -> dict[str, str]:
    return {name.rstrip("_"): value for name, value in attrs.items()}


def page_key(question: quizzes.Question) -> dict[str, Any]:
    """What the script needs to judge as ``quizzes.grade`` does."""
    if question.kind in ("one", "many"):
        return {
            "kind": question.kind,
            "choices": [one.id for one in question.choices],
            "right": [one.id for one in question.choices if one.right],
        }
    if question.kind == "number":
        return {
            "kind": "number",
            "answer": question.answer,
            "margin": question.margin(question.answer),
            "mistakes": [{"answer": one.answer, "margin": question.margin(one.answer)} for one in question.mistakes],
        }
    return {
        "kind": "text",
        "accept": [quizzes.normalise(text) for text in question.accept],
        "mistakes": [quizzes.normalise(one.answer) for one in question.mistakes],
    }


# HTML


def _open(writer: Any, node: nodes.Element) -> None:
    attrs = "".join(f' {name}="{html.escape(value)}"' for name, value in node["attrs"].items())
    writer.body.append(f"<{node.get('tag', 'div')}{attrs}>")


def _close(writer: Any, node: nodes.Element) -> None:
    tag = node.get("tag", "div")
    if tag != "input":
        writer.body.append(f"</{tag}>")


def _add_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: nodes.document | None) -> None:
    if doctree is not None and next(doctree.findall(quiz), None) is not None:
        app.add_css_file("unrolled-quiz.css")
        app.add_js_file("unrolled-answers.js", loading_method="defer")
        app.add_js_file("unrolled-quiz.js", loading_method="defer")


def _add_static_folder(app: Sphinx) -> None:
    app.config.html_static_path.append(str(STATIC))


# Other builders


class PlainLists(SphinxPostTransform):
    """Where there are no forms (PDF, text, EPUB), a quiz becomes lists of its questions, choices and answers."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        builder = self.app.builder
        if builder.name in PAGE_BUILDERS or builder.format == "":  # "": gettext, linkcheck: they only look at texts
            return
        for node in list(self.document.findall(quiz)):
            node.replace_self([] if node["part"] in ("progress", "review") else _plain(node))


def _plain(root: quiz) -> list[nodes.Node]:
    title = next(_with_role(root, "title"))
    questions = nodes.enumerated_list(enumtype="arabic", prefix="", suffix=".")
    for form in _with_role(root, "question"):
        prompt = nodes.paragraph("", "", *next(_with_role(form, "legend")).children)
        for unit in _with_role(form, "unit"):
            prompt += [nodes.Text(" ("), *unit.children, nodes.Text(")")]
        entry = nodes.list_item("", prompt)
        for rest in _with_role(form, "prompt"):
            entry += rest.children
        choices = [nodes.paragraph("", "", *label.children) for label in _with_role(form, "choice")]
        if choices:
            entry += nodes.bullet_list("", *(nodes.list_item("", choice) for choice in choices))
        answers = next(_with_role(form, "answers"))
        entry += nodes.paragraph("", "", nodes.strong("", "", *answers[0].children))
        entry += nodes.bullet_list("", *(_plain_item(item) for item in _with_role(answers, "item")))
        questions += entry
    return [nodes.paragraph("", "", nodes.strong("", "", *title.children)), questions]


def _plain_item(item: quiz_box) -> nodes.list_item:
    entry = nodes.list_item()
    for child in item.children:
        if isinstance(child, quiz_box):
            mark, colon, head = child.children
            entry += nodes.paragraph("", "", nodes.emphasis("", "", *mark.children), colon, *head.children)
        else:
            entry += child
    return entry


def _with_role(node: nodes.Element, role: str) -> Any:
    return node.findall(lambda one: isinstance(one, quiz_box | quiz_text) and one.get("role") == role)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive, its nodes, its script and style sheet, and the setting ``quizzes_folder``."""
    words.add(app)
    app.add_config_value("quizzes_folder", "book/quizzes", "env", [str])
    for node in (quiz, quiz_box, quiz_text):
        app.add_node(node, html=(_open, _close))
    app.add_directive("quiz", QuizDirective)
    app.add_post_transform(PlainLists)
    app.connect("builder-inited", _add_static_folder)
    app.connect("html-page-context", _add_assets)
    app.setup_extension("unrolled.site.progress")
    app.setup_extension("unrolled.site.review")
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
