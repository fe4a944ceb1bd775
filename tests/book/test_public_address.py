"""One line of _config.yml turns the buttons on that need a public address; without it no page points anywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

COURSE = Path(__file__).resolve().parents[2]
LINE = re.compile(r'^(    unrolled_repository: )""( # PUBLIC ADDRESS.*)$', re.MULTILINE)
ADDRESS = "https://github.com/someone/unrolled"


def test_the_line_is_there_once_and_empty():
    assert len(LINE.findall((COURSE / "_config.yml").read_text(encoding="utf-8"))) == 1


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """A function: build a book of two pages, one of them a notebook, with this address in the marked line."""

    def run(address):
        folder = tmp_path_factory.mktemp("public") / "course"
        (folder / "book" / "recurrence").mkdir(parents=True)
        shutil.copytree(COURSE / "book" / "_static", folder / "book" / "_static")
        shutil.copy(COURSE / "book" / "references.bib", folder / "book")
        config = LINE.sub(rf'\g<1>"{address}"\g<2>', (COURSE / "_config.yml").read_text(encoding="utf-8"))
        (folder / "_config.yml").write_text(config)
        (folder / "_toc.yml").write_text(yaml.safe_dump({"format": "jb-book", "root": "book/index", "chapters": [{"file": "book/recurrence/page"}]}))
        (folder / "book" / "index.md").write_text("# Book\n\nText.\n")
        notebook = '{"cells": [], "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}}, "nbformat": 4, "nbformat_minor": 5}'
        (folder / "book" / "recurrence" / "page.ipynb").write_text(
            notebook.replace("[]", '[{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Page"}]', 1)
        )
        command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "--keep-going", "-n"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True), folder / "_build" / "html" / "book" / "recurrence" / "page.html"

    return run


@pytest.mark.slow
def test_with_an_address_a_notebook_can_be_edited_opened_and_launched(build):
    done, page = build(ADDRESS)
    assert done.returncode == 0, done.stdout + done.stderr
    html = page.read_text(encoding="utf-8")
    assert f"{ADDRESS}/edit/main/book/recurrence/page.ipynb" in html
    assert "https://colab.research.google.com/github/someone/unrolled/blob/main/book/recurrence/page.ipynb" in html
    assert "https://mybinder.org/v2/gh/someone/unrolled/main" in html
    assert f"{ADDRESS}/issues/new" in html


@pytest.mark.slow
def test_without_an_address_no_button_points_anywhere_and_the_notebook_can_be_downloaded(build):
    done, page = build("")
    assert done.returncode == 0, done.stdout + done.stderr
    html = page.read_text(encoding="utf-8")
    assert not re.search(r"github\.com|colab|mybinder", html)
    assert re.search(r'href="[^"]*_sources/book/recurrence/page\.ipynb"', html)


@pytest.mark.slow
def test_something_that_is_no_address_is_refused_in_a_sentence(build):
    done, _ = build("my repository")
    assert done.returncode != 0
    assert "should be the address of a repository" in done.stdout + done.stderr
