"""From what was handed in to a notebook that can be judged: the released one, with only the text that the learner wrote.

Whatever lies where a submission should be, `of_file` answers with a notebook of the release's form; what could not be used is
said in its `problem` and `notes`. Metadata, tags, outputs, attachments, ids and cell types come from the release alone.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import hashlib
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nbformat import NotebookNode, v4

from ..checks import TASKS
from ..course import without_links
from ..language import gettext, using
from .names import listed, shown

MAX_FILE = 32 * 2**20  # bytes: a notebook with many pictures has a few MB
MAX_TEXT = 250_000     # characters in all cells together: colouring code for a page takes up to 0.1 ms for each
MAX_MARKDOWN = 10_000  # characters of one cell of prose that are kept: some Markdown takes time in proportion to their square
MAX_PROSE = 50_000     # characters of prose that are kept in all
MAX_CELLS = 500
JOINER = "\N{WORD JOINER}"  # has no width and does nothing; our own pages leave it out again
ACTIVE = re.compile(r"""(?xi)
    < (?= [a-z/!?]) (?! https?://[^\s<>]*>)              # a tag, a comment, <scheme:address>
    | ! (?= \[)                                          # a picture, whatever follows
    | \] (?= [(:] (?! [ \t\n]* <? (?: https?:// | \#)))  # [text](address), and [name]: address
    | (?<! https:) (?<! http:) (?<! \w) / (?= /)          # an address that stands in the text
    | (?<= [\w.+-]) (?= @ [\w-]+\.\w)                   # a mail address
    | (?: ``` | ~~~) (?= [ \t]* mermaid)                 # a drawing
    """)
MAX_REMARK = 400       # characters of a remark
ABSENT = "# This cell was not in the notebook that was handed in."


@dataclass(frozen=True)
class Written:
    """A cell as it was handed in: only its text and what tells which cell of the release it was."""

    text: str
    code: bool
    grade_id: str | None
    cell_id: str | None


@dataclass
class HandedIn:
    """What lay where a submission should be. problem: why nothing can be taken from it, or None. notes: what was strange.

    name: of the file that was read. others: the notebooks beside it, which were not. language: in which the notebook says that it is,
    of those that the release has; empty for none.
    """

    written: list[Written] = field(default_factory=list)
    problem: str | None = None
    notes: list[str] = field(default_factory=list)
    name: str = ""
    others: list[str] = field(default_factory=list)
    language: str = ""

    @property
    def digest(self) -> str:
        """A hash of all that a grade and its remarks can depend on. Outputs and the rest of a notebook's metadata are not among it."""
        language = [self.language] if self.language else []
        return digest(json.dumps([self.problem, self.others, *language, *(dataclasses.astuple(cell) for cell in self.written)]))


@dataclass
class Rebuilt:
    """The notebook to judge. problem: why nothing of the learner's could be used, or None. notes: what else to tell.

    language: in which its author is spoken to, empty for English. digest: of what was handed in, by which a later run sees whether that has changed. What is told may
    hold names that a learner chose, and is cleaned here, once, for logs, tables and pages.
    """

    notebook: NotebookNode
    problem: str | None = None
    notes: list[str] = field(default_factory=list)
    digest: str = ""
    language: str = ""

    def __post_init__(self) -> None:
        self.problem = self.problem and shown(self.problem, MAX_REMARK)
        notes, self.notes = self.notes, []
        for note in notes:
            self.note(note)

    def note(self, text: str) -> None:
        self.notes.append(shown(text, MAX_REMARK))


class Unusable(ValueError):
    """Nothing can be taken from what was handed in; the message says why, to the learner."""


def digest(text: str) -> str:
    """A hash of a text, by which it is known again."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# --- Reading -----------------------------------------------------------------------------------


def read_file(path: Path) -> bytes:
    """The content of a file that was handed in. Raises Unusable for what is no plain file of a sensible size."""
    path = Path(path)
    for part in (path, path.parent, path.parent.parent):
        if part.is_symlink():
            raise Unusable(gettext("“{file}” is a link: hand in the notebook itself.").format(file=part.name))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Unusable(gettext("No notebook “{file}” was handed in.").format(file=path.name)) from None
    except OSError as error:
        raise Unusable(gettext("“{file}” can't be read ({why}).").format(file=path.name, why=error.strerror)) from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise Unusable(gettext("“{file}” is not a file: hand in the notebook itself.").format(file=path.name))
    with os.fdopen(descriptor, "rb") as file:
        if found.st_nlink > 1:
            raise Unusable(gettext("“{file}” is a second name of another file: hand in a copy of its own.").format(file=path.name))
        if found.st_size > MAX_FILE:
            text = gettext("“{file}” has {size} MB, and {most} MB are allowed: clear its outputs.")
            raise Unusable(text.format(file=path.name, size=f"{found.st_size / 1e6:.0f}", most=f"{MAX_FILE / 1e6:.0f}"))
        return file.read(MAX_FILE + 1)


def load(data: bytes) -> tuple[Any, list[str]]:
    """What a file of JSON holds, and notes on what was strange. Raises Unusable for another file."""
    try:
        try:
            return json.loads(data), []
        except UnicodeDecodeError:
            return json.loads(data.decode("latin-1")), [gettext("The file is not in UTF-8; it was read as Latin-1.")]
    except (ValueError, RecursionError):
        raise Unusable(_no_notebook(data)) from None


def language_of(found: Any) -> str:
    """The language in which a notebook says that it is; empty where it says nothing."""
    for key in ("metadata", "unrolled", "language"):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def parse(data: bytes) -> tuple[list[Written], list[str]]:
    """The cells of a notebook, and notes on what was strange. Raises Unusable when it is no notebook."""
    found, notes = load(data)
    return cells_written(found), notes


def cells_written(found: Any) -> list[Written]:
    """The cells of what should be a notebook. Raises Unusable when it is none."""
    cells = _cells(found)
    if cells is None:
        raise Unusable(gettext("What was handed in is not a Jupyter notebook: it has no list of cells."))
    if len(cells) > MAX_CELLS:
        raise Unusable(gettext("The notebook has {count} cells, and {most} are allowed.").format(count=len(cells), most=MAX_CELLS))
    written = [cell for cell in map(_written, cells) if cell is not None]
    if sum(len(cell.text) for cell in written) > MAX_TEXT:
        raise Unusable(gettext("The cells hold more than {count} characters of text.").format(count=f"{MAX_TEXT:,}"))
    return written


def _no_notebook(data: bytes) -> str:
    if not data.strip():
        return gettext("The file that was handed in is empty.")
    if data.lstrip()[:1] == b"{":
        return gettext("The notebook that was handed in breaks off or is damaged: it is not valid JSON. Save it again and hand it in once more.")
    return gettext("What was handed in is not a Jupyter notebook: it is not JSON.")


def _cells(found: Any) -> list | None:
    """The list of cells in any version of the format."""
    if not isinstance(found, dict):
        return None
    if isinstance(found.get("cells"), list):
        return found["cells"]
    sheets = found.get("worksheets")  # version 3 and older
    if isinstance(sheets, list):
        return [cell for sheet in sheets if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list) for cell in sheet["cells"]]
    return None


def _written(cell: Any) -> Written | None:
    if not isinstance(cell, dict):
        return None
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return None
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    return Written(
        text=source.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8"),
        code=cell.get("cell_type") == "code",
        grade_id=grade_id if isinstance(grade_id, str) else None,
        cell_id=cell["id"] if isinstance(cell.get("id"), str) else None,
    )


# --- Matching ----------------------------------------------------------------------------------


def _grade_id(cell: NotebookNode) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def is_solution(cell: NotebookNode) -> bool:
    """Whether the learner writes this cell of the release."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def is_setup(cell: NotebookNode) -> bool:
    """Whether this cell of the release is run before learners' code."""
    return cell.cell_type == "code" and "setup" in cell.metadata.get("tags", [])


def is_test(cell: NotebookNode) -> bool:
    """Whether points are given for this cell by a check."""
    meta = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and bool(meta.get("grade")) and not meta.get("solution")


def is_marked_by_hand(cell: NotebookNode) -> bool:
    """Whether the learner's answer in this cell is given points by a person."""
    return is_solution(cell) and bool(cell.metadata["nbgrader"].get("grade"))


def is_added(cell: NotebookNode) -> bool:
    """Whether the learner added this cell."""
    return cell.metadata.get("unrolled", {}).get("cell") == "added"


def released_text(cell: NotebookNode) -> str:
    """For an added cell that a learner made of one of the course's: what the course wrote there. Otherwise nothing."""
    return cell.metadata.get("unrolled", {}).get("beside", "")


def defined_in(text: str) -> set[str]:
    """The functions and classes that a cell defines at its top level. Python's own parser is not let near a learner's text here:
    there are texts that take it minutes, or all of its stack."""
    return set(re.findall(r"^(?:async )?(?:def|class) +(\w+)", text, flags=re.MULTILINE))


def _matches(release: list[NotebookNode], written: list[Written]) -> dict[int, int]:
    """For each cell that was handed in, the cell of the release that it was: by grade_id, id, text, or the function it defines."""
    found: dict[int, int] = {}
    taken: set[int] = set()

    def match(fits: Any) -> None:
        for i, cell in enumerate(written):
            if i in found:
                continue
            j = next((j for j, original in enumerate(release) if j not in taken and fits(cell, original)), None)
            if j is not None:
                found[i] = j
                taken.add(j)

    match(lambda cell, original: cell.grade_id is not None and cell.grade_id == _grade_id(original))
    match(lambda cell, original: cell.grade_id is None and cell.cell_id is not None and cell.cell_id == original.get("id"))
    match(lambda cell, original: cell.text.strip() != "" and cell.text.strip() == original.source.strip())
    defines = {j: defined_in(original.source) for j, original in enumerate(release) if is_solution(original)}
    for i, cell in enumerate(written):
        if i not in found and cell.code and (names := defined_in(cell.text)):
            j = next((j for j, wanted in defines.items() if j not in taken and wanted & names), None)
            if j is not None:
                found[i] = j
                taken.add(j)
    return found


# --- Rebuilding --------------------------------------------------------------------------------


def rebuild(release: NotebookNode, written: list[Written]) -> NotebookNode:
    """The released notebook with the learner's text in its solution cells, and the added cells where they stood."""
    notebook = copy.deepcopy(release)
    found = _matches(notebook.cells, written)
    text_of = {j: written[i].text for i, j in found.items()}
    after: dict[int, list[NotebookNode]] = {}  # added cells by the cell of the release that they follow
    before: dict[int, NotebookNode] = {}
    anchor = -1
    for i, cell in enumerate(written):
        if i in found:
            anchor = found[i]
            if own := _own_work(cell, notebook.cells[anchor], i):
                if is_test(notebook.cells[anchor]):  # a function that was written beside its check, above it
                    before[anchor] = own
                else:
                    after.setdefault(anchor, []).append(own)
        elif cell.text.strip():
            after.setdefault(anchor, []).append(_added(cell, cell.text, i))
    cells = after.get(-1, [])
    for j, cell in enumerate(notebook.cells):
        if is_solution(cell):
            cell.source = _answer(cell, text_of.get(j))
        cells += [*filter(None, [before.get(j)]), cell, *after.get(j, [])]
    notebook.cells = cells
    _shorten_prose(cell for cell in cells if cell.cell_type == "markdown" and (is_solution(cell) or is_added(cell)))
    return notebook


def _shorten_prose(cells: Iterable[NotebookNode]) -> None:
    """Cut what a learner wrote in Markdown where it is too long to be shown."""
    left = MAX_PROSE
    for cell in cells:
        kept = min(MAX_MARKDOWN, left)
        if len(cell.source) > kept:
            cell.source = f"{cell.source[:kept]}\n\n{gettext('(cut off here: too long)')}"
        left -= min(kept, len(cell.source))


def _answer(cell: NotebookNode, text: str | None) -> str:
    """What stands in a solution cell: the learner's text, as text."""
    if text is None:
        return ABSENT if cell.cell_type == "code" else ""
    if cell.cell_type == "code" or text == cell.source:
        return text
    return plain_markdown(text)


def plain_markdown(text: str) -> str:
    """Markdown in which HTML, pictures, and links to other than the web and the page itself are text and nothing else.

    Instructors read it in the formgrader and in JupyterLab, where scripts could grade. No parser decides here what is a link, because
    the two have different ones: wherever one might see it begin, a character without width stands between its two halves.
    """
    return ACTIVE.sub(rf"\g<0>{JOINER}", text)


def _added(cell: Written, text: str, place: int, beside: str = "") -> NotebookNode:
    metadata = {"unrolled": {"cell": "added", **({"beside": beside} if beside else {})}}
    if cell.code:
        return v4.new_code_cell(text, metadata=metadata, id=f"added-{place}")
    return v4.new_markdown_cell(plain_markdown(text), metadata=metadata, id=f"added-{place}")


# --- Work in the course's own cells ------------------------------------------------------------


def _own_work(cell: Written, original: NotebookNode, place: int) -> NotebookNode | None:
    """What a learner wrote into a cell of the course's, as a cell that they added: the release's own lines are run once, by the release.

    Of code the whole text is kept, and the player leaves out the statements that the release has, too (no parser is let near it here);
    of prose the lines that the release does not have. A cell for the learner's eyes is theirs to play with: only what it newly defines counts.
    """
    if is_solution(original) or cell.code != (original.cell_type == "code"):
        return None
    own = _lines_beyond(cell.text, original.source, cell.code)
    if not own:
        return None
    if not cell.code:
        return _added(cell, "\n\n".join(own), place, original.source)
    if not is_test(original) and not is_setup(original) and not defined_in(cell.text) - defined_in(original.source):
        return None
    return _added(cell, cell.text, place, original.source)


def _lines_beyond(text: str, released: str, code: bool) -> list[str]:
    """The lines of a text that the released one does not have; blank lines, and comments in code, say nothing."""
    plain = str if code else without_links  # `unrolled start` lets a copy's links lead to where the book is
    known = Counter(line.strip() for line in plain(released).split("\n"))
    found = []
    for line in text.split("\n"):
        bare = plain(line).strip()
        if known[bare] > 0:
            known[bare] -= 1
        elif bare and not (code and bare.startswith("#")):
            found.append(line.rstrip())
    return found


def _differs(cell: NotebookNode) -> str:
    """The sentence about work in a cell of the course's."""
    first = next(line.strip() for line in released_text(cell).split("\n") if line.strip())
    first = f"“{first[:57]}...”" if len(first) > 60 else f"“{first}”"
    if cell.cell_type == "markdown":
        text = gettext("The course's text that begins with {first} was changed: what was written into it is shown as a cell of its own, and is no answer.")
    else:
        text = gettext(
            "The course's cell that begins with {first} was changed. It was run as it was released, and what it did not have was run as an added "
            "cell: write your own code into the cells for it, or into new ones."
        )
    return text.format(first=first)


def spoken_to(language: str) -> contextlib.AbstractContextManager:
    """Inside, an author is spoken to in the language of the notebook; where it says none, in the one that is spoken anyway."""
    return using(language) if language else contextlib.nullcontext()


def handed_in(path: Path, names: Collection[str] = (), languages: Collection[str] = ()) -> HandedIn:
    """What lies where `path` should be, whatever that is. names: the files of all notebooks that the assignment has. languages: in which
    there is a release, beside English; its author is spoken to in the notebook's own.

    Where the assignment has one notebook and a submission one of another name, that is read.
    """
    others = beside(path, names) if names else []
    notes, place = [], path
    if len(names) == 1 and others and not os.path.lexists(path):
        if len(others) > 1:
            text = gettext("There is no “{file}”, but {others}: which of them counts? Hand in one, under the right name.")
            return HandedIn(problem=text.format(file=path.name, others=listed(others)), others=others)
        place, others = path.with_name(others[0]), []
        notes.append(gettext("“{read}” is read in place of “{file}”.").format(read=place.name, file=path.name))
    spoken = ""
    try:
        found, strange = load(read_file(place))
        spoken = language_of(found) if language_of(found) in languages else ""
        with spoken_to(spoken):
            written = cells_written(found)
            problem = None if any(cell.code for cell in written) else gettext("The notebook that was handed in has none of the cells of this assignment.")
    except Unusable as error:
        return HandedIn([], str(error), notes, place.name, others, spoken)
    return HandedIn(written, problem, notes + strange, place.name, others, spoken)


def of_file(release: NotebookNode, path: Path, names: Collection[str] = (), translated: Mapping[str, NotebookNode] = MappingProxyType({})) -> Rebuilt:
    """The notebook to judge for what lies where `path` should be, whatever that is. names: as for `handed_in`.

    translated: the release in other languages. A notebook is held to the release of the language that it says it is in. They differ in prose,
    docstrings and comments alone, so that nobody gains by saying another.
    """
    found = handed_in(path, names, translated.keys())
    with spoken_to(found.language):
        return _rebuilt(translated.get(found.language, release), path, found)


def _rebuilt(release: NotebookNode, path: Path, found: HandedIn) -> Rebuilt:
    written, problem = found.written, found.problem
    if problem is None and (other := other_assignment(release, written)):
        text = gettext("“{read}” is the notebook of {other}, where “{file}” was to be handed in.")
        written, problem = [], text.format(read=found.name, other=other, file=path.name)
    notebook = rebuild(release, written)
    notes = [*found.notes, *(_differs(cell) for cell in notebook.cells if released_text(cell))]
    if found.others and problem is None and _untouched(release, notebook):
        text = gettext("“{file}” is as it was released, and beside it lies {others}, not read: the wrong one may be graded.")
        notes.append(text.format(file=path.name, others=listed(found.others)))
    elif found.others and found.name:
        notes.append(gettext("Beside “{file}” lies {others}, not read.").format(file=path.name, others=listed(found.others)))
    return Rebuilt(notebook, problem, notes, found.digest, found.language)


def other_assignment(release: NotebookNode, written: list[Written]) -> str:
    """The assignment whose tasks a notebook names where it names none of the release's; nothing for every other notebook.

    A cell names a task by its metadata or by the line that checks it. Who wrote right functions into a notebook of their own names none.
    """
    own = {_grade_id(cell) for cell in release.cells if is_test(cell)}
    named = {name for cell in written for name in _tasks_named(cell)}
    if named & own:
        return ""
    of = Counter(TASKS[name].assignment for name in sorted(named) if name in TASKS)
    return of.most_common(1)[0][0] if of else ""


def _tasks_named(cell: Written) -> set[str]:
    checked = re.findall(r"""\bcheck\(\s*["'](\w+)["']""", cell.text) if cell.code else []
    return {*checked, *filter(None, [cell.grade_id and cell.grade_id.removesuffix("-code")])}


def _untouched(release: NotebookNode, notebook: NotebookNode) -> bool:
    """Whether nothing was written: the cells to write in are as they were released, and no code was added."""
    before = {_grade_id(cell): cell.source for cell in release.cells if is_solution(cell)}
    return all(
        cell.source in (before[_grade_id(cell)], ABSENT, "") if is_solution(cell) else not (is_added(cell) and cell.cell_type == "code")
        for cell in notebook.cells
    )


def nothing_written(release: NotebookNode, data: bytes) -> bool:
    """Whether a file is a notebook of this release in which nobody wrote an answer or code of their own."""
    try:
        written = cells_written(load(data)[0])
    except Unusable:
        return False
    return bool(written) and _untouched(release, rebuild(release, written))


def beside(path: Path, names: Collection[str]) -> list[str]:
    """The notebooks that lie in the same folder and are none of `names`: the released ones."""
    if path.parent.is_symlink() or path.parent.parent.is_symlink():
        return []
    try:
        with os.scandir(path.parent) as entries:
            return sorted(
                entry.name for entry in entries
                if entry.name.lower().endswith(".ipynb") and not entry.name.startswith(".") and entry.name not in names
                and not entry.is_dir(follow_symlinks=False)
            )  # fmt: skip
    except OSError:
        return []
