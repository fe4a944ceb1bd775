"""Marking an answer in nbgrader's formgrader, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

IGNORED = (NoSuchElementException, StaleElementReferenceException)
WITHIN = 60  # seconds, for a page
# What was marked before is fetched when the page is there already, and then shown: what was typed until then would be gone.
READY = "return Boolean(window.formgrader && formgrader.grades && formgrader.grades.loaded && formgrader.comments && formgrader.comments.loaded)"


def until(browser: WebDriver, found: Callable[[WebDriver], object], within: float = WITHIN) -> object:
    """Wait until `found` gives something on the page, and give that. The page may be built anew in between."""
    return WebDriverWait(browser, within, poll_frequency=0.1, ignored_exceptions=IGNORED).until(found)


def mark(browser: WebDriver, points: float, comment: str | None = None) -> None:
    """Type points, and a comment, for the explanation of the submission on the page, and wait until the formgrader has saved them."""
    until(browser, lambda b: b.execute_script(READY))
    browser.execute_script("window.saved = 0; $(document).on('finished_saving', () => { window.saved += 1; })")
    typed = {"explanation": str(points)} | ({"explanation-comment": comment} if comment else {})
    for where, text in typed.items():
        field = browser.find_element(By.ID, where)
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", field)
        field.clear()
        field.send_keys(text)
    browser.execute_script("document.activeElement.blur()")
    until(browser, lambda b: b.execute_script("return window.saved") >= len(typed))
