"""Begins each chapter with the minutes that it takes to read.

Counted is what everybody reads: prose, captions, tables and formulas at 200 words per minute, and the code of the cells at 15 lines per minute.
Quizzes, exercises, solutions, outputs, boxes to try and what is folded are left out. A chapter is a page with a quiz before it. Sections that may be skipped
(`unrolled.site.optional`) are named with their minutes.
"""

from __future__ import annotations

from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import ExtensionMetadata
from sphinx_exercise.nodes import exercise_enumerable_node, exercise_node, solution_node

from unrolled import __version__

from . import words
from .optional import optional_sections
from .words import _

WORDS, LINES = 200, 15  # per minute
LEFT_OUT = (exercise_node, exercise_enumerable_node, solution_node, nodes.comment, nodes.raw, nodes.target, nodes.pending, nodes.system_message)
QUIZ = "quiz"  # the name of the node that the quiz directive makes
SAYS = _("Reading time: {minutes} minutes, without quizzes, exercises and what is folded.")
SKIP = _("You may skip {minutes} of these minutes, marked as optional: {sections}.")


def minutes(document: nodes.Node) -> int:
    """Minutes for all that a page shows unfolded, rounded, at least 1."""
    words = lines = 0
    for leaf in read(document):
        if isinstance(leaf, nodes.literal_block):
            lines += sum(bool(line.strip()) for line in leaf.astext().splitlines())
        else:
            words += len(leaf.astext().split())
    return max(1, round(words / WORDS + lines / LINES))


def read(node: nodes.Node) -> Iterator[nodes.Node]:
    """The texts and blocks of code below a node, without what is left out. Of what a cell printed or drew, the caption."""
    tabs = [child for child in node.children if is_tab(child)]
    for child in node.children:
        classes = child.get("classes", []) if isinstance(child, nodes.Element) else []
        if child in tabs[1:]:  # a reader opens one
            continue
        if isinstance(child, LEFT_OUT) or {"dropdown", "unrolled-box"} & set(classes) or is_quiz(child) or is_folded_code(child):
            continue
        if "cell_output" in classes:
            for caption in child.findall(nodes.caption):
                yield from read(caption)
        elif isinstance(child, (nodes.Text, nodes.literal_block)):
            yield child
        else:
            yield from read(child)


def is_tab(node: nodes.Node) -> bool:
    """One of the tabs of sphinx-design."""
    return isinstance(node, nodes.Element) and "sd-tab-item" in node.get("classes", [])


def is_quiz(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Element) and node.tagname == QUIZ


def is_folded_code(node: nodes.Node) -> bool:
    """Is this the code of a cell with the tag hide-input, such as one that draws a figure?"""
    if not isinstance(node, nodes.Element) or "cell_input" not in node.get("classes", []):
        return False
    return "tag_hide-input" in node.parent.get("classes", [])


class ReadingTime(SphinxTransform):
    """Puts the sentence below the title."""

    default_priority = 880  # after all that makes nodes out of directives and cells

    def apply(self, **kwargs: object) -> None:
        title = next(iter(self.document.findall(nodes.title)), None)
        parts = [node.get("part") for node in self.document.findall(is_quiz)]
        if title is None or parts.count("before") != 1:  # a chapter has one of its own; the pages that list all quizzes have many
            return
        sentence = words.say(self.config, SAYS).format(minutes=minutes(self.document))
        says = nodes.paragraph(sentence, sentence, classes=["unrolled-minutes"])
        sections = optional_sections(self.document)
        if sections:
            skip = words.say(self.config, SKIP).replace("{minutes}", str(sum(map(minutes, sections))))
            says += [nodes.Text(" "), *words.filled(skip, sections=words.listed(self.config, [link_to(section) for section in sections]))]
        title.parent.insert(title.parent.index(title) + 1, says)


def link_to(section: nodes.section) -> nodes.reference:
    """A link to a section that says its title."""
    title = next(iter(section.findall(nodes.title)))
    return nodes.reference("", "", *(child.deepcopy() for child in title.children), refid=section["ids"][0], internal=True)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Act when a page has been read."""
    words.add(app)
    app.add_transform(ReadingTime)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
