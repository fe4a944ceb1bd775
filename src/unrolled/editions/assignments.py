"""The texts of an assignment's notebook as it is handed out: its Markdown cells, and the docstrings and comments of its cells of code.

Code stays as it is, names and doctests with it, and so do the cells that check. A message of a docstring is one of its lines; doctests and lines
without words are none. What is translated is handed out in a folder that the language names, and is graded as the English notebook is.
"""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbformat import from_dict

from . import blocks, catalogues, notebooks

LANGUAGE_CELL = {"cell_type": "code", "execution_count": None, "id": "language", "metadata": {"tags": ["language"]}, "outputs": []}
SPEAK = "from unrolled import language\n\nlanguage.use({name!r})"


def messages(source: str) -> list[str]:
    """The messages of an assignment's notebook, each once, in order."""
    found: list[str] = []

    def kept(text: str) -> str:
        found.append(text)
        return text

    for cell in notebooks.load(source)["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            found += blocks.messages(text)
        elif not _checks(cell):
            in_code(text, kept)
    return list(dict.fromkeys(found))


def replace(source: str, translations: dict[str, str]) -> str:
    """The notebook with its texts translated where there is a translation."""
    notebook = notebooks.load(source)
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cell["source"] = notebooks.like(cell["source"], blocks.replace(text, translations))
        elif not _checks(cell):
            cell["source"] = notebooks.like(cell["source"], in_code(text, lambda line: translations.get(line) or line))
    return notebooks.dump(notebook)


def released(source: str, translations: dict[str, str], language: str) -> str:
    """The notebook to hand out in a language: it says which, its checks speak it, and nbgrader knows its cells again."""
    from nbgrader.utils import compute_checksum

    notebook = json.loads(replace(source, translations))
    notebook["metadata"]["unrolled"] = {"language": language}
    place = next(number for number, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code")
    notebook["cells"].insert(place, {**LANGUAGE_CELL, "source": SPEAK.format(name=language).splitlines(keepends=True)})
    for cell in notebook["cells"]:
        known = cell["metadata"].get("nbgrader", {})
        if "checksum" in known:
            known["checksum"] = compute_checksum(from_dict({**cell, "source": "".join(cell["source"])}))
    return notebooks.dump(notebook)


def in_languages(course: Path, sources: dict[str, str]) -> dict[tuple[str, str], str]:
    """Notebooks, given by their files' names, in each language in which their catalogue is complete: by language and name."""
    found = {}
    for language in catalogues.languages(course):
        for file, source in sources.items():
            path = catalogues.path_of(course, language, f"assignments/{file.removesuffix('.ipynb')}")
            if path.is_file() and catalogues.standing(path, language, messages(source)).complete:
                found[language, file] = released(source, catalogues.translations(path, language), language)
    return found


def _checks(cell: dict[str, Any]) -> bool:
    """Whether a cell of code is locked: it is run as it was handed out, whatever the language."""
    return bool(cell["metadata"].get("nbgrader", {}).get("locked"))


# --- Code --------------------------------------------------------------------------------------


def in_code(text: str, act: Callable[[str], str]) -> str:
    """The code with what `act` makes of each line of a docstring and of each comment in its place."""
    lines = text.splitlines(keepends=True)
    for first, last in _docstrings(text):
        inside_example = False
        for number in range(first - 1, last):
            inside_example = bool(lines[number].strip()) and (inside_example or lines[number].lstrip().startswith(">>>"))
            if not inside_example:
                lines[number] = _replaced(lines[number], act)
    for row, column, comment in reversed(_comments("".join(lines))):
        words = comment.lstrip("# ")
        if blocks.LETTER.search(words):
            line = lines[row - 1]
            end = column + len(comment)
            lines[row - 1] = line[:column] + comment[: len(comment) - len(words)] + act(words) + line[end:]
    return "".join(lines)


def _docstrings(text: str) -> list[tuple[int, int]]:
    """The first and the last line of each docstring; none where the text is no Python."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    holders = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    strings = [node.body[0] for node in holders if ast.get_docstring(node, clean=False) is not None]
    return [(node.lineno, node.end_lineno) for node in strings]


def _replaced(line: str, act: Callable[[str], str]) -> str:
    """A line of a docstring; its indent and its quotes stay."""
    words = line.strip().removeprefix('r"""').removeprefix('"""').removesuffix('"""').strip()
    if not blocks.LETTER.search(words):
        return line
    start = line.index(words)
    return line[:start] + act(words) + line[start + len(words) :]


def _comments(text: str) -> list[tuple[int, int, str]]:
    """The comments: row, column, and the comment with its sign."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    return [(*token.start, token.string) for token in tokens if token.type == tokenize.COMMENT]
