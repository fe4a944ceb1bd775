"""The book in two languages in a real browser: search in Chinese, and the link to the other language. What holds for every page is in `test_book_pages`."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("formulas_unset")]

COMPOUNDS = ["梯度消失", "循环神经网络", "长短期记忆", "留出文本", "通过时间反向传播"]  # of two to four words each


@pytest.fixture(scope="module")
def address(chinese_book, serve):
    site, _ = chinese_book
    return serve(site)


def opened(browser, url):
    browser.get(url)
    WebDriverWait(browser, 30).until(lambda one: one.execute_script("return document.readyState") == "complete")


@pytest.mark.parametrize("compound", COMPOUNDS)
def test_a_compound_term_is_found(browser, address, compound):
    opened(browser, f"{address}/zh_CN/search.html?q={quote(compound)}")
    found = "return [...document.querySelectorAll('#search-results li a')].some((one) => one.href.includes('glossary'))"
    assert WebDriverWait(browser, 60).until(lambda one: one.execute_script(found))  # results come one after the other


def test_what_the_book_does_not_have_is_not_found(browser, address):
    opened(browser, f"{address}/zh_CN/search.html?q={quote('量子色动力学')}")
    WebDriverWait(browser, 30).until(lambda one: "没有" in one.find_element(By.ID, "search-results").text or "未" in one.find_element(By.ID, "search-results").text)
    assert browser.find_elements(By.CSS_SELECTOR, "#search-results li a") == []


@pytest.mark.parametrize(("here", "there", "name"), [("", "zh_CN/", "中文"), ("zh_CN/", "", "English")])
def test_the_link_to_the_other_language_leads_to_the_section_that_is_read(browser, address, here, there, name):
    opened(browser, f"{address}/{here}book/gates/lstm.html")
    sections = browser.execute_script("return [...document.querySelectorAll('article section[id]')].map((one) => one.id)")
    browser.execute_script("document.getElementById(arguments[0]).scrollIntoView()", sections[3])
    link = browser.find_element(By.CSS_SELECTOR, ".unrolled-language")
    assert link.text == name
    browser.execute_script("arguments[0].click()", link)
    WebDriverWait(browser, 30).until(lambda one: urlsplit(one.current_url).path == f"/{there}book/gates/lstm.html")
    anchor = urlsplit(browser.current_url).fragment
    assert browser.execute_script("return document.getElementById(arguments[0])?.closest('section').id", anchor) == sections[3]


@pytest.mark.parametrize(("here", "there"), [("", "zh_CN/"), ("zh_CN/", "")])
def test_without_a_script_the_link_leads_to_the_page(browser, address, here, there):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(f"{address}/{here}book/gates/lstm.html")
    browser.find_element(By.CSS_SELECTOR, ".unrolled-language").click()
    WebDriverWait(browser, 30).until(lambda one: urlsplit(one.current_url).path == f"/{there}book/gates/lstm.html")


def test_a_page_at_its_top_leads_to_the_top_of_the_other(browser, address):
    opened(browser, f"{address}/book/index.html")
    assert browser.find_element(By.CSS_SELECTOR, ".unrolled-language").get_attribute("href") == f"{address}/zh_CN/book/index.html"


def test_a_moving_figure_speaks_chinese(browser, address):
    opened(browser, f"{address}/zh_CN/book/recurrence/rnn.html")
    said = WebDriverWait(browser, 30).until(lambda one: one.find_element(By.CSS_SELECTOR, ".try-said").text)
    assert "状态" in said
