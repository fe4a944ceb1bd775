"""Only the text that a learner wrote is taken from what was handed in; everything else comes from the release."""

from __future__ import annotations

import copy
import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from unrolled.grading import rebuild


def _cell(grade_id: str, source: str, **meta) -> nbformat.NotebookNode:
    given = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3, **meta}
    make = new_markdown_cell if given.pop("markdown", False) else new_code_cell
    return make(source, id=f"id-{grade_id}", metadata={"nbgrader": {"grade_id": grade_id, **given}})


@pytest.fixture
def release():
    return new_notebook(cells=[
        new_markdown_cell("# Title", id="title"),
        new_code_cell("import numpy as np", id="setup", metadata={"tags": ["setup"]}),
        _cell("f-code", "def f(x):\n    raise NotImplementedError()", solution=True),
        _cell("f", 'check("f", f)', grade=True, locked=True, points=2),
        _cell("g-code", "def g(x):\n    raise NotImplementedError()", solution=True),
        _cell("g", 'check("g", g)', grade=True, locked=True, points=3),
        _cell("why", "Why?", solution=True, grade=True, points=4, markdown=True),
        new_code_cell("show(f, g)", id="closing", metadata={"tags": ["closing"]}),
    ])  # fmt: skip


def _built(release, notebook) -> nbformat.NotebookNode:
    written, _ = rebuild.parse(json.dumps(notebook).encode())
    return rebuild.rebuild(release, written)


def _sources(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells]


def _filled(release, **texts: str):
    notebook = copy.deepcopy(release)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "").replace("-", "_")
        cell.source = texts.get(name, cell.source)
    return notebook


def test_released_notebook_comes_back_as_it_is(release):
    assert _built(release, release) == release


def test_text_of_solution_cells_is_taken(release):
    built = _built(release, _filled(release, f_code="def f(x):\n    return 1", why="Because a < b."))
    assert built.cells[2].source == "def f(x):\n    return 1" and built.cells[6].source == "Because a < b."


def test_text_of_every_other_cell_comes_from_the_release(release):
    changed = copy.deepcopy(release)
    for cell in changed.cells:
        cell.source += " changed"
    courses = [cell for cell in _built(release, changed).cells if not rebuild.is_added(cell) and not rebuild.is_solution(cell)]
    assert courses == [release.cells[i] for i in (0, 1, 3, 5, 7)]


def _added(built) -> list[tuple[int, str]]:
    return [(place, cell.source.replace(rebuild.JOINER, "")) for place, cell in enumerate(built.cells) if rebuild.is_added(cell)]


def test_lines_added_to_a_setup_cell_are_an_added_cell_after_it(release):
    given = copy.deepcopy(release)
    given.cells[1].source = "import math\nimport numpy as np\n# mine"
    built = _built(release, given)
    assert _added(built) == [(2, given.cells[1].source)] and rebuild.released_text(built.cells[2]) == "import numpy as np"


def test_function_written_in_the_cell_of_its_check_is_an_added_cell_before_the_check(release):
    given = _filled(release, f='def f(x):\n    return 1\ncheck("f", f)')
    assert _added(_built(release, given)) == [(3, 'def f(x):\n    return 1\ncheck("f", f)')]


@pytest.mark.parametrize("text", ["import numpy as np\n\n", "# a comment\n  import numpy as np", "", "\n"])
def test_blank_lines_comments_and_missing_lines_in_a_cell_of_the_course_add_nothing(release, text):
    given = copy.deepcopy(release)
    given.cells[1].source = text
    assert _added(_built(release, given)) == []


def test_answer_written_into_a_text_of_the_course_is_shown_after_it(release):
    given = copy.deepcopy(release)
    given.cells[0].source = "# Title\n\nBecause <b>it</b> is so."
    assert _added(_built(release, given)) == [(1, "Because <b>it</b> is so.")]


def test_cell_for_the_learners_eyes_counts_only_where_it_defines_something(release):
    given = copy.deepcopy(release)
    given.cells[7].source = "show(f, g, size=300)"
    assert _added(_built(release, given)) == []
    given.cells[7].source = "def g(x):\n    return 2\nshow(f, g)"
    assert _added(_built(release, given)) == [(8, given.cells[7].source)]


def test_changed_cells_of_the_course_are_named(release, tmp_path):
    given = _filled(release, f='def f(x):\n    return 1\ncheck("f", f)')
    given.cells[0].source += "\nBecause."
    (tmp_path / "x.ipynb").write_text(json.dumps(given))
    notes = rebuild.of_file(release, tmp_path / "x.ipynb").notes
    assert [note.split(" was changed")[0] for note in notes] == [
        "The course's text that begins with “# Title”", 'The course\'s cell that begins with “check("f", f)”',
    ]  # fmt: skip
    assert rebuild.of_file(release, _saved(tmp_path, release)).notes == []


@pytest.mark.parametrize("site", ["https://example.org/course", None])
def test_copy_that_start_made_changes_no_cell_of_the_course(course, tmp_path, monkeypatch, site):
    from unrolled import course as courses

    monkeypatch.setattr(courses, "site_address", lambda: site)
    for name in sorted(path.name for path in (course / "assignments").iterdir() if path.is_dir()):
        release = nbformat.read(course / "assignments" / name / f"{name}.ipynb", as_version=4)
        for where in (course, None):
            for cell in release.cells:
                if cell.cell_type == "markdown":
                    copied = courses._link_again(cell.source, tmp_path, where)
                    assert rebuild._lines_beyond(copied, cell.source, code=False) == [], copied


def _saved(folder, notebook):
    path = folder / "untouched.ipynb"
    path.write_text(json.dumps(notebook))
    return path


def test_metadata_outputs_and_types_come_from_the_release(release):
    hostile = copy.deepcopy(release)
    hostile.metadata["kernelspec"] = {"name": "bash"}
    for i, cell in enumerate(hostile.cells):
        cell.metadata["tags"] = ["skip-execution", "setup"]
        cell.cell_type = "markdown"
        cell.outputs = [{"output_type": "execute_result"}]
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"].update(points=99, schema_version=9, grade=False)
    built = _built(release, hostile)
    assert built == release


def test_added_cells_keep_their_place(release):
    given = _filled(release, f_code="def f(x): return help_f(x)")
    given.cells.insert(2, new_code_cell("def help_f(x): return x"))
    given.cells.insert(5, new_code_cell("f(3)"))
    built = _built(release, given)
    assert _sources(built)[2:6] == ["def help_f(x): return x", "def f(x): return help_f(x)", 'check("f", f)', "f(3)"]
    assert rebuild.is_added(built.cells[2]) and rebuild.is_added(built.cells[5])


def test_moved_test_cells_are_judged_where_the_release_has_them(release):
    moved = copy.deepcopy(release)
    moved.cells = moved.cells[::-1]
    assert _built(release, moved) == release


def test_second_copy_of_a_cell_is_an_added_cell_that_runs_after_the_first(release):
    given = _filled(release, f_code="def f(x): return 1")
    copied = copy.deepcopy(given.cells[2])
    copied.source = "def f(x): return 2"
    given.cells.insert(3, copied)
    assert _sources(_built(release, given))[2:5] == ["def f(x): return 1", "def f(x): return 2", 'check("f", f)']


def test_deleted_cells_are_restored_and_a_deleted_solution_is_said_to_be_missing(release):
    given = copy.deepcopy(release)
    given.cells = given.cells[:1]
    built = _built(release, given)
    assert [c.metadata for c in built.cells] == [c.metadata for c in release.cells]
    assert built.cells[2].source == rebuild.ABSENT and built.cells[6].source == ""


def test_work_without_metadata_is_found_by_id_text_or_the_function_it_defines(release):
    given = _filled(release, f_code="import math\ndef f(x):\n    return math.pi", g_code="def g(x): return 2")
    for cell in given.cells:
        cell.metadata = {}
        del cell["id"]
    built = _built(release, given)
    assert built.cells[2].source.endswith("math.pi") and built.cells[4].source == "def g(x): return 2"
    assert len(built.cells) == len(release.cells)


def test_html_in_a_learners_markdown_becomes_text(release):
    why, image = "a <script>alert(1)</script> b < c", "<img src=x onerror=alert(1)>"
    given = _filled(release, why=why)
    given.cells.append(new_markdown_cell(image))
    built = _built(release, given)
    shown = [MarkdownIt("commonmark").render(cell.source) for cell in (built.cells[6], built.cells[-1])]
    assert not any("<script" in page or "<img" in page for page in shown)
    assert [cell.source.replace(rebuild.JOINER, "") for cell in (built.cells[6], built.cells[-1])] == [why, image]


def test_older_format_is_read(release):
    cells = [
        {"cell_type": "code", "input": c.source if c.source != release.cells[2].source else ["def f(x):\n", "    return 1"], "metadata": dict(c.metadata)}
        for c in release.cells
    ]
    written, _ = rebuild.parse(json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}).encode())
    assert rebuild.rebuild(release, written).cells[2].source == "def f(x):\n    return 1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_strange_encoding_is_read(release, encoding):
    text = json.dumps(_filled(release, f_code="def f(x):\n    return 'é'"), ensure_ascii=False)
    written, notes = rebuild.parse(text.encode(encoding))
    assert rebuild.rebuild(release, written).cells[2].source.endswith("'é'")
    assert bool(notes) == (encoding == "latin-1")


@pytest.mark.parametrize("data, says", [
    (b"", "is empty"), (b"  \n", "is empty"), (b"hello", "not JSON"), (b'{"cells": [', "damaged"), (b"[]", "no list of cells"),
    (b'{"cells": 3}', "no list of cells"), (b"[" * 100_000, "not JSON"), (b'{"a":' * 50_000, "damaged"), (b"\x00" * 100, "not JSON"),
    (json.dumps({"cells": [{}] * 3000}).encode(), "3000 cells"),
    (json.dumps({"cells": [{"source": "x" * 3_000_000}]}).encode(), "characters"),
])  # fmt: skip
def test_what_is_no_notebook_is_refused_with_the_reason(data, says):
    with pytest.raises(rebuild.Unusable, match=says):
        rebuild.parse(data)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["cells", "source", "metadata", "nbgrader", "grade_id", "id"]), inner)
    ),
)


@given(st.lists(JSON, max_size=4))
def test_cells_of_any_form_are_rebuilt_into_a_valid_notebook(cells):
    release = new_notebook(cells=[_cell("f-code", "def f(x): pass", solution=True), _cell("f", "check", grade=True, locked=True, points=2)])
    try:
        written, _ = rebuild.parse(json.dumps({"cells": cells}).encode())
    except rebuild.Unusable:
        return
    built = rebuild.rebuild(release, written)
    nbformat.validate(built)
    nbformat.writes(built).encode("utf-8")
    assert [c.metadata.nbgrader.grade_id for c in built.cells if "nbgrader" in c.metadata] == ["f-code", "f"]


def test_links_second_names_and_missing_files_are_refused(tmp_path):
    folder = tmp_path / "student" / "assignment"
    folder.mkdir(parents=True)
    target = tmp_path / "secret.ipynb"
    target.write_text("{}")
    (folder / "link.ipynb").symlink_to(target)
    (folder / "second.ipynb").hardlink_to(target)
    for name, says in (("link.ipynb", "is a link"), ("second.ipynb", "second name"), ("none.ipynb", "No notebook")):
        with pytest.raises(rebuild.Unusable, match=says):
            rebuild.read_file(folder / name)
    (tmp_path / "other").symlink_to(folder.parent)
    with pytest.raises(rebuild.Unusable, match="is a link"):
        rebuild.read_file(tmp_path / "other" / "assignment" / "none.ipynb")


def test_texts_that_take_parsers_minutes_are_cut_or_refused(release):
    built = _built(release, _filled(release, why="\\begin{a}" * 5000))
    assert built.cells[6].source.endswith("(cut off here: too long)") and len(built.cells[6].source) < 1.1 * rebuild.MAX_MARKDOWN
    many = copy.deepcopy(release)
    many.cells += [new_markdown_cell("$a" * 4000) for _ in range(20)]
    assert sum(len(cell.source) for cell in _built(release, many).cells if cell.cell_type == "markdown") < 1.1 * rebuild.MAX_PROSE
    with pytest.raises(rebuild.Unusable, match="characters of text"):
        _built(release, _filled(release, f_code="(" * (rebuild.MAX_TEXT + 1)))
    with pytest.raises(rebuild.Unusable, match="cells"):
        rebuild.parse(json.dumps({"cells": [{}] * (rebuild.MAX_CELLS + 1)}).encode())


def test_function_is_found_in_a_text_that_no_parser_reads():
    assert rebuild.defined_in("(" * 10_000 + "\ndef f(x):\n  def g(): pass\nclass A: pass\nasync def h(): pass") == {"f", "A", "h"}
