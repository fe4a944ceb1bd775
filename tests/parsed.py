"""Pages of a built book, parsed. By lxml, which takes a twentieth of Beautiful Soup's time: there are a hundred pages of a quarter of a megabyte."""

from __future__ import annotations

import functools
from pathlib import Path

import lxml.html
from lxml.html import HtmlElement


def fresh(page: Path) -> HtmlElement:
    """A page that a test may change."""
    return lxml.html.document_fromstring(page.read_text(encoding="utf-8"))


@functools.cache
def parsed(page: Path) -> HtmlElement:
    """A page that no test changes."""
    return fresh(page)


def article(page: HtmlElement) -> HtmlElement:
    """The content of a page."""
    [content] = page.iter("article")
    return content


def without(content: HtmlElement, selector: str) -> HtmlElement:
    """The content after a part of it was taken out; what follows that part stays."""
    for tag in content.cssselect(selector):
        tag.drop_tree()
    return content


def words(tag: HtmlElement) -> str:
    """The text of a part of a page, with single spaces."""
    return " ".join(tag.text_content().split())
