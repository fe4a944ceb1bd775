"""How alike `unrolled similar` finds copies, and right answers that people wrote in styles of their own.

The right answers in other styles that the tests keep are put together to four submissions of each assignment: no two of them share an
author's way. Copies of a model answer are disguised as a learner would in a minute.
"""

from __future__ import annotations

import inspect
import itertools
import keyword
import re
import sys
import textwrap
from pathlib import Path

import nbformat
from common import write

from unrolled.checks import TASKS
from unrolled.grading import rebuild, similar

COURSE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(COURSE / "tests" / "assignments")]


def released(assignment: str) -> list[str]:
    notebook = nbformat.read(COURSE / "assignments" / assignment / f"{assignment}.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def model(assignment: str) -> list[str]:
    """The solution cells of the model answers."""
    notebook = nbformat.read(COURSE / "solutions" / assignment / f"{assignment}.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells if rebuild.is_solution(cell) and cell.cell_type == "code"]


def renamed(text: str) -> str:
    """Another name for every name that is no attribute and nothing that everybody shares; a comment on each line; no docstring."""
    text = re.sub(r'"""[\s\S]*?"""', '"""Mine."""', text)
    names = set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", text)) - similar.KEPT - set(keyword.kwlist) - set(TASKS)
    for name in names:
        text = re.sub(rf"(?<![.\w]){name}\b", f"{name}_of_mine", text)
    return "\n".join(f"{line}  # mine" if line.strip() and not line.rstrip().endswith(("\\", '"""')) else line for line in text.splitlines())


def honest(assignment: str) -> list[list[str]]:
    """Four submissions of right answers in other styles, a list of cells each."""
    from honest import HONEST

    styles = [[textwrap.dedent(inspect.getsource(function)) for function in HONEST[name]] for name in TASKS if TASKS[name].assignment == assignment]
    return [[style[i] for style in styles] for i in range(min(map(len, styles)))]


def measured(assignment: str) -> dict[str, object]:
    """How alike the copies are and the most alike two honest submissions, and the most alike two honest answers to one task."""
    given, right, others = released(assignment), model(assignment), honest(assignment)
    original = similar.code_of("original", right, given)
    single = {
        (similar.alike(similar.code_of("a", [one], given), similar.code_of("b", [two], given)), name)
        for name, styles in zip((name for name in TASKS if TASKS[name].assignment == assignment), zip(*others), strict=True)
        for one, two in itertools.combinations(styles, 2)
    }
    return {
        "renamed": similar.alike(original, similar.code_of("copy", map(renamed, right), given)),
        "one rewritten": similar.alike(original, similar.code_of("copy", [others[0][0], *map(renamed, right[1:])], given)),
        "honest": max(pair.alike for pair in similar.pairs([similar.code_of(str(i), cells, given) for i, cells in enumerate(others)], 1)),
        "one task": max(single),
    }


def main() -> None:
    result = {}
    print(f"{'assignment':<22}{'names changed':>14}{'one rewritten':>15}{'honest, at most':>17}   one task, at most")
    for assignment in sorted({task.assignment for task in TASKS.values()}):
        found = result[assignment] = measured(assignment)
        most, task = found["one task"]
        print(f"{assignment:<22}{found['renamed']:>14.2f}{found['one rewritten']:>15.2f}{found['honest']:>17.2f}   {most:.2f} {task}")
    write("similarity", result)


if __name__ == "__main__":
    main()
