"""The wheel in an empty environment, in an empty folder: what it declares is enough to start an assignment, check it and take a quiz."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

HEAVY = ("torch", "scipy", "matplotlib", "pandas", "tqdm", "nbgrader", "IPython", "sklearn")

pytestmark = pytest.mark.slow


def declared(requirement: str, found: dict[str, importlib.metadata.Distribution]) -> dict[str, importlib.metadata.Distribution]:
    """A distribution of this environment and all that it needs, by name; extras and other platforms' needs are left out."""
    name = re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")
    if name not in found and "extra ==" not in requirement:
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:  # what is needed on another platform, or by an older Python
            assert ";" in requirement, requirement
            return found
        for needed in found[name].requires or []:
            declared(needed, found)
    return found


@pytest.fixture(scope="module")
def wheel(course, tmp_path_factory) -> Path:
    """The package built from a copy of its sources, so that nothing is left in the checkout."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "_toc.yml"):
        shutil.copy(course / name, source)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
    for name in ("src", "assignments", "book/quizzes"):
        shutil.copytree(course / name, source / name, ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(target.glob("unrolled-*.whl"))


@pytest.fixture(scope="module")
def light(wheel, tmp_path_factory) -> Path:
    """The folder of programs of an environment that holds the wheel and what it declares, taken from this environment."""
    home = tmp_path_factory.mktemp("light")
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    site = next(home.glob("lib/python*/site-packages")) if os.name != "nt" else home / "Lib" / "site-packages"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    metadata = next(site.glob("unrolled-*.dist-info"))
    needed: dict[str, importlib.metadata.Distribution] = {}
    for requirement in importlib.metadata.Distribution.at(metadata).requires:
        declared(requirement, needed)
    for distribution in needed.values():
        for top in {file.parts[0] for file in distribution.files if file.parts[0] not in ("..", "__pycache__")}:
            if not (site / top).exists():
                (site / top).symlink_to(distribution.locate_file(top))
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    program = programs / "unrolled"
    program.write_text(f"#!{programs / 'python'}\nfrom unrolled.cli import main\nmain()\n")
    program.chmod(0o755)
    return programs


@pytest.fixture
def run(light, tmp_path):
    """run(*command, stdin=...): a program of the light environment, in an empty folder, without a checkout around."""
    folder = tmp_path / "empty"
    folder.mkdir()

    def done(*command: str, stdin: str = "", ok: bool = True, **environment: str) -> subprocess.CompletedProcess:
        kept = {"PATH": str(light), "HOME": str(tmp_path), "UNROLLED_STATE": str(tmp_path / "state"), "LANG": "C.UTF-8"}
        found = subprocess.run(
            [str(light / command[0]), *command[1:]], cwd=folder, env=kept | environment, input=stdin, capture_output=True, text=True
        )
        assert not ok or found.returncode == 0, found.stdout + found.stderr
        return found

    done.folder = folder
    return done


def test_the_environment_is_light(run):
    code = f"import importlib.util; print([name for name in {HEAVY} if importlib.util.find_spec(name)])"
    assert run("python", "-c", code).stdout.strip() == "[]"


def test_the_wheel_carries_every_assignment_and_quiz(wheel, course):
    held = {name.removeprefix("unrolled/carried/") for name in zipfile.ZipFile(wheel).namelist() if "/carried/" in name}
    wanted = [*course.glob("assignments/**/*.ipynb"), *course.glob("book/quizzes/**/*.yml")]
    assert held == {path.relative_to(course).as_posix() for path in wanted} | {"_toc.yml", "book/quizzes/version-1.json"}
    assert not [name for name in held if "solution" in name]


def test_start_puts_a_copy_into_an_empty_folder(run):
    said = run("unrolled", "start", "2").stdout
    notebook = run.folder / "work" / "02-rnn-forward" / "02-rnn-forward.ipynb"
    assert notebook.exists() and f"--notebook-dir={run.folder}" in said
    text = "".join("".join(cell["source"]) for cell in json.loads(notebook.read_text())["cells"])
    assert "](../" not in text  # there is no book that links could lead to
    assert "Read: “Two equations” in the book's page recurrence/rnn" in text


def test_start_links_to_the_published_book_when_there_is_one(run):
    run("unrolled", "start", "lstm", UNROLLED_SITE="https://example.org/unrolled/")
    text = (run.folder / "work" / "05-lstm" / "05-lstm.ipynb").read_text()
    assert "(https://example.org/unrolled/book/gates/lstm.html#gates)" in text and "](../" not in text


def test_the_setup_cell_of_every_assignment_runs(run, course):
    for path in sorted(course.glob("assignments/**/*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        setup = next("".join(cell["source"]) for cell in cells if "setup" in cell["metadata"].get("tags", []))
        run("python", "-c", setup)


def test_every_check_passes_with_the_model_answers(run, course):
    """As learners run them: the functions of a notebook in one process, each checked where its test cell stands."""
    checked = 0
    for path in sorted(course.glob("solutions/*/*.ipynb")):
        cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        kept = [cell for cell in cells if "nbgrader" in cell["metadata"]]
        said = run("python", "-c", "\n\n".join("".join(cell["source"]) for cell in kept)).stdout
        assert said.count("all passed") == said.count("judged by"), said
        checked += said.count("all passed")
    assert checked == 40


def test_a_wrong_answer_is_explained(run):
    wrong = (
        "import numpy as np\nfrom unrolled.checks import check\n"
        "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    return np.tanh(X_t @ W_xh + H_prev @ W_hh.T + b_h)\n"
        "check('rnn_step', rnn_step)"
    )
    found = run("python", "-c", wrong, ok=False)
    assert "W_hh transposed" in found.stdout and "recorded results of torch" in found.stdout


def test_a_quiz_is_asked(run):
    assert "lstm" in run("unrolled", "quiz").stdout
    assert "Question 1 of" in run("unrolled", "quiz", "RNN", stdin="q\n").stdout


def test_functions_that_pass_are_packed(run):
    notebook = run.folder / "work" / "02-rnn-forward" / "02-rnn-forward.ipynb"
    notebook.parent.mkdir(parents=True)
    code = "import numpy as np\ndef output_logits(H, W_hq, b_q):\n    return H @ W_hq + b_q"
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": code}
    notebook.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    assert re.search(r"^1 of \d+ functions pass", run("unrolled", "package").stdout, re.MULTILINE)
    assert run("python", "-c", "import sys; sys.path.append('work'); from mine import output_logits").returncode == 0
