"""The boxes to try: one on each page of NumPy, and each runs as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

BOOK = Path(__file__).resolve().parents[2] / "book"
BOX = re.compile(r"^```\{box\} ([^\n]+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# Pages that ask a torch module, or time one: nothing on them is NumPy's alone. And the list of refuted opinions.
WITHOUT = {"rnn-concise", "misconceptions"}


def prose(path: Path) -> str:
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    return "\n\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")


def pages() -> list[Path]:
    parts = yaml.safe_load((BOOK.parent / "_toc.yml").read_text(encoding="utf-8"))
    named = [parts["root"], *(chapter["file"] for part in parts["parts"] for chapter in part["chapters"])]
    return [path for name in named for path in [BOOK.parent / f"{name}.ipynb", BOOK.parent / f"{name}.md"] if path.is_file()]


BOXES = [(path, *found.groups()) for path in pages() for found in BOX.finditer(prose(path))]


def test_every_page_of_numpy_has_a_box():
    notebooks = [path for path in pages() if path.suffix == ".ipynb" and path.stem not in WITHOUT]
    numpy = [path for path in notebooks if any("import numpy" in cell.source for cell in nbformat.read(path, as_version=4).cells)]
    assert [path.stem for path in numpy if path not in {box[0] for box in BOXES}] == []


@pytest.mark.parametrize(("path", "title", "code"), BOXES, ids=[f"{path.stem}: {title}" for path, title, _ in BOXES])
def test_a_box_runs_as_it_stands(path, title, code):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=BOOK, timeout=60)
    if path.stem == "index":  # the first win begins with a mistake
        assert "CheckFailed: rnn_step: 1.14 of 4 points" in done.stderr
    else:
        assert done.returncode == 0 and done.stdout, done.stderr


@pytest.mark.parametrize(("path", "title", "code"), BOXES, ids=[f"{path.stem}: {title}" for path, title, _ in BOXES])
def test_a_box_needs_only_what_a_page_has(path, title, code):
    imported = set(re.findall(r"^(?:from|import) (\w+)", code, re.MULTILINE))
    assert imported <= {"numpy", "unrolled", "math", "collections", "itertools", "re", "string"}
    assert max(map(len, code.splitlines())) <= 100 and len(code.splitlines()) <= 24
