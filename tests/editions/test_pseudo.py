"""A language in which every message stands in brackets: what is outside of them in the built book, nobody could translate."""

from __future__ import annotations

import json
import re
from pathlib import Path

import lxml.etree
import pytest
from lxml.html import HtmlElement
from parsed import article, fresh, parsed, without

from unrolled.editions import pictures, words

pytestmark = pytest.mark.slow

WORD = re.compile(r"[^\W\d_]{2,}")
# What stays outside of brackets, with the reason.
OUTSIDE = {
    "pre, code, samp, kbd, .math, .MathJax, mjx-container": "code and formulas are the same in all languages",
    "script, style, template[hidden]": "no text",
    ".cell_output": "a notebook is executed once, for all languages",
    ".headerlink, .article-header-buttons": "signs and buttons of the theme",
    "dl.glossary dt": "a glossary has its terms in both languages",
    ".citation, .bibliography, div.citation-list, a.bibtex": "names and titles of sources",
    ".caption-number, .header-number, .std-numref": "numbers of figures and sections: the theme's own catalogue",
    ".admonition.exercise > .admonition-title, .admonition.solution > .admonition-title, p.admonition-title a": "“Exercise 1”: the extension's own catalogue",
    ".admonition.solution > .admonition-title": "“Solution to”: the extension's own catalogue",
    "dl.py, .sig": "the reference of the package stays English",
    ".footnote-reference, .footnote .label": "marks of footnotes",
    ".toctree-wrapper": "the theme's own list",
    ".sd-tab-label": "names of libraries",
    "li a[data-open]": "titles of assignments, which have catalogues of their own",
}

REFERENCE = "appendix/api"  # the docstrings of the package, which stay English


def pages(site: Path) -> list[Path]:
    return sorted((site / "book").rglob("*.html"))


def name_of(page: Path, site: Path) -> str:
    return page.relative_to(site / "book").with_suffix("").as_posix()


def content(page: Path) -> HtmlElement:
    return article(parsed(page))


def outside(page: Path) -> list[str]:
    """The texts of a page that stand in no brackets."""
    inside = without(article(fresh(page)), ", ".join(OUTSIDE))
    lxml.etree.strip_elements(inside, lxml.etree.Comment, with_tail=False)
    depth, found = 0, []
    for text in inside.itertext():
        for part in re.split(r"([⟦⟧])", text):
            if part in "⟦⟧" and part:
                depth += 1 if part == "⟦" else -1
            elif depth == 0 and WORD.search(part):
                found.append(" ".join(part.split())[:100])
    return found + [f"brackets that do not close: {depth}"] * (depth != 0)


def test_the_strict_build_of_a_language_without_catalogues_has_no_warning(pseudo_book):
    _, log = pseudo_book
    assert log.strip().endswith("exit status 0") and "WARNING" not in log, log[-4000:]


def test_nothing_that_can_be_translated_is_left_out_of_any_page(pseudo_book):
    site, _ = pseudo_book
    left = {name_of(page, site): texts for page in pages(site) if name_of(page, site) != REFERENCE and (texts := outside(page))}
    assert left == {}


def test_every_alternative_text_is_translated(pseudo_book):
    site, _ = pseudo_book
    left = [alt[:80] for page in pages(site) for alt in content(page).xpath(".//img/@alt") if WORD.search(alt) and not alt.startswith("⟦")]
    assert left == []


def test_every_text_of_a_drawing_is_translated(pseudo_book):
    site, _ = pseudo_book
    drawings = sorted((site / "_images").glob("*.svg"))
    assert len(drawings) > 20
    left = {path.name: texts for path in drawings if (texts := [text for text in pictures.messages(path.read_text(encoding="utf-8")) if not text.startswith("⟦")])}
    assert left == {}


def test_scripts_find_the_translation_of_every_sentence_that_they_say(pseudo_book, course):
    site, _ = pseudo_book
    here = json.loads((site / "_static" / "unrolled-here.js").read_text(encoding="utf-8").partition(" = ")[2].rstrip(";\n"))
    assert {sentence: f"⟦{sentence}⟧" for sentence in words.in_scripts(course)}.items() <= here["words"].items()
    assert here["here"] == "eo"


@pytest.mark.parametrize("selector", ["pre", ".math", "figure", ".admonition", "img", "table", "form", "section", ".cell_output", "a.reference", "li", ".footnote"])
def test_a_translated_page_has_as_many_of_each_part_as_the_english_one(pseudo_book, built_book, selector):
    site, english = pseudo_book[0], built_book[0]
    counts = [{name_of(page, root): len(content(page).cssselect(selector)) for page in pages(root)} for root in (english, site)]
    assert counts[0] == counts[1]


def test_code_and_formulas_of_a_translated_page_are_those_of_the_english_one_in_their_order(pseudo_book, built_book):
    site, english = pseudo_book[0], built_book[0]
    found = [{name_of(page, root): [tag.text_content() for tag in content(page).cssselect("pre, div.math")] for page in pages(root)} for root in (english, site)]
    assert found[0] == found[1]


def test_every_anchor_of_an_english_page_is_one_of_the_translated_page(pseudo_book, built_book):
    site, english = pseudo_book[0], built_book[0]
    for page in pages(english):
        anchors = [set(content(root / page.relative_to(english)).xpath(".//@id")) for root in (english, site)]
        assert {anchor for anchor in anchors[0] - anchors[1] if not re.fullmatch(r"id\d+", anchor)} == set(), page.name
