"""The pages of the book itself in a real browser: no network, no errors, nothing that runs off a phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.slow

COURSE = Path(__file__).resolve().parents[2]
PAGES = re.findall(r"(?:file|root): book/(\S+)", (COURSE / "_toc.yml").read_text(encoding="utf-8"))
QUIZZES = sorted(path.stem for path in (COURSE / "book" / "quizzes").glob("*.yml"))
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}


@pytest.fixture(scope="session")
def address(built_book, serve) -> str:
    """The address of the folder that holds the book's pages."""
    site, _ = built_book
    return serve(site) + "/book"


def open_page(browser, url: str) -> None:
    browser.get(url)
    WebDriverWait(browser, 60).until(lambda b: b.execute_script("return document.readyState") == "complete")
    if browser.find_elements(By.CSS_SELECTOR, ".math"):
        WebDriverWait(browser, 60).until(lambda b: b.find_elements(By.CSS_SELECTOR, "mjx-container"))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_only_its_own_server(browser, address, requests, page):
    open_page(browser, f"{address}/{page}.html")
    server = address.removesuffix("/book")
    asked = requests()
    assert asked, "the log of requests is empty"
    assert [url for url in asked if not url.startswith(server)] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reports_no_error(browser, address, console_errors, page):
    open_page(browser, f"{address}/{page}.html")
    assert console_errors() == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_works_from_a_file(browser, built_book, requests, console_errors, page):
    site, _ = built_book
    open_page(browser, (site / "book" / f"{page}.html").as_uri())
    assert [url for url in requests() if not url.startswith("file:")] == []
    assert console_errors() == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_not_run_off_a_phone(browser, address, page):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    open_page(browser, f"{address}/{page}.html")
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= 390, f"the page is {width} pixels wide"


@pytest.mark.parametrize("chapter", QUIZZES)
def test_a_chapters_quizzes_are_live(browser, address, chapter):
    page = next(page for page in PAGES if page.rsplit("/", 1)[-1] == chapter)
    open_page(browser, f"{address}/{page}.html")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".unrolled-quiz.is-live")) == 2


def test_a_right_answer_in_a_chapter_is_kept_over_a_reload(browser, address):
    open_page(browser, f"{address}/recurrence/rnn.html")
    form = browser.find_element(By.CSS_SELECTOR, "form[data-kind='one']")
    right = browser.execute_script("return JSON.parse(arguments[0].dataset.key).right[0]", form)
    browser.execute_script("arguments[0].querySelectorAll('input')[arguments[1]].click()", form, right)
    browser.execute_script("arguments[0].querySelector('button[type=submit]').click()", form)
    assert "is-right" in form.get_attribute("class")
    browser.refresh()
    WebDriverWait(browser, 60).until(lambda b: b.find_elements(By.CSS_SELECTOR, "form[data-kind='one'].is-right"))
