"""Where the course lies: a checkout, or what the package carries; a learner's own copy of an assignment; links into the book."""

from __future__ import annotations

import difflib
import json
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from . import language
from .language import all_of, gettext, listed, texts

CARRIED = Path(__file__).with_name("carried")  # in a wheel: assignments, quizzes and contents, as in a checkout
CHECKOUT = Path(__file__).resolve().parents[2]  # unless the package was installed from a wheel
BUILT = Path("_build", "html", "book")


def course_folder(*holds: str) -> Path:
    """The course's folder: `$UNROLLED_COURSE`; else the first one at or above the present folder that holds a course, or all of
    `holds`; else the checkout that this package was installed from, or what the package carries. Raises FileNotFoundError when there
    is none."""
    holds = holds or ("_toc.yml", "assignments")
    named = os.environ.get("UNROLLED_COURSE")
    if named:
        candidates = [Path(named)]
    else:
        here = Path.cwd()
        candidates = [here, *here.parents, CHECKOUT, CARRIED]
    for folder in candidates:
        if all((folder / name).exists() for name in holds):
            return folder
    if named:
        text = gettext("There is no course in UNROLLED_COURSE={folder} (a folder with {names}): change to the course's folder, or set UNROLLED_COURSE to it.")
    else:
        text = gettext("There is no course in this folder or any above it (a folder with {names}): change to the course's folder, or set UNROLLED_COURSE to it.")
    raise FileNotFoundError(text.format(folder=named, names=all_of(holds)))


# --- Names as people type them -------------------------------------------------------------------


def meant(name: str, names: Iterable[str]) -> str:
    """The one of the names that was meant: `2` and `02` are 02-rnn-forward, and so are `RNN-forward` and `rnn_forward`.

    What fits none of them, or several, is given back as it is: an error message is the caller's.
    """
    names = list(names)
    if name in names:
        return name
    typed = re.sub(r"[\s_]+", "-", name.strip().casefold())
    for fits in (
        lambda known: known.casefold() == typed,
        lambda known: typed.isdecimal() and (number := re.match(r"\d+", known)) is not None and int(number[0]) == int(typed),
        lambda known: re.sub(r"^\d+-", "", known.casefold()) == typed,
    ):
        found = [known for known in names if fits(known)]
        if len(found) == 1:
            return found[0]
    return name


# --- Links into the book -------------------------------------------------------------------------


def site_address() -> str | None:
    """The address of the published book: `$UNROLLED_SITE`, else the one that the package names as its documentation, else None."""
    if named := os.environ.get("UNROLLED_SITE"):
        return named.rstrip("/")
    import importlib.metadata

    try:
        urls = importlib.metadata.metadata("unrolled").get_all("Project-URL") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((url.split(", ", 1)[1].rstrip("/") for url in urls if url.startswith("Documentation, ")), None)


def site_link(page: str, label: str) -> str | None:
    """The address of a section of the published book, when there is one. page: such as recurrence/rnn."""
    address = site_address()
    edition = "" if language.language() == language.SOURCE else f"/{language.language()}"
    return f"{address}{edition}/book/{page}.html#{label}" if address else None


def section_link(page: str, label: str, start: Path, course: Path | None = None) -> str | None:
    """Where a section of the book can be read: at the site's address when there is one; else the built page, as a path from `start`,
    when it has been built in the course (by default: one that holds `start`); else None. page: such as recurrence/rnn."""
    if address := site_link(page, label):
        return address
    for folder in [course] if course else [start, *start.parents]:
        for built in (folder / place / f"{page}.html" for place in _built()):
            if built.exists():
                return f"{Path(os.path.relpath(built, start)).as_posix()}#{label}"
    return None


def _built() -> list[Path]:
    """Where the built pages lie, below the course: those of the language that is spoken now, then the English ones."""
    spoken = language.language()
    return [BUILT] if spoken == language.SOURCE else [BUILT.parent / spoken / BUILT.name, BUILT]


# As the notebooks of assignments link to pages: from their own folder to the source in the course's.
SOURCE_LINK = re.compile(r"\[([^\]]+)\]\((?:\.\./)+book/([\w/-]+)\.(?:ipynb|md)(?:#([^)\s]+))?\)")


def anchor(heading: str) -> str:
    """The id that a built page gives a heading, from the heading as a link to a notebook has it."""
    plain = unicodedata.normalize("NFKD", heading.replace("'", "")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


IN_PAGE = texts("“{words}” in the book's page {page}")  # where there can be no page to lead to


def _link_again(text: str, start: Path, course: Path | None) -> str:
    """Markdown whose links to the book's sources lead to its pages, or are their text alone where there can be no page."""

    def link(found: re.Match) -> str:
        words, page, heading = found[1], found[2], anchor(found[3] or "")
        if address := site_link(page, heading):
            return f"[{words}]({address})"
        if course is None:
            return gettext(IN_PAGE).format(words=words, page=page)
        built = next((folder for folder in _built() if (course / folder).is_dir()), BUILT)
        target = Path(os.path.relpath(course / built / f"{page}.html", start)).as_posix()
        return f"[{words}]({target}#{heading})"

    return SOURCE_LINK.sub(link, text)


def without_links(text: str) -> str:
    """Markdown with the words of its links alone, so that a learner's copy, whose links lead elsewhere, can be compared with the release."""
    for written in {IN_PAGE, gettext(IN_PAGE)}:
        form = re.escape(written).replace(re.escape("{words}"), "([^”]+)").replace(re.escape("{page}"), r"[\w/-]+")
        text = re.sub(form, r"\1", text)
    return re.sub(r"\[([^\]]+)\]\([^)\s]*\)", r"\1", text)


# --- A learner's own copy ------------------------------------------------------------------------


@dataclass(frozen=True)
class Started:
    """A learner's copy: its notebook, the folder to start Jupyter in, and where the links into the book lead."""

    notebook: Path
    root: Path
    links: Literal["site", "built", "unbuilt", "none"]


def work_folder() -> Path:
    """Where a learner's copies lie: `work/` of the course; of the present folder when the course is what the package carries, or none is
    found."""
    try:
        course = course_folder()
    except FileNotFoundError:
        return Path.cwd() / "work"
    return (Path.cwd() if course == CARRIED else course) / "work"


def start_assignment(name: str, course: Path, asked: str | None = None) -> Started:
    """Copy an assignment into `work/` of the course, or of the present folder when the course is what the package carries. Never
    overwrites a copy. The copy's links lead to the pages of the book.

    asked: the language of the notebook; by default the one that is spoken, and English where it has none in that. Raises ValueError for an
    unknown name, and for a language in which there is none, FileExistsError when there is a copy already.
    """
    import tempfile

    names = sorted(folder.name for folder in (course / "assignments").iterdir() if folder.is_dir())
    name = meant(name, names)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        if near:
            text = gettext("There is no assignment {name}; did you mean {near}? the assignments are: {names}.")
        else:
            text = gettext("There is no assignment {name}; the assignments are: {names}.")
        raise ValueError(text.format(name=repr(name), near="".join(near), names=listed(names)))
    spoken = _spoken(name, course, asked)
    carried = course == CARRIED
    root = Path.cwd() if carried else course
    target = root / "work" / name
    if target.exists():
        text = gettext("{folder} is there already and is never overwritten: go on with it, or move it away to start afresh.")
        raise FileExistsError(text.format(folder=target))
    target.parent.mkdir(exist_ok=True)
    # Copied beside and moved into place, so that no half a copy is ever left under the name.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".start-") as beside:
        copy = Path(beside) / name
        copy.mkdir()
        for source in sorted(path for path in (course / "assignments" / name).iterdir() if path.is_file()):
            content = source.read_bytes()
            if source.suffix == ".ipynb":
                translated = source.parent / spoken / source.name
                text = translated.read_text(encoding="utf-8") if spoken and translated.is_file() else content.decode("utf-8")
                with language.using(spoken or language.SOURCE):
                    content = _with_links(text, target, None if carried else course).encode("utf-8")
            (copy / source.name).write_bytes(content)
        copy.rename(target)
    links = "site" if site_address() else "none" if carried else "built" if (course / BUILT).exists() else "unbuilt"
    return Started(next(iter(sorted(target.glob("*.ipynb"))), target), root, links)


def _spoken(name: str, course: Path, asked: str | None) -> str:
    """The language in which to hand out an assignment; empty for English. Raises ValueError where there is none in the language asked for."""
    wanted = language.known(asked) if asked else language.language()
    there = sorted(folder.name for folder in (course / "assignments" / name).iterdir() if folder.is_dir() and language.known(folder.name) == folder.name)
    if wanted in there:
        return wanted
    if asked and wanted != language.SOURCE:
        text = gettext("There is no notebook of {name} in {language}; there is one in: {languages}.")
        raise ValueError(text.format(name=name, language=asked, languages=listed([language.SOURCE, *there])))
    return ""


def _with_links(notebook: str, start: Path, course: Path | None) -> str:
    """A notebook's text with the links of its Markdown cells changed."""
    content = json.loads(notebook)
    changed = False
    for cell in content.get("cells", []):
        if cell.get("cell_type") == "markdown":
            text = "".join(cell["source"])
            again = _link_again(text, start, course)
            if again != text:
                cell["source"], changed = again.splitlines(keepends=True), True
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n" if changed else notebook
