"""`nbgrader generate_assignment` replaces a release by a whole one, or not at all."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

NAME = "02-rnn-forward"


@pytest.fixture
def here(fresh_course, monkeypatch):
    monkeypatch.chdir(fresh_course.folder)
    return fresh_course


def release(course) -> dict[str, bytes]:
    """Everything below assignments/, by path."""
    root = course.folder / "assignments"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_without_torch_the_release_stays_and_one_sentence_says_what_to_install(here, monkeypatch):
    before = release(here)
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else found(name, *rest))
    result = here.api.generate_assignment(NAME, force=True)
    assert not result["success"] and release(here) == before
    assert result["log"].strip().count("\n") == 0 and "torch, which is not installed" in result["log"] and "pip install" in result["log"]


def test_a_source_that_is_no_notebook_leaves_the_release_in_its_place(here):
    before = release(here)
    (here.folder / "solutions" / NAME / f"{NAME}.ipynb").write_text("{")
    assert not here.api.generate_assignment(NAME, force=True)["success"]
    assert release(here) == before and [path.name for path in (here.folder / "assignments").iterdir()] == [NAME]


def test_a_release_is_replaced_whole_with_force_only(here):
    before = release(here)
    (here.folder / "assignments" / NAME / "left-over.txt").write_text("of an earlier release")
    assert here.api.generate_assignment(NAME, force=False)["success"]
    assert f"{NAME}/left-over.txt" in release(here)
    assert here.api.generate_assignment(NAME, force=True)["success"]
    assert release(here) == before and [path.name for path in (here.folder / "assignments").iterdir()] == [NAME]


def test_the_pinned_libraries_select_as_a_feedback_page_needs_on_the_systems_python():
    """Debian 12's Python 3.11.2 has a bug in `re` that some releases of soupsieve run into."""
    python = Path("/usr/bin/python3")
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    version = subprocess.run([python, "-V"], capture_output=True, text=True).stdout if python.exists() else ""
    if not version.startswith(f"Python {here}."):
        pytest.skip(f"optional: the system has no Python {here}")
    import soupsieve

    packages = Path(soupsieve.__file__).parents[1]
    program = f"import sys; sys.path.insert(0, {str(packages)!r}); import soupsieve; soupsieve.compile('img:not([alt])')"
    done = subprocess.run([python, "-S", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
