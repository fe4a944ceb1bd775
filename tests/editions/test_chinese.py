"""The Chinese book: strict, whole, Chinese, and in one site with the English one."""

from __future__ import annotations

import filecmp
import functools
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from parsed import article, fresh, parsed, without, words

from unrolled.editions import catalogues, sources
from unrolled.site import edition

pytestmark = pytest.mark.slow

CHINESE = re.compile(r"[\u4e00-\u9fff]{12,}|[。，；]")  # a sentence: numerals and single terms are examples that English pages have
# Where other languages may stand in a page: code, formulas, outputs, sources, the reference, examples, and links, which have the title of a page.
FOREIGN = "pre, code, .math, .cell_output, script, style, dl.py, .sig, .bibliography, .citation, dl.glossary dt, [lang], em, a.reference"
ENGLISH = re.compile(r"(?:\b[A-Za-z][a-z’']+\b[ ,;]+){6,}[a-z]+")
ALLOWED = re.compile(r"“[^”]*”|[A-Za-z][^\u4e00-\u9fff]*（[^（）]*[\u4e00-\u9fff][^（）]*）")  # quoted, or an example with its translation behind it
CHINESE_SIGN = re.compile("[\u4e00-\u9fff]")
LARGEST = 20_000_000  # bytes that the Chinese book adds to the site


def pages(folder: Path) -> list[Path]:
    return sorted((folder / "book").rglob("*.html"))


@functools.cache
def anchors(page: Path) -> set[str]:
    return set(parsed(page).xpath("//@id"))


def texts(page: Path) -> list[str]:
    """The texts of a page's content, without what may be in another language."""
    content = without(article(fresh(page)), FOREIGN)
    return [words(tag) for tag in content.cssselect("p, li, td, th, h1, h2, h3, h4, figcaption, legend, label, button, summary, dd")]


def test_the_strict_build_has_no_warning(chinese_book):
    _, log = chinese_book
    assert log.strip().endswith("exit status 0") and "WARNING" not in log, log[-4000:]


def test_every_page_is_there_and_says_its_language(chinese_book, course):
    site, _ = chinese_book
    assert {page.relative_to(site / "zh_CN").with_suffix("").as_posix() for page in pages(site / "zh_CN")} == set(sources.pages(course))
    assert {parsed(page).get("lang") for page in pages(site / "zh_CN")} == {"zh-CN"}


def test_every_internal_link_file_and_anchor_of_the_chinese_book_resolves(chinese_book):
    site, _ = chinese_book
    broken = []
    for page in pages(site / "zh_CN"):
        for link in parsed(page).xpath("//a/@href | //link/@href | //*/@src"):
            address, anchor = urldefrag(link)
            if re.match(r"[a-z]+:", address):
                continue
            path = unquote(address.split("?")[0])
            target = (page.parent / path).resolve() if path else page
            if not target.is_file() or (anchor and target.suffix == ".html" and unquote(anchor) not in anchors(target)):
                broken.append(f"{page.name}: {link}")
    assert broken == []


def test_a_page_without_a_catalogue_is_english_and_says_so(chinese_book, course):
    site, _ = chinese_book
    for document in sources.pages(course):
        translated = catalogues.path_of(course, "zh_CN", document.removeprefix("book/")).is_file()
        content = article(parsed(site / "zh_CN" / f"{document}.html"))
        assert bool(content.cssselect(".unrolled-untranslated")) != translated, document
        assert bool(content.cssselect('div[lang="en"] h1')) != translated, document


def test_a_translated_page_has_no_english_sentence(chinese_book, course):
    site, _ = chinese_book
    found = {}
    for document in sources.pages(course):
        if catalogues.path_of(course, "zh_CN", document.removeprefix("book/")).is_file():
            left = [text[:120] for text in texts(site / "zh_CN" / f"{document}.html") if ENGLISH.search(ALLOWED.sub("", text))]
            found |= {document: left} if left else {}
    assert found == {}


@pytest.mark.parametrize("name", ["index", "recurrence/rnn", "appendix/instructors"])
def test_what_the_theme_puts_around_a_page_is_chinese(chinese_book, name):
    around = without(fresh(chinese_book[0] / "zh_CN" / "book" / f"{name}.html"), "article, [lang=en]")
    said = {said for name in ("title", "aria-label", "placeholder", "alt", "data-bs-title") for said in around.xpath(f"//@{name}") if said}
    said |= {words(tag) for tag in around.cssselect(".copyright, .btn__text-container, .skip-link, .page-toc")}
    names = {"Unrolled", ".ipynb"}
    assert [one for one in said - names if re.search("[A-Za-z]{4}", one) and not CHINESE_SIGN.search(one)] == []
    assert not [one for one in said if "列印" in one]


def test_no_english_page_but_the_glossary_has_a_chinese_sentence(chinese_book):
    site, _ = chinese_book
    found = {page.name: left for page in pages(site) if page.stem != "glossary" and (left := [text[:80] for text in texts(page) if CHINESE.search(text)])}
    assert found == {}


def test_what_both_books_have_alike_lies_in_the_site_once(chinese_book):
    site, _ = chinese_book
    chinese = site / "zh_CN"
    twice = [
        path.relative_to(chinese).as_posix() for folder in ("_static", "_images") for path in (chinese / folder).rglob("*")
        if path.is_file() and (site / path.relative_to(chinese)).is_file() and filecmp.cmp(path, site / path.relative_to(chinese), shallow=False)
    ]  # fmt: skip
    assert twice == []
    assert sum(path.stat().st_size for path in chinese.rglob("*") if path.is_file()) <= LARGEST


@pytest.mark.parametrize(("here", "there", "name"), [("", "zh_CN", "中文"), ("zh_CN", "", "English")])
def test_each_page_leads_to_the_same_page_of_the_other_book_without_a_script(chinese_book, here, there, name):
    site, _ = chinese_book
    for page in [*pages(site / here), site / here / "search.html", site / here / "genindex.html"]:
        [link] = parsed(page).cssselect(".unrolled-language")
        assert link.text_content() == name
        assert (page.parent / unquote(link.get("href"))).resolve() == site / there / page.relative_to(site / here)


def test_a_book_that_is_gone_is_led_to_no_longer(chinese_book, tmp_path):
    site, _ = chinese_book
    page, english = Path("book/index.html"), tmp_path / "book" / "index.html"
    for path in (english, tmp_path / "zh_CN" / page):
        path.parent.mkdir(parents=True)
    shutil.copyfile(site / page, english)
    edition.link(edition.ENGLISH, tmp_path)
    assert "unrolled-language" not in english.read_text(encoding="utf-8")


def test_downloads_and_paragraphs_that_lead_to_an_assignment_are_as_many_as_in_english(chinese_book):
    site, _ = chinese_book
    for page in pages(site):
        counts = [len(parsed(root / page.relative_to(site)).cssselect(".unrolled-open-row, .article-header-buttons a[href$='.ipynb'], form, figure, pre")) for root in (site, site / "zh_CN")]
        assert counts[0] == counts[1], page.name
