"""Builds the workshop: JupyterLite with a kernel of Pyodide, the course's wheel, and notebooks. A folder of plain files.

What does not depend on the course, JupyterLite itself and Pyodide, is built once on a machine and kept in the user's cache. What does, is
put beside it. A folder that holds just this already is left alone.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from . import bytecode, pyodide, wheels
from .words import _

KERNEL_EXTENSION = "@jupyterlite/pyodide-kernel-extension"
APPS = ("notebooks", "tree")
AUTOSAVE_SECONDS = 3
# What says nothing to a learner, or what is wrong here: a checkpoint of 26 years ago, and that a notebook of the course is not trusted.
LEFT_OUT = ("@jupyter-notebook/notebook-extension:checkpoints", "@jupyter-notebook/notebook-extension:trusted")
SHORT_SECONDS = 20
SHORT_RUN = _("""\
# The next cell takes about {seconds} seconds in the browser. For a short run, remove the # of the line below and run this cell first: a training
# then stops after {short} seconds, its numbers differ from those of the page, and an assert that follows may fail.
# %env UNROLLED_SHORT_RUN={short}
""")
STAMP = "workshop.json"
SMALL = ("comm",)  # of pure Python, not among Pyodide's, and needed by the kernel
# All that a kernel of Pyodide loads when it starts, and what a notebook imports first. Named, they are fetched side by side; else one after the other.
AT_START = ("micropip", "piplite", "ssl", "sqlite3", "ipykernel", "comm", "pyodide_kernel", "jedi", "ipython", "numpy", "unrolled")
HOLLOW = ("ssl",)  # the kernel asks for it, 2.1 MB with what it needs, and does without: no page reaches another machine
START = Path(__file__).with_name("start.js")
EARLY = Path(__file__).with_name("early.js")


class NoWorkshop(Exception):
    """The workshop can't be built here; the message says why, in a sentence."""


def build(notebooks: dict[str, Path], target: Path, long: dict[str, dict[int, int]] | None = None) -> bool:
    """Put the workshop with these notebooks, by name, into a folder. False when it was there already. Raises NoWorkshop.

    long: of notebooks with cells that take long in a page, the seconds of each by its number among the code cells, from 1.
    """
    long = long or {}
    missing = [name for name in ("jupyterlite-core", "jupyterlite-pyodide-kernel", "jupyter-server", "comm") if not _version(name)]
    if missing:
        raise NoWorkshop(f"{missing[0]} is not installed: python -m pip install -c constraints.txt -e '.[try]'")
    key = _key(notebooks, long)
    if (target / STAMP).is_file() and json.loads((target / STAMP).read_text(encoding="utf-8")).get("key") == key:
        return False
    cache = user_cache_path("unrolled")
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "workshop.lock", timeout=600):
        try:
            core = pyodide.fetch(cache)
        except pyodide.Unreachable as error:
            raise NoWorkshop(str(error)) from None
        shell = _shell(cache)
        data = _data(cache)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".workshop-") as beside:
            whole = Path(beside) / "try"
            shutil.copytree(shell, whole)
            _add_pyodide(whole, core, data, cache)
            add_notebooks(whole, notebooks, long)
            _add_stamp(whole, key)
            shutil.rmtree(target, ignore_errors=True)
            whole.chmod(0o755)
            whole.rename(target)
    return True


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _key(notebooks: dict[str, Path], long: dict[str, dict[int, int]]) -> str:
    """A hash of everything that the workshop is made of."""
    digest = hashlib.sha256(json.dumps(long, sort_keys=True).encode())
    for name, path in sorted(notebooks.items()):
        digest.update(name.encode() + path.read_bytes())
    for path in sorted(wheels.PACKAGE.rglob("*")):
        if path.is_file() and path.suffix != ".pyc" and "grading" not in path.parts:
            digest.update(path.relative_to(wheels.PACKAGE).as_posix().encode() + path.read_bytes())
    versions = [_version(name) for name in ("jupyterlite-core", "jupyterlite-pyodide-kernel", *SMALL, "scikit-learn", "statsmodels")]
    digest.update(json.dumps([versions, sys.version, bytecode.node() is not None]).encode())
    return digest.hexdigest()


# --- What does not depend on the course ----------------------------------------------------------


def _shell(cache: Path) -> Path:
    """JupyterLite, built by its own command without source maps, in the cache."""
    names = [_version("jupyterlite-core"), _version("jupyterlite-pyodide-kernel"), hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]]
    shell = cache / f"jupyterlite-{'-'.join(names)}"
    if shell.is_dir():
        return shell
    with tempfile.TemporaryDirectory(dir=cache) as beside:
        folder = Path(beside)
        (folder / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": _build_settings()}), encoding="utf-8")
        (folder / "jupyter-lite.json").write_text(json.dumps(_site_settings()), encoding="utf-8")
        (folder / "overrides.json").write_text(json.dumps(_user_settings()), encoding="utf-8")
        command = [sys.executable, "-m", "jupyterlite_core", "build", "--output-dir", "out"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
        if done.returncode:
            raise NoWorkshop(f"JupyterLite could not be built: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
        out = folder / "out"
        for path in [*out.rglob("*.map"), *out.rglob("fa-*.svg")]:  # the icons are in the woff2 files, too
            path.unlink()
        out.rename(shell)
    return shell


def _data(cache: Path) -> Path:
    """The corpora that other libraries bundle, as files, in the cache: those libraries take seconds to load."""
    digest = hashlib.sha256(json.dumps([_version("scikit-learn"), _version("statsmodels"), _version("numpy"), sys.version]).encode())
    for path in sorted((wheels.PACKAGE / "corpora").glob("*.py")):
        digest.update(path.read_bytes())
    folder = cache / f"corpora-{digest.hexdigest()[:16]}"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=cache) as beside:
            whole = Path(beside) / "whole"
            whole.mkdir()
            for name, content in wheels.course_data().items():
                (whole / name).write_bytes(content)
            whole.rename(folder)
    return folder


def _build_settings() -> dict:
    found = importlib.metadata.distribution("jupyterlite-pyodide-kernel")
    extension = next(Path(found.locate_file(path)).resolve().parent for path in found.files or [] if str(path).endswith(f"{KERNEL_EXTENSION}/package.json"))
    return {
        "apps": list(APPS), "no_sourcemaps": True, "ignore_sys_prefix": ["federated_extensions"], "federated_extensions": [str(extension)],
    }  # fmt: skip


def _site_settings() -> dict:
    kernel = {
        "pyodideUrl": f"./static/pyodide/{START.name}",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"lockFileURL": "./static/pyodide/pyodide-lock.json", "packages": list(AT_START)},
    }
    settings = {
        "appName": "Unrolled", "exposeAppInBrowser": True, "disabledExtensions": list(LEFT_OUT),
        "litePluginSettings": {f"{KERNEL_EXTENSION}:kernel": kernel},
    }  # fmt: skip
    return {"jupyter-lite-schema-version": 0, "jupyter-config-data": settings}


def _user_settings() -> dict:
    return {
        "@jupyterlab/docmanager-extension:plugin": {"autosaveInterval": AUTOSAVE_SECONDS},
        "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},
    }


# --- What does -----------------------------------------------------------------------------------


def _add_pyodide(whole: Path, core: Path, data: Path, cache: Path) -> None:
    """Pyodide's files, our wheels, all of them as bytecode, and one lock file that names them."""
    folder = whole / "static" / "pyodide"
    folder.mkdir(parents=True, exist_ok=True)
    for name in pyodide.hashes():
        shutil.copyfile(core / name, folder / name)
    for script in (START, EARLY):
        shutil.copyfile(script, folder / script.name)
    page = whole / "notebooks" / "index.html"
    first = f'<head>\n    <script src="../static/pyodide/{EARLY.name}"></script>'
    page.write_text(page.read_text(encoding="utf-8").replace("<head>", first, 1), encoding="utf-8")
    kernel = whole / "extensions" / KERNEL_EXTENSION / "static" / "pypi"
    ours = [(wheels.course_wheel(folder, {path.name: path.read_bytes() for path in data.iterdir()}), ["unrolled"], ["numpy"])]
    ours += [(wheels.installed_wheel(folder, name), [name], []) for name in SMALL]
    ours += [(wheels.stand_in_wheel(folder, name), [name], []) for name in wheels.ABSENT]
    ours += [(wheels.write_wheel(folder, name, "0", {}), [], []) for name in HOLLOW]
    for name in ("ipykernel", "piplite", "pyodide_kernel"):
        wheel = next(kernel.glob(f"{name}-*.whl"))
        ours.append((Path(shutil.copyfile(wheel, folder / wheel.name)), [name], []))
    packages = dict(pyodide.LOCK["packages"])
    for wheel, imports, depends in ours:
        name, version = wheel.name.split("-")[:2]
        packages[re.sub(r"[._]", "-", name)] = {
            "name": name, "version": version, "file_name": wheel.name, "install_dir": "site", "package_type": "package",
            "sha256": _sha256(wheel), "imports": imports, "depends": depends, "unvendored_tests": False, "shared_library": False,
        }  # fmt: skip
    (folder / bytecode.LOCK).write_text(json.dumps({"info": pyodide.LOCK["info"], "packages": packages}), encoding="utf-8")
    try:
        bytecode.quicken(folder, [*AT_START, "matplotlib"], cache, readable=("unrolled/",))
    except bytecode.NotCompiled as reason:
        print(f"Python in the pages will take twice as long to start: {reason}.", file=sys.stderr)


def add_notebooks(whole: Path, notebooks: dict[str, Path], long: dict[str, dict[int, int]], language: str = "", short_run: str = "") -> None:
    """The notebooks, and their list in the form of Jupyter's contents API; those of another language in a folder of its name, anew.

    short_run: what the cell says that offers a short run, in that language.
    """
    files, contents = whole / "files" / language, whole / "api" / "contents" / language
    if language:
        shutil.rmtree(files, ignore_errors=True)
    files.mkdir(parents=True)
    contents.mkdir(parents=True, exist_ok=True)
    listed = []
    for name, path in sorted(notebooks.items()):
        file = f"{name}.ipynb"
        copy = files / file
        shutil.copyfile(path, copy)
        if long.get(name):
            copy.write_text(_with_short_runs(path.read_text(encoding="utf-8"), long[name], short_run or SHORT_RUN), encoding="utf-8")
        listed.append(_model(f"{language}/{file}".lstrip("/"), "notebook", "json", size=copy.stat().st_size))
    folder = {**_model(language, "directory", "json"), "content": listed}
    (contents / "all.json").write_text(json.dumps(folder), encoding="utf-8")


def _with_short_runs(notebook: str, long: dict[int, int], short_run: str = SHORT_RUN) -> str:
    """A notebook in which a cell that offers a short run stands before each cell that takes long."""
    content = json.loads(notebook)
    cells, number = [], 0
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            number += 1
            if number in long:
                cells.append({
                    "cell_type": "code", "id": f"short-run-{number}", "metadata": {}, "execution_count": None, "outputs": [],
                    "source": short_run.format(seconds=long[number], short=SHORT_SECONDS),
                })  # fmt: skip
        cells.append(cell)
    return json.dumps({**content, "cells": cells}, ensure_ascii=False, indent=1) + "\n"


def _model(path: str, kind: str, form: str, size: int | None = None) -> dict:
    moment = "2000-01-01T00:00:00Z"  # older than any work on it
    return {
        "name": path.rsplit("/", 1)[-1], "path": path, "type": kind, "format": form, "mimetype": None, "content": None, "size": size, "writable": True,
        "created": moment, "last_modified": moment,
    }  # fmt: skip


def _add_stamp(whole: Path, key: str) -> None:
    """What this folder was made of, and the SHA-256 of each file that Python in the page is made of, so that a page can find a damaged one."""
    folder = whole / "static" / "pyodide"
    files = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
    stamp = {"key": key, "pyodide": pyodide.VERSION, "jupyterlite": _version("jupyterlite-core"), "files": files}
    (whole / STAMP).write_text(json.dumps(stamp, indent=1), encoding="utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
