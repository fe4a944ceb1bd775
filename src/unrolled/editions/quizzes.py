"""The texts of a chapter's quizzes: prompts, choices, feedback. What decides whether an answer is right is not among them.

A text is Markdown and is cut like a page. In the file, a text that has a translation is written anew, as one quoted string; all else stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import yaml

from . import blocks

FIELDS = {"prompt", "text", "feedback", "right", "wrong", "unit"}
STRING = "tag:yaml.org,2002:str"


def texts(source: str) -> list[yaml.ScalarNode]:
    """The texts of a file, in its order, each with its place."""
    root = yaml.compose(source, Loader=yaml.SafeLoader)
    return sorted(_texts(root), key=lambda node: node.start_mark.index) if root else []


def _texts(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _texts(child)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(value, yaml.ScalarNode):
                if key.value in FIELDS and value.tag == STRING:
                    yield value
            else:
                yield from _texts(value)


def messages(source: str) -> list[str]:
    """The messages of a quiz file, each once, in order."""
    return list(dict.fromkeys(message for node in texts(source) for message in blocks.messages(node.value)))


def replace(source: str, translations: dict[str, str]) -> str:
    """The file with its texts translated where there is a translation; the rest stays byte for byte."""
    parts, position = [], 0
    for node in texts(source):
        text = blocks.replace(node.value, translations)
        if text == node.value:
            continue
        end = node.end_mark.index
        written = json.dumps(text, ensure_ascii=False)
        if node.style in {"|", ">"}:  # such a text ends with the line
            written += "\n"
        elif source[node.start_mark.index : end].endswith("\n"):
            written += "\n"
        parts += [source[position : node.start_mark.index], written]
        position = end
    return "".join([*parts, source[position:]])
