"""The texts of a notebook: its Markdown cells, and the captions and alt texts that stand in the metadata of its code cells.

Code, comments in it, and outputs stay as they are: a notebook is executed once, for all languages.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from . import blocks


def load(source: str) -> dict[str, Any]:
    """The notebook that a file holds."""
    return json.loads(source)


def dump(notebook: dict[str, Any]) -> str:
    """A notebook as nbformat writes it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def cells(notebook: dict[str, Any]) -> list[str]:
    """The sources of the Markdown cells, in order."""
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


def messages(source: str) -> list[str]:
    """The messages of a notebook, each once, in order."""
    found: list[str] = []

    def markdown(text: str) -> str:
        found.extend(blocks.messages(text))
        return text

    def plain(text: str) -> str:
        if blocks.LETTER.search(text):
            found.append(text)
        return text

    _each(load(source), markdown, plain)
    return list(dict.fromkeys(found))


def replace(source: str, translations: dict[str, str]) -> str:
    """The notebook with its texts translated where there is a translation."""
    notebook = load(source)
    _each(notebook, lambda text: blocks.replace(text, translations), lambda text: translations.get(text) or text)
    return dump(notebook)


def _each(notebook: dict[str, Any], markdown: Callable[[str], str], plain: Callable[[str], str]) -> None:
    """Put what the functions make of it in the place of each text: of Markdown, and of alt texts, which are plain."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = like(cell["source"], markdown("".join(cell["source"])))
            continue
        shown = cell["metadata"].get("mystnb", {})
        for part, key, act in (("image", "alt", plain), ("figure", "caption", markdown)):
            if shown.get(part, {}).get(key):
                shown[part][key] = act(shown[part][key])
        for key in ("code_prompt_show", "code_prompt_hide"):
            if shown.get(key):
                shown[key] = plain(shown[key])


def like(before: str | list[str], text: str) -> str | list[str]:
    """The text in the form that it had: a string, or a list of lines."""
    return text.splitlines(keepends=True) if isinstance(before, list) else text
