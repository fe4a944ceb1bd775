"""The texts of a chapter's quizzes: prompts, choices, feedback. What decides whether an answer is right is not among them.

A text is Markdown and is cut like a page. In the file, a text that has a translation is written anew; all else stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from . import blocks

FIELDS = {"prompt", "text", "feedback", "right", "wrong", "unit"}
STRING = "tag:yaml.org,2002:str"
BLOCK = {"|", ">"}  # styles of texts that end with a line


def texts(source: str) -> list[tuple[int, yaml.ScalarNode]]:
    """The texts of a file in its order: the column of the field's name, and the text with its place."""
    root = yaml.compose(source, Loader=yaml.SafeLoader)
    return sorted(_texts(root), key=lambda found: found[1].start_mark.index) if root else []


def _texts(node: yaml.Node) -> Iterator[tuple[int, yaml.ScalarNode]]:
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _texts(child)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(value, yaml.ScalarNode):
                yield from _texts(value)
            elif key.value in FIELDS and value.tag == STRING:
                yield key.start_mark.column, value


def messages(source: str) -> list[str]:
    """The messages of a quiz file, each once, in order."""
    return list(dict.fromkeys(message for _, node in texts(source) for message in blocks.messages(node.value)))


def replace(source: str, translations: dict[str, str]) -> str:
    """The file with its texts translated where there is a translation; the rest stays byte for byte."""
    parts, position = [], 0
    for column, node in texts(source):
        text = blocks.replace(node.value, translations)
        if text != node.value:
            parts += [source[position : node.start_mark.index], _written(text, column), "\n" if node.style in BLOCK else ""]
            position = node.end_mark.index
    return "".join([*parts, source[position:]])


def _written(text: str, column: int) -> str:
    """A text as the value of a field that stands in this column, in a form in which no character has to be escaped."""
    if "\n" not in text:
        return "'" + text.replace("'", "''") + "'"
    lines = text.removesuffix("\n").split("\n")
    indented = "\n".join(" " * (column + 2) + line if line else "" for line in lines)
    return f"|2{'' if text.endswith(chr(10)) else '-'}\n{indented}"
