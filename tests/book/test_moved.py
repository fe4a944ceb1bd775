"""Old addresses: where a section moved to another page, the table says which."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def table(built_book) -> dict[str, str]:
    site, _ = built_book
    script = (site / "_static" / "unrolled-anchors.js").read_text(encoding="utf-8")
    return json.loads(script.removeprefix("window.unrolledAnchors = ").rstrip(";\n"))


@pytest.mark.parametrize(
    "anchor",
    ["scratch-decoding", "equation-eq-scratch-temperature", "ex-scratch-nucleus", "greedy-and-its-loop"],
    ids=["section", "equation", "exercise", "heading"],
)
def test_an_anchor_of_any_kind_is_found_on_its_page_of_today(table, anchor, built_book):
    assert table[anchor] == "book/recurrence/decoding.html"
    assert f'id="{anchor}"' in (built_book[0] / table[anchor]).read_text(encoding="utf-8")


def test_every_published_label_that_is_an_anchor_is_in_the_table(table, course):
    labels = [line.split()[1] for line in (course / "book" / "labels.txt").read_text(encoding="utf-8").splitlines() if line.startswith("label ")]
    plain = {label: label.replace("_", "-").lower() for label in labels}
    missing = [label for label, anchor in plain.items() if anchor not in table and f"equation-{anchor}" not in table]
    assert missing == []


def test_an_anchor_that_several_pages_have_leads_nowhere(table):
    assert "summary" not in table and "exercises" not in table


def test_every_page_asks_the_table(built_book):
    site, _ = built_book
    for page in ("index.html", "recurrence/rnn-scratch.html", "appendix/notation.html"):
        assert "unrolled-moved.js" in (site / "book" / page).read_text(encoding="utf-8")
