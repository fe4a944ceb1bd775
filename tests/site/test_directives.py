"""What a build makes of the workshop's and the boxes' directives, and of paragraphs that tell how to start an assignment."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import sphinx.locale
from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from unrolled.site import boxes, lite, workshop

CONFIG = """
extensions = ["myst_parser", "unrolled.site.boxes", "unrolled.site.workshop"]
root_doc = "book/index"
include_patterns = ["book/*.md", "book/*/*.md"]
gettext_compact = False
"""
INDEX = """# Index

```{toctree}
try
part/rnn
```

**Assignment.** `unrolled start 02-rnn-forward` opens a notebook, and `unrolled start 99-none` none.

Elsewhere `unrolled start 02-rnn-forward` is said without a button.
"""
PAGE = """# The RNN

```{box} One *step*
print(1 + 1)
```

```{box} Another
print(2)
```
"""


def notebook(title: str) -> str:
    return json.dumps({"cells": [{"cell_type": "markdown", "metadata": {}, "source": [f"# {title}\n"]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def book(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "src"
    for name, text in {
        "conf.py": CONFIG,
        "book/index.md": INDEX,
        "book/try.md": "# Try it\n\n```{workshop}\n```\n",
        "book/part/rnn.md": PAGE,
        "book/try.yml": "book/part/rnn: {minutes: 3}\n",
        "book/part/rnn.ipynb": notebook("The RNN"),
        "assignments/02-rnn-forward/02-rnn-forward.ipynb": notebook("02 · The forward pass"),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("UNROLLED_TRY", "off")
    return folder


def build(book: Path, builder: str = "html") -> Path:
    out = book.parent / builder
    sphinx.locale.translators.clear()
    with patch_docutils(book), docutils_namespace():
        app = Sphinx(book, book, out, book.parent / "doctrees", builder, status=None, warning=None, warningiserror=True)
        app.build()
    return out


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_the_paragraph_that_begins_with_assignment_gets_a_link_to_those_that_exist(book):
    links = soup(build(book) / "book/index.html").select("a[data-open]")
    assert [(link["data-open"], link["href"]) for link in links] == [("02-rnn-forward", "try.html?open=02-rnn-forward")]


def test_a_page_that_runs_in_the_browser_says_so_with_its_minutes(book):
    link = soup(build(book) / "book/part/rnn.html").select_one("a[data-open]")
    assert link["href"] == "../try.html?open=rnn" and "about 3 min" in link.get_text()


def test_a_notebook_that_does_not_run_there_says_what_it_needs(book):
    (book / "book/try.yml").write_text("")
    page = soup(build(book) / "book/part/rnn.html")
    assert workshop.ELSEWHERE in page.get_text() and page.select("a[data-open]") == []


def test_the_workshop_lists_assignments_and_pages_by_their_titles(book):
    links = soup(build(book) / "book/try.html").select("a[data-open]")
    assert [(link["data-open"], link.get_text()) for link in links] == [("02-rnn-forward", "02 · The forward pass"), ("rnn", "The RNN")]


def test_a_box_is_readable_code_with_its_title(book):
    box = soup(build(book) / "book/part/rnn.html").select_one(".unrolled-box")
    assert box.select_one(".unrolled-box-title").get_text() == "One step" and box.pre.get_text() == "print(1 + 1)\n"


def test_the_texts_of_the_boxes_stand_once_on_a_page(book):
    page = soup(build(book) / "book/part/rnn.html")
    assert len(page.select(".unrolled-box")) == 2 and len(page.select(".unrolled-box-texts")) == 1


def test_a_page_without_a_box_loads_no_script_for_it(book):
    page = soup(build(book) / "book/index.html")
    assert [script["src"] for script in page.select("script[src]") if "unrolled-box" in script["src"] or "page-python" in script["src"]] == []


def test_every_text_reaches_translators(book):
    found = "".join(path.read_text(encoding="utf-8") for path in build(book, "gettext").rglob("*.pot"))
    found = re.sub(r'"\n"', "", found).replace('\\"', '"')
    missing = [text for text in [*boxes.SAYS.values(), *workshop.SAYS.values()] if text not in found]
    assert missing == []


def test_other_builders_have_the_code_and_no_hidden_text(book):
    text = (build(book, "text") / "book/part/rnn.txt").read_text(encoding="utf-8")
    assert "print(1 + 1)" in text and boxes.SAYS["stopped"] not in text


def test_a_book_that_can_have_no_workshop_says_so_in_one_line_and_is_whole(book, monkeypatch, capsys):
    def fails(*arguments):
        raise lite.NoWorkshop("nothing is reachable.")

    monkeypatch.setenv("UNROLLED_TRY", "on")
    monkeypatch.setattr(lite, "build", fails)
    assert (build(book) / "book/index.html").is_file()
    assert capsys.readouterr().err == "The book is built without the workshop: nothing is reachable.\n"


def test_what_each_script_says_has_a_text():
    static = Path(boxes.__file__).parent / "static"
    for script, texts in (("unrolled-box.js", boxes.SAYS), ("unrolled-workshop.js", workshop.SAYS)):
        source = (static / script).read_text(encoding="utf-8")
        said = set(re.findall(r'say\("([\w-]+)"', source)) | {"file", "old", "none", "offline"}
        assert said <= set(texts), said - set(texts)
