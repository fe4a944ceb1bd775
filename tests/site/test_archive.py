"""`make site`: one archive of the built site, checked."""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import site_archive as tool  # noqa: E402


@pytest.fixture
def built(tmp_path) -> Path:
    """A small site with a workshop of one file."""
    folder = tmp_path / "html"
    python = folder / "try" / "static" / "pyodide"
    python.mkdir(parents=True)
    (folder / "index.html").write_text("<p>book</p>", encoding="utf-8")
    (python / "pyodide.js").write_bytes(b"core")
    stamp = {"files": {"pyodide.js": hashlib.sha256(b"core").hexdigest()}}
    (folder / "try" / "workshop.json").write_text(json.dumps(stamp), encoding="utf-8")
    return folder


@pytest.fixture
def wheel(tmp_path) -> Path:
    path = tmp_path / "unrolled-1-py3-none-any.whl"
    path.write_bytes(b"wheel")
    return path


@pytest.fixture
def archive(built, wheel, tmp_path) -> Path:
    path = tmp_path / "site.zip"
    tool.write(tool.packed(built, wheel, "1"), path, "unrolled-site-1")
    return path


def changed(archive: Path, name: str, content: bytes | None) -> Path:
    """The archive with one file replaced, or left out."""
    other = archive.with_name("other.zip")
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(other, "w") as new:
        for entry in old.namelist():
            if entry != name:
                new.writestr(entry, old.read(entry))
            elif content is not None:
                new.writestr(entry, content)
    return other


def test_it_holds_book_workshop_wheel_and_licences_in_one_folder(archive):
    names = set(zipfile.ZipFile(archive).namelist())
    assert {name.split("/")[0] for name in names} == {"unrolled-site-1"}
    for name in ("index.html", "try/workshop.json", "wheels/unrolled-1-py3-none-any.whl", "licences/LICENSE", "licences/LICENSE-prose", "README.txt"):
        assert f"unrolled-site-1/{name}" in names


def test_a_whole_archive_has_nothing_wrong(archive):
    assert tool.check(archive) == []


def test_the_same_site_gives_the_same_archive(archive, built, wheel, tmp_path):
    tool.write(tool.packed(built, wheel, "1"), tmp_path / "again.zip", "unrolled-site-1")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


@pytest.mark.parametrize(("content", "said"), [(b"other", "is not what SHA256SUMS says"), (None, "is missing")])
def test_a_changed_or_missing_file_is_named(archive, content, said):
    assert tool.check(changed(archive, "unrolled-site-1/index.html", content)) == [f"index.html {said}"]


def test_a_python_file_that_the_workshop_does_not_expect_is_named(built, wheel, tmp_path):
    (built / "try" / "static" / "pyodide" / "pyodide.js").write_bytes(b"another")
    path = tmp_path / "site.zip"
    tool.write(tool.packed(built, wheel, "1"), path, "unrolled-site-1")
    assert tool.check(path) == ["try/static/pyodide/pyodide.js is not what the workshop expects"]


def test_a_site_without_the_workshop_is_refused_in_one_sentence(built, wheel):
    (built / "try" / "workshop.json").unlink()
    with pytest.raises(tool.Unfit, match="build the book first"):
        tool.packed(built, wheel, "1")
