"""The questions about known mistakes for the page Review: an extension of Sphinx, which stands above the checks that it asks.

There are more than a thousand, and a learner meets a handful. So they lie beside the pages, in `_static/unrolled-mistakes/`: `index.js` names
those that there are, and one script for each task holds its questions; a text that several of these have stands in it once, and they have its
number. `static/unrolled-review.js` loads what the learner's log asks for, also from `file://`. They are made again when the package has changed, and kept in the user's cache.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from platformdirs import user_cache_path
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

import unrolled

from .. import language
from ..checks import TASKS
from ..quizzes import Question
from ..site.quiz import page_key
from . import mistakes

PAGE = "book/review"  # where the directive stands
FOLDER = "unrolled-mistakes"
PACKAGE = Path(unrolled.__file__).parent
KEPT = 6  # versions in the cache, of each language


def write(folder: Path, of_pages: str = language.SOURCE) -> None:
    """Put the scripts into a folder, which is made. of_pages: the language of the pages; one without a catalogue gets English. Raises OSError."""
    spoken = language.known(of_pages) or language.SOURCE
    cache = user_cache_path("unrolled") / "mistakes"
    cache.mkdir(parents=True, exist_ok=True)
    made = cache / f"{_key()}-{spoken}"
    with FileLock(cache / "lock", timeout=600):
        if not made.is_dir():
            with tempfile.TemporaryDirectory(dir=cache) as beside:
                whole = Path(beside) / "whole"
                whole.mkdir()
                with language.using(spoken):
                    _make(whole)
                whole.rename(made)
                _forget_old(cache)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(made, folder)


def _forget_old(cache: Path) -> None:
    for old in sorted(cache.glob("[0-9a-f]*"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old)


def _key() -> str:
    """A hash of what the questions are made of."""
    digest = hashlib.sha256(np.__version__.encode())
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in (".py", ".npz", ".mo") and path.relative_to(PACKAGE).parts[0] not in ("site", "grading", "owndata"):
            digest.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _make(folder: Path) -> None:
    index = {}
    to_html = _renderer()
    for name, task in TASKS.items():
        made = {mistake.name: mistakes.question(name, mistake.name) for mistake in task.mistakes}
        texts = _Texts(to_html)
        asked = {mistake: _told(question, texts) for mistake, question in made.items() if question}
        for mistake in task.mistakes:
            if mistake.name in asked:
                section = mistake.section or task.section
                asked[mistake.name]["reread"] = {"href": f"book/{section.page}.html#{section.label}", "title": language.gettext(section.title)}
        index[name] = list(asked)
        _script(folder / f"{name}.js", f"window.unrolledMistakes.tasks[{json.dumps(name)}]", {"texts": list(texts.numbers), "questions": asked})
    _script(folder / "index.js", "window.unrolledMistakes.index", index)


class _Texts:
    """Texts as HTML, each once, and their numbers."""

    def __init__(self, to_html: Any) -> None:
        self.to_html = to_html
        self.numbers: dict[str, int] = {}

    def number(self, text: str, inline: bool = False) -> int:
        return self.numbers.setdefault(self.to_html(text, inline), len(self.numbers))


def _script(file: Path, name: str, value: Any) -> None:
    file.write_text(f"{name} = {json.dumps(value, ensure_ascii=False, separators=(',', ':'))};\n", encoding="utf-8")


def _told(question: Question, texts: _Texts) -> dict[str, Any]:
    """A question as the script builds its form, with numbers of texts, and the key as the script of the quizzes judges by it."""
    first, _, rest = question.prompt.partition("\n\n")
    choices = [
        {"id": choice.id, "text": texts.number(choice.text, inline=True), "right": choice.right, "feedback": texts.number(choice.feedback)}
        for choice in question.shown
    ]
    return {"legend": texts.number(first, inline=True), "prompt": texts.number(rest), "choices": choices, "key": page_key(question)}


def _renderer() -> Any:
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False})
    return lambda text, inline=False: (markdown.renderInline if inline else markdown.render)(text).strip()


def add_questions(app: Sphinx, error: Exception | None) -> None:
    """Write the scripts beside the finished pages, if one of these is the review."""
    if error is None and app.builder.format == "html" and PAGE in app.env.found_docs:
        write(Path(app.outdir, "_static", FOLDER), app.config.language or language.SOURCE)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Write the questions at the end of a build."""
    app.connect("build-finished", add_questions)
    return {"version": unrolled.__version__, "parallel_read_safe": True, "parallel_write_safe": True}
