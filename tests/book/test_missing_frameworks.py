"""Pages that need Keras, JAX and ONNX: skipped with one line where these are missing, unless every test is asked for."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest


@pytest.fixture
def book_tests(course, monkeypatch):
    """The settings of the book's own tests, on a machine without Keras and ONNX."""
    spec = importlib.util.spec_from_file_location("book_conftest", course / "book" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None if name in {"keras", "onnx"} else name)
    return module


def marks_of(module, *pages: str) -> list[list]:
    """What is marked on a cell of each page."""
    marks = [[] for _ in pages]
    items = [SimpleNamespace(path=Path("book", page), add_marker=own.append) for page, own in zip(pages, marks, strict=True)]
    module.pytest_collection_modifyitems(items)
    return marks


def test_all_cells_of_such_a_page_are_skipped_with_one_line_that_says_what_to_install(book_tests, monkeypatch):
    monkeypatch.delenv("UNROLLED_REQUIRE_ALL", raising=False)
    first, second, other = marks_of(book_tests, "frameworks.ipynb", "frameworks.ipynb", "rnn.ipynb")
    assert other == [] and [mark.kwargs for mark in first] == [mark.kwargs for mark in second]
    (mark,) = first
    assert mark.name == "skip" and mark.kwargs["reason"].startswith("keras, onnx are missing: install them with `python -m pip install -c constraints.txt")


def test_where_every_test_is_asked_for_nothing_is_skipped(book_tests, monkeypatch):
    monkeypatch.setenv("UNROLLED_REQUIRE_ALL", "1")
    assert marks_of(book_tests, "frameworks.ipynb") == [[]]


def test_the_libraries_are_those_of_the_extra(book_tests, course):
    import tomllib

    extra = tomllib.loads((course / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]["frameworks"]
    names = {requirement.split(">")[0] for requirement in extra} - {"unrolled[reference]"}
    assert set(book_tests.FRAMEWORKS["frameworks.ipynb"]) == names
