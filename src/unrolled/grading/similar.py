"""Pairs of students whose code is alike when names, numbers, comments and layout don't count: `unrolled similar ASSIGNMENT`.

What the records keep of each learner's cells is turned into words, in which variables are numbered in the order in which they
appear; lines that the released notebook gives are taken out. Two are as alike as the share of runs of `RUN` words that they have
in common. A high number is a reason to talk with both, and no verdict: a short function has few right forms.
"""

from __future__ import annotations

import builtins
import heapq
import io
import keyword
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

from . import rebuild, referee

RUN = 5            # words that are compared as one
MOST_WORDS = 5000  # of a cell that are looked at
LEAST = 20         # words below which a learner's code says nothing
KEPT = {*keyword.kwlist, *dir(builtins), "np", "numpy", "math", "torch"}  # names that everybody shares
SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}
Line = tuple[str, ...]


def skeleton(text: str) -> list[Line]:
    """A cell as lines of words: variables numbered, numbers and strings as such, without docstrings, comments and layout.

    Text that is no Python gives what comes before the place where it stops being any. Python's parser is not used: there are texts that
    take it minutes, or all of its stack.
    """
    numbers: dict[str, str] = {}
    lines: list[Line] = []
    line: list[str] = []
    for token in _tokens(text):
        if token.type == tokenize.NEWLINE:
            if line and line != ["STRING"]:  # a docstring
                lines.append(tuple(line))
            line = []
        elif token.type == tokenize.NUMBER:
            line.append("NUMBER")
        elif token.type == tokenize.STRING:
            line.append("STRING")
        elif token.type == tokenize.NAME and token.string not in KEPT and line[-1:] != ["."]:
            line.append(numbers.setdefault(token.string, f"v{len(numbers)}"))
        elif token.type not in SKIPPED:
            line.append(token.string)
    return lines + [tuple(line)] * bool(line)


def _tokens(text: str) -> Iterable[tokenize.TokenInfo]:
    try:
        for count, token in enumerate(tokenize.generate_tokens(io.StringIO(text).readline)):
            if count == MOST_WORDS:
                return
            yield token
    except (tokenize.TokenError, SyntaxError):
        return


@dataclass(frozen=True)
class Code:
    """What a student wrote, in cells: by the function that a cell defines, its lines without the release's."""

    student: str
    cells: dict[str, tuple[Line, ...]]

    def runs(self) -> Counter[Line]:
        """How often each run of words is there, in a cell each."""
        found: Counter[Line] = Counter()
        for lines in self.cells.values():
            words = [word for line in lines for word in (*line, "\n")]
            found.update(tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1))
        return found


@dataclass(frozen=True)
class Pair:
    """How alike two students' code is, from 0 to 1, and the cells that are the same."""

    alike: float
    one: str
    other: str
    same: tuple[str, ...]


def code_of(student: str, texts: Iterable[str], released: Iterable[str]) -> Code:
    """A student's code: the texts of their cells without the lines of the released cells."""
    given = {line for text in released for line in skeleton(text)}
    cells: dict[str, tuple[Line, ...]] = {}
    for text in texts:
        name = ", ".join(sorted(rebuild.defined_in(text))) or "other cells"
        cells[name] = cells.get(name, ()) + tuple(line for line in skeleton(text) if line not in given)
    return Code(student, {name: lines for name, lines in cells.items() if lines})


def alike(one: Code, other: Code) -> float:
    """The share of runs of words that two students' code has in common, from 0 to 1."""
    a, b = one.runs(), other.runs()
    return 2 * (a & b).total() / max(1, a.total() + b.total())


def pairs(codes: Iterable[Code], most: int) -> list[Pair]:
    """The `most` pairs that are most alike, those first. Who wrote next to nothing is left out."""
    codes = [code for code in codes if sum(len(line) for lines in code.cells.values() for line in lines) >= LEAST]
    runs = [code.runs() for code in codes]
    sizes = np.array([each.total() for each in runs], dtype=float)
    where: dict[Line, list[tuple[int, int]]] = defaultdict(list)
    for i, each in enumerate(runs):
        for run, many in each.items():
            where[run].append((i, many))
    places = {run: np.array(found).T for run, found in where.items() if len(found) > 1}
    best: list[tuple[float, int, int]] = []
    for i, each in enumerate(runs):
        common = np.zeros(len(codes))
        for run, many in each.items():
            if run in places:
                others, counts = places[run]
                common[others] += np.minimum(counts, many)
        ratio = 2 * common / (sizes + sizes[i])
        best = heapq.nlargest(most, [*best, *((float(ratio[j]), i, j) for j in range(i + 1, len(codes)))], key=lambda each: each[0])
    return [Pair(ratio, codes[i].student, codes[j].student, _same(codes[i], codes[j])) for ratio, i, j in best]


def _same(one: Code, other: Code) -> tuple[str, ...]:
    return tuple(sorted(name for name, lines in one.cells.items() if other.cells.get(name) == lines))


def codes_of(folder: referee.ClassFolder, assignment: str, released: Mapping[str, Any]) -> list[Code]:
    """The code of everybody whose submission for an assignment was graded. released: its released notebooks by name."""
    texts: dict[str, list[str]] = defaultdict(list)
    for name in released:
        for path in sorted(folder.path.glob(f"records/*/{folder.record_path('', assignment, name).name}")):
            record = folder.record(path.parent.name, assignment, name) or {}
            texts[path.parent.name] += [cell["text"] for cell in record.get("cells", []) if cell["kind"] in ("solution", "added")]
    given = [cell.source for notebook in released.values() for cell in notebook.cells if cell.cell_type == "code"]
    return [code_of(student, own, given) for student, own in sorted(texts.items())]


def released_in(folder: Path) -> dict[str, Any]:
    """The released notebooks of an assignment by name. Raises ValueError when there are none."""
    found = {path.stem: nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))}
    if not found:
        raise ValueError(f"There is no released notebook in {folder}: name an assignment such as 02-rnn-forward.")
    return found
