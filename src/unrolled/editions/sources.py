"""Which catalogue holds the messages of which source: a page's catalogue those of its quiz as well, `pictures` those of all drawings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import yaml

from . import assignments, blocks, notebooks, pictures, quizzes, words

TOC = "_toc.yml"
BOOK = "book"
KINDS: dict[str, ModuleType] = {".md": blocks, ".ipynb": notebooks, ".yml": quizzes, ".svg": pictures}
PICTURES, SITE, README = "pictures", "site", "README"
ASSIGNMENTS = "assignments"


def pages(course: Path) -> list[str]:
    """The documents of the book, such as book/recurrence/rnn, in the order of the table of contents."""
    toc = yaml.safe_load((course / TOC).read_text(encoding="utf-8"))
    return [toc["root"], *_files(toc)]


def _files(node: object) -> Iterator[str]:
    if isinstance(node, list):
        for one in node:
            yield from _files(one)
    elif isinstance(node, dict):
        if "file" in node:
            yield node["file"]
        for child in node.values():
            yield from _files(child)


def source_of(course: Path, document: str) -> Path:
    """The file that a document is written in. Raises FileNotFoundError."""
    for suffix in (".ipynb", ".md"):
        if (path := course / f"{document}{suffix}").is_file():
            return path
    raise FileNotFoundError(f"The table of contents names {document}; there should be a file {document}.md or {document}.ipynb.")


def catalogues(course: Path) -> dict[str, list[Path]]:
    """The sources of each catalogue, by its name: all but those of `site`, which `words` collects."""
    found = {}
    for document in pages(course):
        quiz = course / BOOK / "quizzes" / f"{document.rsplit('/', 1)[-1]}.yml"
        found[document.removeprefix(f"{BOOK}/")] = [source_of(course, document), *([quiz] if quiz.is_file() else [])]
    found[PICTURES] = sorted((course / BOOK / "img").glob("*.svg"))
    found[README] = [course / "README.md"]
    for path in sorted((course / ASSIGNMENTS).glob("*/*.ipynb")):
        found[f"{ASSIGNMENTS}/{path.stem}"] = [path]
    found[SITE] = []
    return found


def messages(course: Path, name: str) -> list[str]:
    """All messages of a catalogue, each once, in the order of its sources. Raises KeyError for a name that is none."""
    if name == SITE:
        return words.messages(course)
    found = [message for path in catalogues(course)[name] for message in _kind(path).messages(path.read_text(encoding="utf-8"))]
    return list(dict.fromkeys(found))


def replaced(path: Path, translations: dict[str, str]) -> str:
    """A source's text with its messages translated, as far as there are translations."""
    return _kind(path).replace(path.read_text(encoding="utf-8"), translations)


def _kind(path: Path) -> ModuleType:
    """What knows the texts of a file: by its ending, but for the notebooks of assignments, in which learners write."""
    return assignments if path.parent.parent.name == ASSIGNMENTS else KINDS[path.suffix]
