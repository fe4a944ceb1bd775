"""The mark of a section that may be skipped, and the line at the top of the page that lists such sections."""

from __future__ import annotations

from bs4 import BeautifulSoup
from docutils import nodes

from unrolled.site.optional import CLASS, optional_sections


def section(name: str, *children: nodes.Node) -> nodes.section:
    return nodes.section("", nodes.title("", name), *children, ids=[name])


def mark() -> nodes.paragraph:
    return nodes.paragraph(classes=[CLASS])


def test_a_marked_section_is_found_once_though_a_part_of_it_is_marked_too():
    inner = section("inner", mark())
    outer = section("outer", mark(), inner)
    assert optional_sections(section("page", outer, section("other"))) == [outer]


def test_a_section_in_an_unmarked_one_is_found():
    inner = section("inner", mark())
    assert optional_sections(section("page", section("outer", inner))) == [inner]


def test_the_top_of_a_page_names_the_marked_sections_and_their_minutes(built_book):
    site, _ = built_book
    page = BeautifulSoup((site / "book/recurrence/rnn-scratch.html").read_text(encoding="utf-8"), "html.parser")
    line = page.select_one(".unrolled-minutes")
    assert "You may skip" in line.get_text()
    for link in line.select("a"):
        marked = page.find(id=link["href"].removeprefix("#"))
        assert marked.select_one(f".{CLASS}"), link
