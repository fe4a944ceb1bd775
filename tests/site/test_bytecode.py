"""The archives of a page's Python, rewritten so that it starts sooner."""

from __future__ import annotations

import hashlib
import json
import zipfile

import pytest

from unrolled.site import bytecode, wheels

CODE = {"lib/python3.12/site-packages/part/a.py": b"code of a", "lib/python3.12/site-packages/ours/b.py": b"code of b", "lib/python312.zip/c.py": b"code of c"}


@pytest.fixture
def folder(tmp_path):
    """A folder of Pyodide with two wheels, the standard library and a lock file."""
    folder = tmp_path / "pyodide"
    folder.mkdir()
    wheels.write_wheel(folder, "part", "1", {"part/a.py": b"a = 1", "part/unused.py": b"", "part/a.pyi": b"a: int", "part/tests/t.py": b""})
    wheels.write_wheel(folder, "ours", "1", {"ours/b.py": b"b = 1"})
    with zipfile.ZipFile(folder / bytecode.STANDARD, "w") as archive:
        archive.writestr("c.py", "c = 1")
    packages = {name: {"file_name": f"{name}-1-py3-none-any.whl", "sha256": "old"} for name in ("part", "ours")}
    (folder / bytecode.LOCK).write_text(json.dumps({"info": {}, "packages": packages}))
    return folder


@pytest.fixture
def compiles(monkeypatch):
    """Compiles as Node would; counts how often."""
    calls = []
    monkeypatch.setattr(bytecode, "node", lambda: "node")
    monkeypatch.setattr(bytecode, "_bytecode", lambda folder, packages: calls.append(1) or CODE)
    return calls


def contents(folder, name):
    with zipfile.ZipFile(next(folder.glob(f"{name}*"))) as archive:
        return {one: archive.read(one) for one in archive.namelist() if ".dist-info/" not in one}


def test_what_a_notebook_imports_is_bytecode_and_the_rest_stays_source(folder, compiles, tmp_path):
    bytecode.quicken(folder, [], tmp_path)
    assert contents(folder, "part") == {"part/a.pyc": b"code of a", "part/unused.py": b""}
    assert contents(folder, "python_stdlib") == {"c.pyc": b"code of c"}


def test_modules_that_learners_read_keep_their_sources(folder, compiles, tmp_path):
    bytecode.quicken(folder, [], tmp_path, readable=("ours/",))
    assert contents(folder, "ours") == {"ours/b.py": b"b = 1", "ours/__pycache__/b.cpython-312.pyc": b"code of b"}


def test_the_lock_file_has_the_new_hashes(folder, compiles, tmp_path):
    bytecode.quicken(folder, [], tmp_path)
    for package in json.loads((folder / bytecode.LOCK).read_text())["packages"].values():
        assert package["sha256"] == hashlib.sha256((folder / package["file_name"]).read_bytes()).hexdigest()


def test_a_rewritten_wheel_lists_what_it_holds(folder, compiles, tmp_path):
    bytecode.quicken(folder, [], tmp_path)
    with zipfile.ZipFile(next(folder.glob("part*"))) as archive:
        listed = {line.split(",")[0] for line in archive.read("part-1.dist-info/RECORD").decode().splitlines()}
        assert listed == set(archive.namelist())


def test_the_same_archives_are_compiled_once(folder, compiles, tmp_path):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    bytecode.quicken(folder, [], tmp_path)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name, content in before.items():
        (folder / name).write_bytes(content)
    bytecode.quicken(folder, [], tmp_path)
    assert len(compiles) == 1 and {path.name: path.read_bytes() for path in folder.iterdir()} == after


def test_another_wheel_is_compiled_anew(folder, compiles, tmp_path):
    bytecode.quicken(folder, [], tmp_path)
    wheels.write_wheel(folder, "ours", "1", {"ours/b.py": b"b = 2"})
    bytecode.quicken(folder, [], tmp_path)
    assert len(compiles) == 2


def test_without_node_sources_stay_and_it_is_said(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(bytecode, "node", lambda: None)
    with pytest.raises(bytecode.NotCompiled, match="the command node is not here"):
        bytecode.quicken(folder, [], tmp_path)
    assert contents(folder, "part") == {"part/a.py": b"a = 1", "part/unused.py": b""}


def test_a_node_that_fails_is_quoted_and_tried_again(folder, monkeypatch, tmp_path):
    broken = tmp_path / "node"
    broken.write_text("#!/bin/sh\necho 'too old' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(bytecode, "node", lambda: str(broken))
    for _ in range(2):
        with pytest.raises(bytecode.NotCompiled, match="'too old'"):
            bytecode.quicken(folder, [], tmp_path)
