"""The built book: clean, whole, and without a network."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from parsed import parsed

from unrolled.site import slim

pytestmark = pytest.mark.slow

# What makes a browser fetch something by itself, as tag and attribute.
LOADING = [("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"), ("object", "data")]


def content_pages(site: Path) -> list[Path]:
    return sorted((site / "book").rglob("*.html"))


@functools.cache
def anchors(page: Path) -> set[str]:
    return set(parsed(page).xpath("//@id | //a/@name"))


def test_the_strict_build_has_no_warning(built_book):
    _, log = built_book
    assert log.strip().endswith("exit status 0"), log[-4000:]
    assert "WARNING" not in log, log[-4000:]


def test_code_has_no_tags_that_change_nothing(built_book):
    site, _ = built_book
    plain = slim.plain_classes((site / "_static" / slim.STYLES).read_text())
    assert plain
    assert [page.name for page in content_pages(site) if slim.without_tags(page.read_bytes(), plain) != page.read_bytes()] == []


def test_every_page_of_the_table_of_contents_is_there(built_book, course):
    site, _ = built_book
    named = re.findall(r"(?:file|root): (\S+)", (course / "_toc.yml").read_text())
    assert len(named) >= 7
    assert [name for name in named if not (site / f"{name}.html").is_file()] == []


def test_no_page_loads_anything_from_a_network(built_book):
    site, _ = built_book
    external = [
        f"{page.name}: {tag.get(attribute)}"
        for page in content_pages(site)
        for name, attribute in LOADING
        for tag in parsed(page).iter(name)
        if re.match(r"(https?:)?//", tag.get(attribute, "")) and "canonical" not in tag.get("rel", "").split()
    ]
    assert external == []


def test_every_internal_link_and_anchor_resolves(built_book):
    site, _ = built_book
    broken = []
    for page in content_pages(site):
        for link in parsed(page).xpath("//a/@href"):
            address, anchor = urldefrag(link)
            if re.match(r"[a-z]+:", address):
                continue
            path = unquote(address.split("?")[0])
            target = (page.parent / path).resolve() if path else page
            if not target.is_file():
                broken.append(f"{page.name}: {link}")
            elif anchor and target.suffix == ".html" and unquote(anchor) not in anchors(target):
                broken.append(f"{page.name}: {link} (no such anchor)")
    assert broken == []


def test_every_picture_has_an_alternative_text_that_says_something(built_book):
    site, _ = built_book
    poor = []
    for page in content_pages(site):
        for image in parsed(page).cssselect("article img"):
            alt = image.get("alt", "")
            if len(alt) < 20 or re.search(r"\.(png|svg)$|_build|^https?:", alt):
                poor.append(f"{page.name}: {image.get('src')} has the alt text {alt!r}")
    assert poor == []


def test_what_a_cell_prints_between_two_displays_stands_between_them(built_book):
    site, _ = built_book
    section = parsed(site / "book" / "recurrence" / "rnn-scratch.html").get_element_by_id("where-is-it-worse-than-the-floor")
    outputs = section.cssselect("div.cell_output")[0].cssselect(":scope > div.output")
    firsts = [output.text_content().split()[0] for output in outputs]
    assert firsts == ["truth:", "a", "network:", "a"]  # the text begins with "a man near"


def test_every_notebook_page_offers_its_download(built_book, course):
    site, _ = built_book
    notebooks = [name for name in re.findall(r"file: (\S+)", (course / "_toc.yml").read_text()) if (course / f"{name}.ipynb").is_file()]
    assert len(notebooks) >= 16
    for name in notebooks:
        page = site / f"{name}.html"
        offered = [tag.get("href") for tag in parsed(page).cssselect(".article-header-buttons a[href$='.ipynb']")]
        assert len(offered) == 1 and (page.parent / offered[0]).resolve().is_file(), f"{name}: {offered}"


def test_the_paths_lead_to_every_chapter(built_book, course):
    site, _ = built_book
    linked = {(site / "book" / urldefrag(link)[0]).stem for link in parsed(site / "book" / "paths.html").xpath("//article//a/@href")}
    assert {path.stem for path in (course / "book" / "quizzes").glob("*.yml")} - linked == set()


def test_no_link_points_at_an_invented_public_address(built_book):
    """The theme makes links to the repository of the book, which has none. What a page's text cites may lie in one."""
    site, _ = built_book
    for page in content_pages(site):
        for tag in parsed(page).xpath("//a[@href]"):
            link = tag.get("href")
            assert "executablebooks/jupyter-book" not in link, f"{page.name}: {link}"
            assert "github.com" not in link or tag.xpath("ancestor::article"), f"{page.name}: {link}"


def test_the_site_stays_within_its_size(built_book):
    site, _ = built_book
    total = sum(file.stat().st_size for file in site.rglob("*") if file.is_file())
    assert total < 95e6, f"{total / 1e6:.0f} MB"
    heavy = [f"{page.name}: {page.stat().st_size / 1e6:.1f} MB" for page in content_pages(site) if page.stat().st_size > 1.5e6]
    assert heavy == []


def test_the_ladder_of_the_first_page_shows_what_the_chapters_measured(built_book, course):
    site, _ = built_book
    shown = (course / "book" / "img" / "index-ladder.svg").read_text(encoding="utf-8")
    measured = parsed(site / "book" / "recurrence" / "rnn-scratch.html").text_content()
    labels = {"uniform": "uniform guessing", "bigram": "bigram", "5-gram Kneser–Ney": "5-gram, Kneser–Ney",
              "RNN, 128 units": "recurrent network, 128 units"}  # fmt: skip
    for model, label in labels.items():
        bits = float(re.findall(rf"^{model} +[\d.]+ +[\d.]+ +([\d.]+)$", measured, re.MULTILINE)[-1])
        drawn = re.search(rf">{label}</text>.*?font-weight=\"bold\">([\d.]+)<", shown, re.DOTALL)
        assert float(drawn[1]) == pytest.approx(bits, abs=0.0101), label
    floor = float(re.findall(r"^entropy rate +[\d.]+ +[\d.]+ +([\d.]+)$", measured, re.MULTILINE)[-1])
    assert f"entropy rate: {floor:.2f}" in shown or f"entropy rate: {floor + 1e-9:.2f}" in shown


def test_only_the_page_of_the_search_loads_its_index(built_book):
    site, _ = built_book
    loading = [path.name for path in [*site.glob("*.html"), *site.glob("book/**/*.html")] if 'searchindex.js"' in path.read_text(encoding="utf-8")]
    assert loading == ["search.html"]
