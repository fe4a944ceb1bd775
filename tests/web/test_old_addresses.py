"""An old address in a real browser."""

from __future__ import annotations

import pytest
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("anchor", ["scratch-warm-up", "equation-eq-scratch-temperature"])
def test_an_old_address_leads_to_the_page_on_which_its_section_stands_today(browser, built_book, anchor):
    site, _ = built_book
    browser.get(f"{(site / 'book/recurrence/rnn-scratch.html').as_uri()}#{anchor}")
    WebDriverWait(browser, 20).until(lambda browser: browser.current_url.endswith(f"book/recurrence/decoding.html#{anchor}"))
    assert browser.find_element("id", anchor)


def test_an_address_that_never_was_stays_where_it_is(browser, built_book):
    site, _ = built_book
    address = f"{(site / 'book/recurrence/rnn-scratch.html').as_uri()}#never-was"
    browser.get(address)
    WebDriverWait(browser, 20).until(lambda browser: browser.execute_script("return window.unrolledAnchors !== undefined"))
    assert browser.current_url == address
