"""The tabs of the four dialects in a real browser: chosen with the keyboard, and remembered by every page."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("formulas_unset")]
CHOSEN = """
return [...document.querySelectorAll(".sd-tab-set")].map((set) => set.querySelector(":scope > input:checked + label").textContent.trim());
"""
FOLDED = ".admonition.dropdown:has(.sd-tab-set)"


@pytest.fixture(scope="session")
def address(built_book, serve) -> str:
    """The address of the folder that holds the book's pages."""
    return serve(built_book[0]) + "/book"


@pytest.fixture
def chapter(browser, address):
    """A chapter whose folded tabs were opened with the keyboard."""
    browser.get(f"{address}/gates/lstm.html")
    box = browser.find_element(By.CSS_SELECTOR, FOLDED)
    soon = WebDriverWait(browser, 30)
    soon.until(lambda _: box.find_elements(By.CSS_SELECTOR, "button.toggle-button"))[0].send_keys(Keys.ENTER)
    soon.until(lambda _: box.find_element(By.CSS_SELECTOR, ".sd-tab-label").is_displayed())
    return box


def test_the_open_tab_shows_its_own_code_and_no_other(chapter):
    assert "convert.Network" in chapter.text and "nn.LSTM" not in chapter.text


def test_a_tab_is_chosen_with_the_keyboard(browser, chapter):
    chosen = chapter.find_element(By.CSS_SELECTOR, ".sd-tab-set > input:checked")
    browser.execute_script("arguments[0].focus()", chosen)
    chosen.send_keys(Keys.ARROW_RIGHT)
    assert browser.execute_script(CHOSEN) == ["torch"]
    assert "nn.LSTM" in chapter.text and "convert.Network" not in chapter.text


def test_the_choice_is_remembered_by_every_page(browser, address, chapter):
    chapter.find_element(By.XPATH, ".//label[normalize-space() = 'JAX']").click()
    for page in ("gates/lstm", "recurrence/rnn", "appendix/frameworks"):
        browser.get(f"{address}/{page}.html")
        assert set(browser.execute_script(CHOSEN)) == {"JAX"}, page


def test_one_choice_turns_all_tabs_of_a_page(browser, address):
    browser.get(f"{address}/appendix/frameworks.html")
    sets = browser.execute_script(CHOSEN)
    assert len(sets) >= 9 and set(sets) == {"NumPy"}
    browser.find_element(By.XPATH, "//label[contains(@class, 'sd-tab-label') and normalize-space() = 'Keras']").click()
    assert set(browser.execute_script(CHOSEN)) == {"Keras"}
