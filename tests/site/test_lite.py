"""The folder of the workshop: what is in it, and when it is made anew."""

from __future__ import annotations

import hashlib
import json
import zipfile

import nbformat
import pytest

from unrolled.site import bytecode, lite, pyodide, workshop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def notebooks(course):
    return workshop.notebooks(course)


@pytest.fixture(scope="module")
def folder(notebooks, tmp_path_factory):
    """The workshop, built."""
    target = tmp_path_factory.mktemp("site") / "try"
    try:
        assert lite.build(notebooks, target)
    except lite.NoWorkshop as reason:
        pytest.skip(f"optional: {reason}")
    return target


def test_a_second_build_leaves_it_alone(folder, notebooks):
    before = (folder / lite.STAMP).stat().st_mtime_ns
    assert not lite.build(notebooks, folder)
    assert (folder / lite.STAMP).stat().st_mtime_ns == before


def test_another_notebook_makes_it_anew(folder, notebooks, tmp_path):
    changed = tmp_path / "01-language-models.ipynb"
    changed.write_bytes(next(iter(notebooks.values())).read_bytes() + b"\n")
    assert lite.build({**notebooks, changed.stem: changed}, folder)
    assert lite.build(notebooks, folder)


def test_every_assignment_is_in_it_as_it_was_released(folder, course):
    for name, path in workshop.assignments(course).items():
        assert (folder / "files" / f"{name}.ipynb").read_bytes() == path.read_bytes()


def test_the_lock_file_names_every_file_with_its_hash(folder):
    python = folder / "static" / "pyodide"
    packages = json.loads((python / "pyodide-lock.json").read_text())["packages"]
    for package in packages.values():
        assert hashlib.sha256((python / package["file_name"]).read_bytes()).hexdigest() == package["sha256"], package["name"]
    named = {package["file_name"] for package in packages.values()} | set(pyodide.LOCK["core"]) | {"pyodide-lock.json", lite.START.name, lite.EARLY.name}
    assert {path.name for path in python.iterdir()} == named


@pytest.mark.parametrize(("archive", "module"), [("python_stdlib.zip", "asyncio/events"), ("ipython-*.whl", "IPython/core/interactiveshell"), ("numpy-*.whl", "numpy/_core/numeric")])
def test_what_a_notebook_imports_is_compiled(folder, archive, module):
    if not bytecode.node():
        pytest.skip("optional: no Node here, which compiles what a page's Python imports")
    with zipfile.ZipFile(next((folder / "static" / "pyodide").glob(archive))) as whole:
        assert f"{module}.pyc" in whole.namelist() and f"{module}.py" not in whole.namelist()


def test_it_holds_no_source_map_and_stays_within_its_size(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if path.suffix == ".map"] == []
    assert sum(path.stat().st_size for path in files) < 65e6


def test_nothing_in_its_settings_names_another_machine(folder):
    settings = (folder / "jupyter-lite.json").read_text()
    kernel = json.loads(settings)["jupyter-config-data"]["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    assert kernel["pyodideUrl"].startswith("./") and kernel["disablePyPIFallback"] is True


def test_what_is_missing_is_said_in_one_sentence(notebooks, tmp_path, monkeypatch):
    monkeypatch.setattr(lite, "_version", lambda name: "")
    with pytest.raises(lite.NoWorkshop, match=r"jupyterlite-core is not installed: .*\[try\]"):
        lite.build(notebooks, tmp_path / "try")
    assert not (tmp_path / "try").exists()


def test_before_a_cell_that_takes_long_stands_one_that_offers_a_short_run(notebooks):
    (page,) = [name for name in notebooks if not name[0].isdigit()][:1]
    whole = json.loads(notebooks[page].read_text(encoding="utf-8"))
    code = [cell for cell in whole["cells"] if cell["cell_type"] == "code"]
    content = json.loads(lite._with_short_runs(notebooks[page].read_text(encoding="utf-8"), {2: 45}))
    (added,) = [cell for cell in content["cells"] if cell not in whole["cells"]]
    assert content["cells"][content["cells"].index(added) + 1] == code[1]
    assert "about 45 seconds" in added["source"] and added["source"].splitlines()[-1] == "# %env UNROLLED_SHORT_RUN=20"
    nbformat.validate(nbformat.from_dict(content))
