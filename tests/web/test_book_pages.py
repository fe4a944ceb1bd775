"""The pages of both books in a real browser: no network, no errors, nothing that runs off a phone, nothing that shuts anyone out.

Each page is opened twice, from a server at a phone's width and from its file; what the browser saw is kept, and every test looks at that.
To save time, most Chinese pages are opened once, from the server, and their colours and formulas, which are those of the English pages, are
not looked at again; nor are the formulas of most pages that come from their file.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.slow

COURSE = Path(__file__).resolve().parents[2]
PAGES = re.findall(r"(?:file|root): book/(\S+)", (COURSE / "_toc.yml").read_text(encoding="utf-8"))
CHINESE = "zh_CN/"  # before the name of a page: its Chinese edition
IN_FULL = [*PAGES, f"{CHINESE}progress", f"{CHINESE}gates/lstm"]  # opened twice, and looked at in both modes
ALL = [*IN_FULL, *(page for page in (f"{CHINESE}{page}" for page in PAGES) if page not in IN_FULL)]
FORMULAS_TWICE = ["gates/lstm", f"{CHINESE}gates/lstm"]  # set from the file, too: their fonts are the same for all pages
QUIZZES = sorted(path.stem for path in (COURSE / "book" / "quizzes").glob("*.yml"))
EVERYTHING, COLOURS, ALL_BUT_COLOURS = {}, {"runOnly": ["color-contrast"]}, {"rules": {"color-contrast": {"enabled": False}}}
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
AXE += "; axe.configure({ rules: [{ id: 'color-contrast', selector: '[data-text]' }] });"  # what MARK marks

# What runs past the right edge of the window and stands in nothing that scrolls by itself.
RUNS_OFF = """
const scrolls = (node) => node && node !== document.body
  && (["auto", "scroll", "hidden"].includes(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
return [...document.querySelectorAll("article *")]
  .filter((node) => node.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(node).position !== "absolute" && !scrolls(node.parentElement)
    && !scrolls(node))
  .map((node) => `${node.tagName} ${node.className} ${node.textContent.slice(0, 40)}`).slice(0, 5);
"""

NO_FORMULAS = "for (const formula of document.querySelectorAll('.math')) formula.remove()"
# Opens what is folded, and leaves out what takes axe most of its time: formulas, which are MathJax's own.
PREPARE = """
for (const details of document.querySelectorAll("details")) details.open = true;
for (const folded of document.querySelectorAll(".toggle-hidden")) folded.classList.remove("toggle-hidden");
for (const formula of document.querySelectorAll("mjx-container")) formula.remove();
"""
# Marks, for each colour of text on each ground in each size, the first piece of text that has it: the others have the same contrast.
MARK = """
const clear = (colour) => /^(transparent|rgba\\(.*, 0\\))$/.test(colour);
const grounds = new Map([[null, []]]); // of an element: what lies under its text
const under = (node) => {
  if (!grounds.has(node)) {
    const { backgroundColor, backgroundImage, opacity, position } = getComputedStyle(node);
    const own = [opacity, backgroundImage, position === "static" ? "" : node.className];
    grounds.set(node, [...under(node.parentElement), ...(clear(backgroundColor) ? [] : [backgroundColor]), ...own]);
  }
  return grounds.get(node);
};
const seen = new Set();
for (const node of document.body.querySelectorAll("*")) {
  if (![...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim())) continue;
  if (!node.checkVisibility({ visibilityProperty: true })) continue;
  const { color, fontSize, fontWeight } = getComputedStyle(node);
  const kind = [color, fontSize, fontWeight, ...under(node)].join("|");
  if (!seen.has(kind)) node.dataset.text = "";
  seen.add(kind);
}
return seen.size;
"""
# Takes out of the page, but not their text, the spans that colour a word and are nothing else: most of a page's elements are such, and axe weighs each.
SLIM = """
for (const span of [...document.querySelectorAll("article span")]) {
  const plain = !span.children.length && span.textContent.trim() && [...span.attributes].every(({ name }) => name === "class");
  if (plain) span.replaceWith(...span.childNodes);
}
document.querySelector("article").normalize();
"""
RUN_AXE = """
const [options, done] = arguments;
axe.run({ resultTypes: ["violations"], ...options }).then(({ violations }) => done(violations
  .filter(({ impact }) => ["serious", "critical"].includes(impact))
  .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" | ")}`)));
"""


@dataclass
class Seen:
    """What the browser saw of one page."""

    page: str
    server: str
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    live_quizzes: int = 0
    phone_width: int = 0
    runs_off: list[str] = field(default_factory=list)
    barriers: dict[str, list[str]] = field(default_factory=dict)
    file_requests: list[str] = field(default_factory=list)
    file_errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def address(built_book, serve) -> str:
    """The address of the folder that holds the book's pages."""
    site, _ = built_book
    return serve(site) + "/book"


@pytest.fixture(scope="session")
def chinese_address(chinese_book, serve) -> str:
    """The address of the site that holds both books."""
    site, _ = chinese_book
    return serve(site)


@pytest.fixture(scope="module", params=ALL)
def seen(request, driver, without_formulas) -> Seen:
    """One page, opened from the server and from its file."""
    chinese = request.param.startswith(CHINESE)
    site, _ = request.getfixturevalue("chinese_book" if chinese else "built_book")
    server = request.getfixturevalue("chinese_address" if chinese else "address").removesuffix("/book")
    path = f"{CHINESE if chinese else ''}book/{request.param.removeprefix(CHINESE)}.html"
    seen = Seen(request.param, server)
    driver.set_script_timeout(300)
    driver.get("about:blank")
    requests_of(driver), errors_of(driver)

    in_full = seen.page in IN_FULL
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    with contextlib.nullcontext() if in_full else without_formulas():
        open_page(driver, f"{server}/{path}", formulas=in_full)
    if not in_full:
        driver.execute_script(NO_FORMULAS)
    seen.live_quizzes = len(driver.find_elements(By.CSS_SELECTOR, ".unrolled-quiz.is-live"))
    seen.phone_width = driver.execute_script("return document.documentElement.scrollWidth")
    seen.runs_off = driver.execute_script(RUNS_OFF)

    driver.execute_script(PREPARE)
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})  # without formulas: with them a layout takes a second
    seen.requests, seen.errors = requests_of(driver), errors_of(driver)
    driver.execute_script(AXE)
    if not in_full:
        driver.execute_script(SLIM)
        seen.barriers["light"] = barriers(driver, ALL_BUT_COLOURS)
        return seen
    mark_colours(driver, "light")
    mark_colours(driver, "dark")
    driver.execute_script(SLIM)
    seen.barriers["dark"] = barriers(driver, COLOURS)
    set_mode(driver, "light")
    seen.barriers["light"] = barriers(driver, EVERYTHING)

    driver.get("about:blank")
    requests_of(driver), errors_of(driver)
    twice = seen.page in FORMULAS_TWICE
    with contextlib.nullcontext() if twice else without_formulas():
        open_page(driver, (site / path).as_uri(), formulas=twice)
    seen.file_requests, seen.file_errors = requests_of(driver), errors_of(driver)
    return seen


def mark_colours(browser, mode: str) -> None:
    """Switch to light or dark, and mark what axe is to look at for its colours."""
    set_mode(browser, mode)
    browser.execute_script(MARK)


def barriers(browser, options: dict) -> list[str]:
    """What axe says of a page."""
    return browser.execute_async_script(RUN_AXE, options)


def open_page(browser, url: str, formulas: bool = True) -> None:
    browser.get(url)
    WebDriverWait(browser, 60).until(lambda b: b.execute_script("return document.readyState") == "complete")
    if formulas and browser.find_elements(By.CSS_SELECTOR, ".math"):
        WebDriverWait(browser, 60).until(lambda b: b.find_elements(By.CSS_SELECTOR, "mjx-container"))


def set_mode(browser, mode: str) -> None:
    """Switch to light or dark, and wait until no colour is on its way from one to the other."""
    browser.execute_script("document.documentElement.dataset.theme = document.documentElement.dataset.mode = arguments[0]", mode)
    browser.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => Promise.allSettled(document.getAnimations().map((one) => one.finished)).then(() => done()))"
    )


def requests_of(browser) -> list[str]:
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith(("data:", "blob:", "about:"))]


def errors_of(browser) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_a_page_asks_only_its_own_server(seen):
    assert seen.requests, "the log of requests is empty"
    assert [url for url in seen.requests if not url.startswith(seen.server)] == []


def test_a_page_reports_no_error(seen):
    assert seen.errors == []


@pytest.mark.parametrize("seen", IN_FULL, indirect=True)
def test_a_page_works_from_a_file(seen):
    assert [url for url in seen.file_requests if not url.startswith("file:")] == []
    assert seen.file_errors == []


def test_a_page_does_not_run_off_a_phone(seen):
    assert seen.phone_width <= 390, f"the page is {seen.phone_width} pixels wide"
    assert seen.runs_off == []


@pytest.mark.parametrize("width", [600, 768, 992, 1100, 1199, 1200, 1920])
def test_a_chapter_does_not_run_off_a_window(browser, address, formulas_unset, width):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**PHONE, "width": width, "mobile": False})
    open_page(browser, f"{address}/gates/lstm.html", formulas=False)
    wide, room = browser.execute_script("const page = document.documentElement; return [page.scrollWidth, page.clientWidth]")
    assert wide <= room


def test_a_pages_quizzes_are_live(seen):
    assert seen.live_quizzes == (2 if seen.page.rsplit("/", 1)[-1] in QUIZZES else 0)


def test_axe_finds_no_serious_or_critical_issue(seen):
    assert seen.barriers["light"] == []


@pytest.mark.parametrize("seen", IN_FULL, indirect=True)
def test_axe_finds_no_serious_or_critical_issue_in_dark_mode(seen):
    assert seen.barriers["dark"] == []


def test_axe_finds_what_is_wrong(driver, address):
    open_page(driver, f"{address}/index.html")
    driver.execute_script("document.querySelector('article').insertAdjacentHTML('beforeend', arguments[0])", '<style>.pale { color: #ddd }</style><p><span class="pale">pale</span></p><input>')
    driver.execute_script(AXE)
    mark_colours(driver, "light")
    driver.execute_script(SLIM)
    assert {line.split(":")[0] for line in barriers(driver, ALL_BUT_COLOURS)} == {"critical label"}
    assert {line.split(":")[0] for line in barriers(driver, COLOURS)} == {"serious color-contrast"}


def test_a_right_answer_in_a_chapter_is_kept_over_a_reload(browser, address):
    open_page(browser, f"{address}/recurrence/rnn.html")
    form = browser.find_element(By.CSS_SELECTOR, "form[data-kind='one']")
    right = browser.execute_script("return JSON.parse(arguments[0].dataset.key).right[0]", form)
    browser.execute_script("arguments[0].querySelector(`input[value='${arguments[1]}']`).click()", form, right)
    browser.execute_script("arguments[0].querySelector('button[type=submit]').click()", form)
    assert "is-right" in form.get_attribute("class")
    browser.refresh()
    WebDriverWait(browser, 60).until(lambda b: b.find_elements(By.CSS_SELECTOR, "form[data-kind='one'].is-right"))
