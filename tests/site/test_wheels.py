"""The wheels that a page's Python gets."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

from unrolled.site import wheels


@pytest.fixture(scope="module")
def course_wheel(tmp_path_factory):
    return wheels.course_wheel(tmp_path_factory.mktemp("wheel"), wheels.course_data())


def run(wheel, code):
    """Run Python with the wheel first on its path. Returns what it printed."""
    done = subprocess.run([sys.executable, "-c", f"import sys\nsys.path.insert(0, {str(wheel)!r})\n{code}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_same_files_give_the_same_wheel(tmp_path):
    files = {"a.py": b"1", "b/c.py": b"2"}
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    first, second = (wheels.write_wheel(tmp_path / folder, "a", "1", dict(files)).read_bytes() for folder in ("1", "2"))
    assert first == second


def test_the_course_wheel_is_light(course_wheel):
    assert course_wheel.stat().st_size < 2e6


def test_the_course_wheel_holds_nothing_of_grading_or_sphinx(course_wheel):
    names = zipfile.ZipFile(course_wheel).namelist()
    assert not [name for name in names if name.startswith(("unrolled/grading", "unrolled/site"))]


def test_the_manual_comes_with_its_version_and_its_licence(course_wheel):
    archive = zipfile.ZipFile(course_wheel)
    assert archive.read("unrolled/carried/data/python_manual.txt").startswith(b"CPython 3.")
    assert b"PYTHON SOFTWARE FOUNDATION LICENSE" in archive.read("unrolled/carried/data/python_manual.LICENSE").upper()


def test_corpora_are_the_same_where_their_libraries_are_missing(course_wheel, tmp_path):
    with zipfile.ZipFile(course_wheel) as archive:
        archive.extractall(tmp_path)
    hidden = "import hashlib; [sys.modules.__setitem__(name, None) for name in ('sklearn', 'statsmodels', 'pydoc_data', 'pydoc_data.topics')]; "
    digest = (
        "from unrolled import corpora; print(hashlib.sha256(b''.join(a.tobytes() for a in (corpora.digits().images, corpora.digits().labels, "
        "*corpora.sunspots(), *corpora.co2()))).hexdigest(), hashlib.sha256(corpora.python_manual().encode()).hexdigest(), corpora.python_manual_version())"
    )
    import unrolled

    installed = str(wheels.PACKAGE.parent)
    assert unrolled.__file__.startswith(installed)
    assert run(tmp_path, hidden + digest) == run(installed, "import hashlib; " + digest)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stand-in")
    with zipfile.ZipFile(wheels.stand_in_wheel(folder, "torch")) as archive:
        archive.extractall(folder)
    return folder


def test_a_stand_in_can_be_imported_with_its_parts(stand_in):
    assert run(stand_in, "import torch; from torch.nn.utils.rnn import pad_sequence; import torch.nn as nn; print('ok')") == "ok"


@pytest.mark.parametrize("use", ["torch.tensor([1])", "torch.nn.LSTM(2, 3)", "torch.float64.itemsize", "pad_sequence([])", "1 | torch.FORMAT", "2 * torch.inf", "[*torch.things]"])
def test_using_a_stand_in_says_what_is_missing(stand_in, use):
    code = f"import torch; from torch.nn.utils.rnn import pad_sequence\ntry: {use}\nexcept ModuleNotFoundError as error: print(error)"
    assert run(stand_in, code).endswith("run this cell with Python on your machine. Cells that do without torch run here.")
