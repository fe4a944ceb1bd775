"""The book's notebooks as they are stored, and what every chapter must have."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

COURSE = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((COURSE / "book").rglob("*.ipynb"))
# Pages that teach: every one has the parts that the reader may rely on.
PARTS = {"sequences", "recurrence", "gates", "tasks"}
CHAPTERS = [path for path in sorted((COURSE / "book").rglob("*")) if path.parent.name in PARTS and path.suffix in {".ipynb", ".md"}
            and not path.name.endswith(".nb.md")]  # fmt: skip
ABSOLUTE = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|Users|work|opt)/\S+")


def of(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[dict]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def outputs(path: Path) -> list[dict]:
    return [output for cell in cells(path, "code") for output in cell.outputs]


def prose(path: Path) -> str:
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    return "\n\n".join(cell.source for cell in cells(path, "markdown"))


def test_there_are_notebooks_to_look_at():
    assert len(CHAPTERS) >= 2


@of(NOTEBOOKS)
def test_a_notebook_was_run_from_the_top(path):
    counts = [cell.execution_count for cell in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))


@of(NOTEBOOKS)
def test_a_notebook_stores_no_error_and_no_stderr(path):
    bad = [o for o in outputs(path) if o.output_type == "error" or o.get("name") == "stderr"]
    assert bad == []


@of(NOTEBOOKS)
def test_a_notebook_stores_no_absolute_path(path):
    assert ABSOLUTE.findall(json.dumps(outputs(path))) == []


@of(NOTEBOOKS)
def test_no_output_is_over_100_kilobytes(path):
    assert [len(json.dumps(o)) for o in outputs(path) if len(json.dumps(o)) > 133_000] == []  # base64 adds a third


@of(NOTEBOOKS)
def test_a_notebook_names_the_plain_python_kernel_and_no_widgets(path):
    metadata = nbformat.read(path, as_version=4).metadata
    assert metadata.kernelspec.name == "python3"
    assert "widgets" not in metadata


@of(NOTEBOOKS)
def test_every_stored_picture_has_alt_text_and_caption(path):
    for cell in cells(path, "code"):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            stored = cell.metadata.get("mystnb", {})
            assert len(stored.get("image", {}).get("alt", "")) >= 20, cell.source
            assert stored.get("figure", {}).get("caption") and stored.get("figure", {}).get("name"), cell.source


@of(NOTEBOOKS)
def test_a_cell_that_is_not_compared_asserts_what_the_text_claims(path):
    for cell in cells(path, "code"):
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            assert "assert " in cell.source or "plt.show()" in cell.source or "display(" in cell.source, cell.source


@of(CHAPTERS)
def test_a_chapter_says_what_one_will_be_able_to_do(path):
    section = re.search(r"You will be able to(.*?)(?=\n#|\n```|\Z)", prose(path), re.DOTALL)
    assert section, "no section “You will be able to”"
    assert 3 <= len(re.findall(r"^(?:[-*]|\d\.) ", section[1], re.MULTILINE)) <= 5


@of(CHAPTERS)
def test_a_chapter_has_both_quizzes(path):
    for part in ("before", "after"):
        assert re.search(rf"{{quiz}} {path.stem}\n:part: {part}\n", prose(path)), part


@of(CHAPTERS)
def test_a_chapter_has_four_to_eight_exercises_each_with_a_folded_solution(path):
    exercises = re.findall(r"^`{3,}\{exercise\}[^\n]*\n:label: (\S+)", prose(path), re.MULTILINE)
    solutions = re.findall(r"^`{3,}\{solution\} (\S+)\n(?::[^\n]*\n)*?:class: dropdown", prose(path), re.MULTILINE)
    assert 4 <= len(exercises) <= 8
    assert solutions == exercises


@of(CHAPTERS)
def test_a_chapter_has_a_diagram_and_a_figure_from_its_own_run(path):
    assert re.search(r"\{figure\} \S+\.svg", prose(path))
    if path.suffix == ".ipynb":
        assert any("image/png" in output.get("data", {}) for output in outputs(path))


@of(CHAPTERS)
def test_a_chapter_ends_with_summary_challenge_reading_and_practice(path):
    # Each stands as a heading or as the bold beginning of a paragraph.
    starts = re.findall(r"^(?:#+ |\*\*)(Summary|Challenge|Further reading|Assignment)", prose(path), re.MULTILINE)
    assert starts == ["Summary", "Challenge", "Further reading", "Assignment"]
    assert re.search(r"\{cite(:\w+)?\}`", prose(path))
    assert "unrolled start" in prose(path)
