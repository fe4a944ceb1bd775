"""The package as a house: light to import, a module on each floor, every public name explained."""

import ast
import importlib
import inspect
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import unrolled

SOURCE = Path(unrolled.__file__).parent
HEAVY = ["torch", "keras", "jax", "matplotlib", "nbgrader", "sphinx", "sklearn", "statsmodels", "pandas", "scipy", "IPython", "tqdm"]

# A module, or a package with all that is in it, stands on one floor and imports only from floors below.
FLOORS = {
    "language": -1,
    "text": 0,
    "metrics": 0,
    "cells": 0,
    "corpora": 0,
    "plots": 0,
    "answers": 0,
    "quizzes": 0,
    "terminal": 0,
    "course": 0,
    "ngram": 1,
    "training": 1,
    "toy_tasks": 2,
    "verbs": 2,
    "torch_models": 1,
    "seq2seq": 1,
    "jax_models": 1,
    "convert": 2,
    "reference": 1,
    "site": 1,
    "editions": 1,
    "quiz_terminal": 1,
    "joint_ngram": 2,
    "agreement": 2,
    "translation": 2,
    "checks": 2,
    "grading": 3,
    "owndata": 4,
    "yours": 4,
    "cli": 5,
}
# The exceptions: imports within a floor, each with its reason.
NEIGHBOURS = {
    ("torch_models", "training"): "the torch loop returns the same History and raises the same errors as the NumPy loop",
}

MODULES = sorted(
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if "templates" not in path.parts
)


def part_of(module):
    """`corpora` for unrolled.corpora.texts; nothing for the package itself."""
    return module.split(".")[1] if "." in module else ""


def imports_of(path):
    """Modules of the package that a file imports, anywhere in it: (line, dotted name)."""
    package = ["unrolled", *path.relative_to(SOURCE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            # `from . import cells` names a module; `from .cells import sigmoid` a thing in one
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name) for name in names if name.split(".")[0] == "unrolled")


def test_every_module_has_a_floor():
    homeless = {part_of(module) for module in MODULES} - {""} - set(FLOORS)
    assert not homeless, f"Give {homeless} a floor in FLOORS, here and in the design."


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_floors_below(module):
    path = SOURCE.joinpath(*module.split(".")[1:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    own = part_of(module)
    for line, name in imports_of(path):
        other = part_of(name)
        if other not in FLOORS:  # a name of the package itself, such as __version__
            assert hasattr(unrolled, other) or name == "unrolled", f"{path.name}:{line} imports {name}"
        elif other != own and (own, other) not in NEIGHBOURS:
            assert own, f"{path.name}:{line}: the package itself imports {name}"
            assert FLOORS[other] < FLOORS[own], f"{path.name}:{line}: {own} may not import {other}"


def test_the_floors_would_notice_an_import_from_above(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", tmp_path)
    (tmp_path / "corpora").mkdir()
    for path, code, expected in [
        (tmp_path / "cells.py", "def f():\n    from .checks import check", [(2, "unrolled.checks.check")]),
        (tmp_path / "cells.py", "from . import training", [(1, "unrolled.training")]),
        (tmp_path / "corpora" / "texts.py", "from ..grading.wire import send", [(1, "unrolled.grading.wire.send")]),
        (tmp_path / "corpora" / "__init__.py", "from .texts import a", [(1, "unrolled.corpora.texts.a")]),
        (tmp_path / "text.py", "import numpy, unrolled.cli", [(1, "unrolled.cli")]),
    ]:
        path.write_text(code)
        assert list(imports_of(path)) == expected


def test_no_exception_outlives_its_import():
    used = {
        (own, part_of(name))
        for own, _ in NEIGHBOURS
        for _, name in imports_of(SOURCE / f"{own}.py")
        if part_of(name) in FLOORS
    }
    assert set(NEIGHBOURS) <= used


@pytest.mark.parametrize("module", ["unrolled", *(f"unrolled.{name}" for name in (
    "text", "metrics", "cells", "plots", "corpora", "training", "reference", "convert", "checks"))])  # fmt: skip
def test_importing_it_brings_in_nothing_heavy(module):
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["text", "metrics", "cells", "training", "plots", "torch_models", "convert", "reference"])
def test_every_public_name_is_explained(name):
    module = importlib.import_module(f"unrolled.{name}")
    assert module.__doc__
    for public, thing in vars(module).items():
        if public.startswith("_") or inspect.getmodule(thing) is not module or not callable(thing):
            continue
        assert thing.__doc__, f"unrolled.{name}.{public} has no docstring"
        if inspect.isclass(thing):
            for method, function in vars(thing).items():
                if not method.startswith("_") and (inspect.isfunction(function) or isinstance(function, property)):
                    assert function.__doc__, f"unrolled.{name}.{public}.{method} has no docstring"


def test_the_version_is_the_one_that_is_installed():
    from importlib.metadata import version

    assert unrolled.__version__ == version("unrolled")


def test_no_two_test_files_have_the_same_name(course):
    """They are imported by their names alone: of two in one run the second one is an error."""
    names = Counter(path.name for path in (course / "tests").rglob("*.py") if path.name not in ("conftest.py", "__init__.py"))
    assert [name for name, times in names.items() if times > 1] == []
