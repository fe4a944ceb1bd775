"""The status page: made from runs of the pages, and only when all of them succeed."""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from unrolled.editions import blocks

COURSE = Path(__file__).resolve().parents[2]
TOC = "root: book/index\nparts:\n- chapters:\n  - file: book/part/second\n  - file: book/part/first\n"
LADDER = "from unrolled import plots\nprint(plots.ladder_table({'uniform': 3.296, 'bigram': 2.131}))\nprint('that was all')"


@pytest.fixture
def small_course(tmp_path):
    """A course with two pages, whose code can be chosen: small_course(first=..., second=...)."""

    def make(**pages):
        (tmp_path / "_toc.yml").write_text(TOC)
        (tmp_path / "book" / "appendix").mkdir(parents=True)
        (tmp_path / "book" / "part").mkdir()
        for name, code in pages.items():
            cells = [nbformat.v4.new_markdown_cell(f"# The {name} page"), nbformat.v4.new_code_cell(code)]
            nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "book" / "part" / f"{name}.ipynb")
        return tmp_path

    return make


def status(root):
    return subprocess.run([sys.executable, COURSE / "tools" / "status.py", "--root", root], capture_output=True, text=True)


@pytest.mark.slow
def test_status_lists_the_pages_in_the_books_order_with_seconds_versions_and_ladders(small_course):
    root = small_course(first="print(1)", second=LADDER)
    before = {path: path.read_bytes() for path in root.rglob("*.ipynb")}
    done = status(root)
    assert done.returncode == 0, done.stderr
    page = (root / "book" / "appendix" / "status.md").read_text()
    assert [place for place, _ in re.findall(r"\{doc\}`/(\S+)` \| (\d+) \| \d+\.\d\d \|", page)] == ["book/part/second", "book/part/first"]
    assert f"| Python | `{sys.version.split()[0]}` |" in page and "torch " in page
    assert re.search(r"```text\nmodel    nats/char  perplexity  bits/char\nuniform .*\nbigram .*\n```", page)
    assert "that was all" not in page
    assert {path: path.read_bytes() for path in root.rglob("*.ipynb")} == before


@pytest.mark.slow
def test_a_page_that_fails_leaves_the_status_page_as_it_was(small_course):
    root = small_course(first="1 / 0", second="print(1)")
    kept = root / "book" / "appendix" / "status.md"
    kept.write_text("as it was")
    done = status(root)
    assert done.returncode == 1
    assert "book/part/first.ipynb failed" in done.stderr and "ZeroDivisionError" in done.stderr
    assert kept.read_text() == "as it was"


def test_another_run_on_another_machine_leaves_nothing_new_to_translate(monkeypatch):
    monkeypatch.syspath_prepend(COURSE / "tools")
    import status as tool

    page = tool.report([tool.Page("book/part/later", 12.3, [["model  nats/char", "uniform  3.3"]], 1.5)], datetime.date(2031, 5, 7), 3, 8)
    committed = (COURSE / "book" / "appendix" / "status.md").read_text(encoding="utf-8")
    assert blocks.messages(page) == blocks.messages(committed)


def test_the_committed_status_page_names_every_notebook_of_the_book():
    page = (COURSE / "book" / "appendix" / "status.md").read_text(encoding="utf-8")
    toc = (COURSE / "_toc.yml").read_text(encoding="utf-8")
    listed = [file for file in re.findall(r"file: (\S+)", toc) if (COURSE / f"{file}.ipynb").exists()]
    assert listed and all(f"{{doc}}`/{file}`" in page for file in listed)
