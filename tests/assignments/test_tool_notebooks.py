"""`make text` and `make run`: notebooks edited as text and stored with outputs that may be published."""

from __future__ import annotations

import os

import nbformat
import notebooks
import pytest

PAGE = """\
---
kernelspec:
  name: python3
---

(a-label)=
# Title

```{note}
A directive, and $x_t$.
```

+++ {"tags": ["quiet"]}

Second paragraph.

```{code-cell} python
---
mystnb:
  image: {alt: "two points"}
  figure:
    name: fig-two
    caption: A caption, with `code`.
tags: [hide-input, nbval-ignore-output]
---
print("hello", flush=True)
1 + 1
```

```{code-cell}
---
nbgrader: {grade: true, grade_id: one, locked: true, points: 2, schema_version: 3, solution: false, task: false}
---
%matplotlib inline
import os
print(os.environ["UNROLLED_PROGRESS"])
```
"""


def _cells(nb):
    return [(cell.cell_type, cell.source, cell.metadata) for cell in nb.cells]


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.ipynb"
    notebooks.text_path(path).write_text(PAGE, encoding="utf-8")
    return path


def _with_cells(path, *sources):
    text = "\n".join(f"```{{code-cell}} ipython3\n{source}\n```\n" for source in sources)
    notebooks.text_path(path).write_text(text, encoding="utf-8")
    return path


def test_metadata_of_cells_survives_the_round_trip():
    nb = notebooks.from_text(PAGE)
    again = notebooks.from_text(notebooks.as_text(nb))
    assert _cells(again) == _cells(nb)
    code = [cell for cell in again.cells if cell.cell_type == "code"]
    assert code[0].metadata.mystnb.figure == {"name": "fig-two", "caption": "A caption, with `code`."}
    assert code[0].metadata.tags == ["hide-input", "nbval-ignore-output"]
    assert code[1].metadata.nbgrader.points == 2 and code[1].metadata.nbgrader.grade_id == "one"
    assert again.cells[1].metadata.tags == ["quiet"]


def test_stored_metadata_is_the_kernel_and_the_language_alone():
    assert set(notebooks.from_text(PAGE).metadata) == {"kernelspec", "language_info"}


def test_ids_are_the_same_each_time_and_kept_when_another_cell_changes():
    first = notebooks.from_text(PAGE)
    assert [c.id for c in notebooks.from_text(PAGE).cells] == [c.id for c in first.cells]
    for cell in first.cells:
        cell.id = f"kept-{cell.id}"
    changed = notebooks.from_text(PAGE.replace("1 + 1", "1 + 2"), before=first)
    same = [new.id == old.id for new, old in zip(changed.cells, first.cells, strict=True)]
    assert same == [True, True, False, True]


def test_equal_cells_have_different_ids():
    nb = notebooks.from_text("```{code-cell}\nx = 1\n```\n\n" * 3)
    assert len({cell.id for cell in nb.cells}) == 3


def test_new_notebook_starts_as_a_skeleton_that_is_not_overwritten(tmp_path):
    path = notebooks.write_text(tmp_path / "new.ipynb")
    assert "# Title" in path.read_text()
    with pytest.raises(notebooks.Refused, match="is there already"):
        notebooks.write_text(tmp_path / "new.ipynb")


@pytest.mark.slow
def test_run_stores_outputs_counted_from_one(page):
    notebooks.main(["run", str(page)])
    nb = nbformat.read(page, as_version=4)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2]
    assert [output.output_type for output in code[0].outputs] == ["stream", "execute_result"]
    assert code[1].outputs[0].text == "off\n"
    assert all("execution" not in cell.metadata for cell in nb.cells)
    assert nb.metadata.language_info == {"name": "python", "pygments_lexer": "ipython3"}
    first = page.read_bytes()
    notebooks.main(["run", str(page)])
    assert page.read_bytes() == first


@pytest.mark.slow
def test_prints_are_stored_in_one_piece_and_stay_between_what_is_displayed(tmp_path):
    source = "for name in ('truth', 'network'):\n    print(name)\n    print('below', flush=True)\n    display(name.upper())"
    page = _with_cells(tmp_path / "page.ipynb", source)
    notebooks.main(["run", str(page)])
    outputs = nbformat.read(page, as_version=4).cells[0].outputs
    assert [output.get("text") or output.data["text/plain"] for output in outputs] == [
        "truth\nbelow\n", "'TRUTH'", "network\nbelow\n", "'NETWORK'"]


@pytest.mark.slow
def test_failing_cell_is_named_and_the_notebook_left_as_it_was(page, capsys):
    notebooks.main(["run", str(page)])
    before = page.read_bytes()
    _with_cells(page, "x = 1", "x / 0")
    assert notebooks.main(["run", str(page)]) == 1
    told = capsys.readouterr().err
    assert "cell 1 (“x / 0”) failed" in told and "ZeroDivisionError" in told
    assert page.read_bytes() == before


@pytest.mark.slow
def test_what_may_not_be_published_is_refused_cell_by_cell(tmp_path, capsys):
    path = _with_cells(
        tmp_path / "bad.ipynb", "import sys; print('careful', file=sys.stderr)", "print('/home/someone/file')", "print('x' * 200_000)"
    )
    assert notebooks.main(["run", str(path)]) == 1
    told = capsys.readouterr().err
    assert "cell 0" in told and "writes to stderr" in told
    assert "cell 1" in told and "absolute path: /home/someone/file" in told
    assert "cell 2" in told and "200 kB of output" in told
    assert not path.exists()


@pytest.mark.slow
def test_model_answers_are_run_but_stored_without_outputs(tmp_path, capsys):
    (tmp_path / "nbgrader_config.py").touch()
    folder = tmp_path / "solutions" / "a"
    folder.mkdir(parents=True)
    path = _with_cells(folder / "a.ipynb", "print('/tmp/may/be/shown/where/nothing/is/stored')")
    assert notebooks.main(["run", str(path)]) == 0
    assert all(not cell.outputs for cell in nbformat.read(path, as_version=4).cells)
    _with_cells(folder / "a.ipynb", "1 / 0")
    assert notebooks.main(["run", str(path)]) == 1


def test_generated_assignment_is_not_run(tmp_path, capsys):
    (tmp_path / "nbgrader_config.py").touch()
    folder = tmp_path / "assignments" / "a"
    folder.mkdir(parents=True)
    assert notebooks.main(["run", str(_with_cells(folder / "a.ipynb", "1"))]) == 1
    assert "make assignments" in capsys.readouterr().err


def test_text_with_changes_that_were_not_run_is_not_overwritten(tmp_path):
    path = tmp_path / "page.ipynb"
    path.write_text(nbformat.writes(notebooks.from_text(PAGE)), encoding="utf-8")
    text = notebooks.write_text(path)
    text.write_text(text.read_text() + "\nMore.\n")
    os.utime(text, (path.stat().st_mtime + 5,) * 2)
    with pytest.raises(notebooks.Refused, match="not in page.ipynb yet"):
        notebooks.write_text(path)


def test_notebook_that_is_newer_than_its_text_wins(tmp_path, capsys):
    path = tmp_path / "page.ipynb"
    path.write_text(nbformat.writes(notebooks.from_text(PAGE)), encoding="utf-8")
    _with_cells(path, "old = 1")
    os.utime(notebooks.text_path(path), (path.stat().st_mtime - 5,) * 2)
    assert _cells(notebooks.source_of(path)) == _cells(notebooks.from_text(PAGE))
    assert "text left aside" in capsys.readouterr().err


def test_stored_notebooks_of_the_course_survive_the_round_trip(course):
    paths = [p for folder in ("book", "solutions") for p in (course / folder).rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts]
    assert paths
    for path in paths:
        nb = notebooks.clean(nbformat.read(path, as_version=4))
        assert _cells(notebooks.from_text(notebooks.as_text(nb))) == _cells(nb), path




def test_changed_words_are_stored_beside_the_outputs_that_are_there(page):
    notebooks.run(page)
    before = nbformat.read(page, as_version=4)
    text = notebooks.text_path(page)
    text.write_text(text.read_text(encoding="utf-8").replace("Second paragraph.", "Another paragraph."), encoding="utf-8")
    notebooks.store_words(page)
    after = nbformat.read(page, as_version=4)
    assert "Another paragraph." in "".join(cell.source for cell in after.cells)
    assert [cell.get("outputs") for cell in after.cells] == [cell.get("outputs") for cell in before.cells]
    assert [cell.get("execution_count") for cell in after.cells] == [cell.get("execution_count") for cell in before.cells]


def test_words_are_not_stored_beside_outputs_of_other_code(page):
    notebooks.run(page)
    before = page.read_bytes()
    text = notebooks.text_path(page)
    text.write_text(text.read_text(encoding="utf-8").replace('print("hello"', 'print("bye"'), encoding="utf-8")
    with pytest.raises(notebooks.Refused, match="run it"):
        notebooks.store_words(page)
    assert page.read_bytes() == before
