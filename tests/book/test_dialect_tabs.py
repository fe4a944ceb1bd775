"""The tabs that show a function in NumPy, torch, Keras and JAX."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from unrolled.site.dialects import DIALECTS, FOLDER, tabs

CHAPTERS = ["recurrence/rnn", "recurrence/rnn-concise", "gates/lstm", "gates/gru", "tasks/classification", "tasks/translation"]


@pytest.fixture
def folder(tmp_path):
    """Four dialects with a function `step`; JAX has a `scan` besides."""
    for dialect in DIALECTS:
        (tmp_path / f"in_{dialect}.py").write_text(f"def step(x):\n    return x  # {dialect}\n", encoding="utf-8")
    with (tmp_path / "in_jax.py").open("a", encoding="utf-8") as file:
        file.write("\n\n@jit\ndef scan(x):\n    return x\n")
    return tmp_path


def test_a_helper_of_one_dialect_stands_in_its_tab_alone_and_in_the_order_named(folder):
    shown = [line.removeprefix(":pyobject: ") for line in tabs(folder, ["scan", "step"]) if line.startswith(":pyobject:")]
    assert shown == ["step", "step", "step", "scan", "step"]


def test_a_function_that_no_dialect_has_is_named(folder):
    with pytest.raises(ValueError, match="no dialect has a function leap: the files are those in"):
        tabs(folder, ["step", "leap"])


def test_a_tab_without_a_function_is_refused(folder):
    with pytest.raises(ValueError, match="in_numpy.py has none of scan, so its tab would be empty"):
        tabs(folder, ["scan"])


def test_the_files_of_the_course_have_each_function_that_a_page_shows(course):
    """What the pages name is held by the strict build; here the four files are compared."""
    for name in ("rnn_step", "lstm_layer", "gru_layer", "train", "padded", "encode_decode"):
        assert sum(line == f":pyobject: {name}" for line in tabs(course / FOLDER, [name])) == len(DIALECTS)


@pytest.mark.slow
@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_has_one_folded_box_with_the_four_dialects(built_book, page):
    html = BeautifulSoup((built_book[0] / "book" / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    (tab_set,) = html.select(".sd-tab-set")
    assert "dropdown" in tab_set.find_parent(class_="admonition")["class"]
    assert [label.get_text().strip() for label in tab_set.select("label")] == list(DIALECTS.values())
    assert all("def " in content.get_text() for content in tab_set.select(".sd-tab-content"))


@pytest.mark.slow
def test_the_table_to_keep_has_a_column_for_each_framework(built_book):
    html = BeautifulSoup((built_book[0] / "book" / "appendix" / "frameworks.html").read_text(encoding="utf-8"), "html.parser")
    (table,) = html.select(".cell_output table")
    assert [head.get_text().strip() for head in table.select("th")] == ["", "torch", "Keras", "Equinox", "ONNX"]
    assert len(table.select("tbody tr")) >= 12 and all(cell.get_text().strip() for cell in table.select("td"))
