"""`unrolled package`: what of a learner's notebooks comes into work/mine, and what is said of the rest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from unrolled.yours import package
from unrolled.yours.statements import needed, read

NUMPY = "import numpy as np\nfrom unrolled.checks import check"
STEP = "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    return np.tanh(X_t @ W_xh + H_prev @ W_hh + b_h)"
STUB = "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    raise NotImplementedError()"
LOGITS = "def output_logits(H, W_hq, b_q):\n    return H @ W_hq + b_q"
CHECK = 'check("rnn_step", rnn_step)'


def notebook(path: Path, *cells: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": cell} for cell in cells]
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    return path


@pytest.fixture
def work(tmp_path) -> Path:
    return tmp_path / "work"


def packed(work: Path, *cells: str) -> package.Packed:
    notebook(work / "02-rnn-forward" / "02-rnn-forward.ipynb", *cells)
    return package.pack(work)


def text_of(found: package.Packed) -> str:
    return (found.folder / f"{found.modules[0].name}.py").read_text(encoding="utf-8")


def outside(work: Path, code: str) -> str:
    """What code prints that uses the package, in a Python of its own."""
    done = subprocess.run([sys.executable, "-c", code], cwd=work, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_function_that_passes_can_be_imported_from_mine(work):
    packed(work, NUMPY, STEP, CHECK)
    assert outside(work, "from mine import rnn_step; import numpy as np; print(rnn_step(*[np.zeros((1, 1))] * 4, np.zeros(1)))") == "[[0.]]\n"


def test_code_and_comments_stand_as_they_were_written(work):
    cell = "# the state that comes next\n" + STEP.replace("    return", "    # both products\n    return") + "\n    # nothing below"
    assert cell in text_of(packed(work, NUMPY, cell, CHECK))


def test_a_function_that_fails_is_left_out_with_the_reason(work):
    found = packed(work, NUMPY, STEP, LOGITS.replace("+ b_q", "- b_q"))
    assert found.tasks == ["rnn_step"]
    assert "stops at" in found.left["output_logits"]
    assert "output_logits" not in text_of(found)


def test_a_function_that_is_not_written_is_said_to_be_so(work):
    assert packed(work, NUMPY, LOGITS, STUB).left["rnn_step"] == "not written yet"


def test_a_helper_in_another_cell_comes_along(work):
    found = packed(work, NUMPY, "def squash(x):\n    return np.tanh(x)", STEP.replace("np.tanh", "squash"), CHECK)
    assert found.tasks == ["rnn_step"] and "def squash" in text_of(found)


def test_a_helper_of_a_helper_comes_along_and_nothing_else(work):
    cells = "def tanh(x):\n    return np.tanh(x)", "def squash(x):\n    return tanh(x)", "def unused():\n    return 1", STEP.replace("np.tanh", "squash")
    text = text_of(packed(work, NUMPY, *cells))
    assert "def tanh" in text and "unused" not in text


def test_a_value_from_outside_comes_along_and_is_named(work):
    found = packed(work, NUMPY, "scale = 2\nscale /= 2", STEP.replace("b_h)", "b_h) * scale", 2).replace("b_h) * scale:", "b_h):"), CHECK)
    assert found.tasks == ["rnn_step"]
    assert "scale /= 2" in text_of(found)
    assert any("uses scale from outside" in note for note in found.notes)


def test_a_table_that_other_cells_fill_comes_along_filled(work):
    found = packed(work, NUMPY, "table = {}", "table['squash'] = np.tanh", STEP.replace("np.tanh(", "table['squash']("), CHECK)
    assert found.tasks == ["rnn_step"]


def test_a_value_that_no_cell_gives_is_named(work):
    found = packed(work, NUMPY, LOGITS, STEP.replace("+ b_h)", "+ b_h + shift)"))
    assert "shift" in found.left["rnn_step"] and "No cell gives shift a value" in found.left["rnn_step"]


def test_a_function_that_is_wrapped_below_is_packed_wrapped(work):
    wrap = "def double_free(f):\n    return lambda *a: f(*a)", "rnn_step = double_free(rnn_step)"
    found = packed(work, NUMPY, STEP, *wrap, CHECK)
    assert found.tasks == ["rnn_step"] and "rnn_step = double_free(rnn_step)" in text_of(found)


def test_a_decorator_and_a_default_value_come_along(work):
    cells = "import functools\nZERO = 0", "def same(f):\n    return functools.wraps(f)(lambda *a: f(*a))", "@same\n" + STEP.replace("b_h):", "b_h, z=ZERO):")
    assert packed(work, NUMPY, *cells, CHECK).tasks == ["rnn_step"]


def test_a_broken_redefinition_below_the_check_does_not_replace_what_passed(work):
    found = packed(work, NUMPY, STEP, CHECK, STEP.replace("+ b_h", "- b_h"))
    assert found.tasks == ["rnn_step"] and "+ b_h" in text_of(found)
    assert any("changes below its check" in note for note in found.notes)


def test_a_stub_that_was_copied_below_does_not_replace_what_passed(work):
    assert packed(work, NUMPY, STEP, CHECK, STUB).tasks == ["rnn_step"]


def test_of_several_definitions_that_pass_the_last_is_taken_and_told(work):
    found = packed(work, NUMPY, STEP, CHECK, STEP.replace("X_t @ W_xh", "np.dot(X_t, W_xh)"))
    assert "np.dot(X_t, W_xh)" in text_of(found)
    assert any("defined more than once" in note for note in found.notes)


def test_two_helpers_of_one_name_serve_each_the_function_that_needs_it(work):
    first = "def helper(x):\n    return np.tanh(x)", STEP.replace("np.tanh", "helper"), CHECK
    second = "def helper(x):\n    return x", LOGITS.replace("return H @ W_hq + b_q", "return helper(H @ W_hq + b_q)"), 'check("output_logits", output_logits)'
    assert packed(work, NUMPY, *first, *second).tasks == ["rnn_step", "output_logits"]


def test_magics_are_left_out(work):
    cells = "%matplotlib inline\n!echo hello\n" + NUMPY, "%%time\n" + STEP, "%timeit rnn_step", "%%bash\nexit 1", "rnn_step??"
    found = packed(work, *cells, CHECK)
    assert found.tasks == ["rnn_step"] and "%" not in text_of(found)


def test_a_cell_that_is_no_python_costs_only_itself_and_is_named(work):
    found = packed(work, NUMPY, STEP, "def output_logits(H W_hq):\n    pass")
    assert found.tasks == ["rnn_step"]
    assert any("Cell 3" in note and "output_logits" in note for note in found.notes)


def test_cells_that_no_function_needs_are_not_run(work):
    found = packed(work, NUMPY, STEP, "while True:\n    pass", "raise SystemExit", "open('trace', 'w')")
    assert found.tasks == ["rnn_step"]
    assert not list(work.rglob("trace"))


def test_a_function_that_ends_python_costs_only_itself(work):
    ends = "import os\ndef one_hot(ids, V):\n    os._exit(0)"
    found = packed(work, NUMPY, ends, STEP, LOGITS)
    assert found.tasks == ["rnn_step", "output_logits"]
    assert "ended Python" in found.left["one_hot"]


def test_a_value_whose_making_fails_costs_only_what_needs_it(work):
    found = packed(work, NUMPY, "file = open('/no/such/file').read()", STEP.replace("+ b_h)", "+ b_h + len(file))"), LOGITS)
    assert found.tasks == ["output_logits"]
    assert "FileNotFoundError" in found.left["rnn_step"]


def test_imports_stand_first_sorted_and_only_those_that_are_needed(work):
    cells = "import numpy as np", "import matplotlib.pyplot as plt\nfrom collections import Counter, deque", STEP, "import math"
    needs = LOGITS.replace("return", "assert math.e and deque()is not None\n    return")
    lines = text_of(packed(work, *cells, needs)).splitlines()
    code = [line for line in lines if not line.startswith("#")]
    assert [line for line in code if "import" in line] == ["from collections import deque", "import math", "import numpy as np"]


def test_names_from_a_star_import_are_found(work):
    assert packed(work, "from numpy import *", STEP.replace("np.tanh", "tanh")).tasks == ["rnn_step"]


def test_a_class_that_a_function_uses_comes_along(work):
    cells = "class Squash:\n    scale = one\n    def __call__(self, x):\n        return np.tanh(x) * self.scale", STEP.replace("np.tanh(", "Squash()(")
    assert packed(work, NUMPY, "one = 1", *cells).tasks == ["rnn_step"]


def test_a_function_under_a_condition_is_found(work):
    cell = "try:\n    from nowhere import tanh\nexcept ImportError:\n    tanh = np.tanh"
    assert packed(work, NUMPY, cell, STEP.replace("np.tanh", "tanh")).tasks == ["rnn_step"]


# --- Several notebooks -------------------------------------------------------------------------


def test_a_notebook_from_the_downloads_adds_what_is_missing(work, tmp_path):
    notebook(work / "02-rnn-forward" / "02-rnn-forward.ipynb", NUMPY, STEP)
    downloaded = notebook(tmp_path / "downloads" / "02-rnn-forward (1).ipynb", NUMPY, STUB, LOGITS)
    assert package.pack(work, [downloaded]).tasks == ["rnn_step", "output_logits"]


def test_a_notebook_that_is_damaged_is_named_and_the_others_are_packed(work):
    (work / "05-lstm").mkdir(parents=True)
    (work / "05-lstm" / "05-lstm.ipynb").write_text('{"cells": [')
    found = packed(work, NUMPY, STEP)
    assert found.tasks == ["rnn_step"]
    assert any("05-lstm.ipynb" in note and "save it again" in note for note in found.notes)


def test_saved_copies_in_hidden_folders_are_not_looked_at(work):
    notebook(work / ".ipynb_checkpoints" / "02-rnn-forward-checkpoint.ipynb", NUMPY, LOGITS)
    assert packed(work, NUMPY, STEP).tasks == ["rnn_step"]


# --- Bad input, and what was there before ------------------------------------------------------


def test_without_a_work_folder_one_sentence_says_what_to_do(work):
    with pytest.raises(package.PackageError, match="unrolled start"):
        package.pack(work)
    assert not work.exists()


def test_a_file_that_is_not_there_is_named(work, tmp_path):
    with pytest.raises(package.PackageError, match="nowhere.ipynb"):
        package.pack(work, [tmp_path / "nowhere.ipynb"])


def test_where_nothing_passes_nothing_is_written(work):
    with pytest.raises(package.PackageError, match="rnn_step: not written yet"):
        packed(work, NUMPY, STUB)
    assert sorted(path.name for path in work.iterdir()) == ["02-rnn-forward"]


def test_packing_again_shows_what_changed_and_keeps_the_old_package(work):
    old = packed(work, NUMPY, STEP)
    before = text_of(old)
    new = packed(work, NUMPY, STEP, LOGITS)
    assert "+def output_logits(H, W_hq, b_q):" in new.diff
    assert (new.kept / "a02_rnn_forward.py").read_text(encoding="utf-8") == before


def test_packing_the_same_again_changes_nothing(work):
    packed(work, NUMPY, STEP)
    again = packed(work, NUMPY, STEP)
    assert again.unchanged and again.kept is None
    assert sorted(path.name for path in work.iterdir()) == ["02-rnn-forward", "mine"]


def test_a_folder_mine_of_the_learners_own_is_not_touched(work):
    (work / "mine").mkdir(parents=True)
    (work / "mine" / "diary.txt").write_text("dear diary")
    with pytest.raises(package.PackageError, match="move it away"):
        packed(work, NUMPY, STEP)
    assert [path.name for path in (work / "mine").iterdir()] == ["diary.txt"]


def test_a_write_that_is_interrupted_leaves_the_old_package(work, monkeypatch):
    packed(work, NUMPY, STEP)
    rename = Path.rename

    def interrupted(path, target):
        if Path(target) == work / "mine" and path.parent != work:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        packed(work, NUMPY, STEP, LOGITS)
    monkeypatch.undo()
    assert package.read_record(work / "mine")["tasks"].keys() == {"rnn_step"}
    assert sorted(path.name for path in work.iterdir()) == ["02-rnn-forward", "mine"]


def test_the_day_on_which_a_task_first_passed_stays(work):
    packed(work, NUMPY, STEP)
    file = work / "mine" / "record.json"
    file.write_text(file.read_text().replace(package.read_record(work / "mine")["tasks"]["rnn_step"]["since"], "2026-01-02"))
    packed(work, NUMPY, STEP, LOGITS)
    assert package.read_record(work / "mine")["tasks"]["rnn_step"]["since"] == "2026-01-02"


# --- What a function needs, in detail ----------------------------------------------------------


def needs(tmp_path, *cells: str) -> list[str]:
    found = read(notebook(tmp_path / "n.ipynb", *cells))
    return [s.text for s in sorted(needed(found, "f").statements, key=lambda s: s.place)]


def test_what_is_read_while_a_cell_runs_is_what_stood_above_it(tmp_path):
    assert needs(tmp_path, "k = 1", "a = k", "k = 2", "def f():\n    return a") == ["k = 1", "a = k", "def f():\n    return a"]


def test_what_a_function_reads_is_what_stands_at_the_end(tmp_path):
    assert needs(tmp_path, "k = 1", "def f():\n    return k", "k = 2") == ["def f():\n    return k", "k = 2"]


def test_two_statements_in_one_line_are_taken_apart(tmp_path):
    assert needs(tmp_path, "a = 1; b = 2", "def f():\n    return b") == ["b = 2", "def f():\n    return b"]


def test_names_of_a_functions_own_are_not_looked_for_outside(tmp_path):
    cells = "x = 1", "rows = 2", "def f(x):\n    rows = [x for x in x]\n    def g():\n        return rows\n    return g"
    assert needs(tmp_path, *cells) == [cells[-1]]
