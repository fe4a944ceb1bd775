"""My progress in a real browser: what the quizzes stored is counted, asked again, saved, loaded and cleared."""

from __future__ import annotations

import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

PREFIX = "unrolled.quiz.v1."
RIGHT = {"answered": 1, "correct": True, "first": True, "response": [0]}
WRONG = {"answered": 2, "correct": False, "first": False, "response": [1]}


class Progress:
    """What a learner sees of the page and does to it."""

    def __init__(self, browser, url):
        self.browser, self.url = browser, url
        self.open()

    def open(self):
        self.browser.get(self.url)
        WebDriverWait(self.browser, 10).until(lambda _: self.all(".unrolled-progress.is-live"))

    def keep(self, key, record):
        """Put an answer where the quizzes keep it, and open the page anew."""
        self.browser.execute_script("localStorage.setItem(arguments[0], arguments[1])", PREFIX + key, json.dumps(record))
        self.open()

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def row(self, quiz):
        return [cell.text for cell in self.all(f"tr[data-quiz='{quiz}'] [data-cell]")]

    def do(self, name):
        button = self.one(f"[data-do='{name}']")
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", button)
        button.click()

    def said(self):
        return self.one(".unrolled-progress-said").text

    def stored(self):
        return {k: v for k, v in self.browser.execute_script("return {...localStorage}").items() if k.startswith(PREFIX)}


@pytest.fixture(params=["served", "file"])
def url(request, built_book, serve):
    site, _ = built_book
    page = "book/progress.html"
    return f"{serve(site)}/{page}" if request.param == "served" else (site / page).as_uri()


@pytest.fixture
def page(browser, url):
    return Progress(browser, url)


@pytest.fixture
def ids(page):
    """The first two questions after the chapter rnn, by the key under which they are kept."""
    listed = json.loads(page.one("tr[data-quiz='rnn']").get_attribute("data-ids"))
    return [f"rnn.after.{name}" for name in listed["after"][:2]]


def test_what_was_answered_is_counted_by_chapter_and_in_all(page, ids, requests, console_errors):
    page.keep(ids[0], RIGHT)
    page.keep(ids[1], WRONG)
    answered, first, missed = page.row("rnn")
    assert answered.startswith("2 of ") and (first, missed) == ("1", "1")
    assert page.one(".unrolled-progress-total").text.startswith("2 of ")
    assert not [url for url in requests() if not url.startswith(page.url.split("/book/")[0])]
    assert console_errors() == []


def test_a_missed_question_is_asked_again_by_keyboard_without_its_old_answer(page, ids):
    page.keep(ids[1], WRONG)
    page.do("review")
    forms = page.all(".unrolled-progress-asking form")
    assert [form.get_attribute("data-id") for form in forms] == [ids[1].split(".")[-1]]
    assert not forms[0].find_elements(By.CSS_SELECTOR, "input:checked")
    key = json.loads(forms[0].get_attribute("data-key"))
    inputs = forms[0].find_elements(By.CSS_SELECTOR, "input")
    assert page.browser.switch_to.active_element == inputs[0]
    if key["kind"] in ("one", "many"):
        for index in key["right"]:
            inputs[index].send_keys(Keys.SPACE)
    else:
        inputs[0].send_keys(str(key.get("answer", key.get("accept", [""])[0])))
    forms[0].find_element(By.CSS_SELECTOR, "button[type=submit]").send_keys(Keys.ENTER)
    assert forms[0].find_element(By.CSS_SELECTOR, ".unrolled-verdict").text == "Right."
    assert page.row("rnn")[2] == "0"
    record = json.loads(page.stored()[PREFIX + ids[1]])
    assert record["correct"] and not record["first"] and record["answered"] == 3


def test_saved_answers_come_back_after_clearing(page, ids, tmp_path):
    page.keep(ids[1], WRONG)
    page.browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.do("export")
    saved = tmp_path / "unrolled-quizzes.json"
    WebDriverWait(page.browser, 10).until(lambda _: saved.exists())
    assert json.loads(saved.read_text()) == {"version": 1, "questions": {ids[1]: WRONG}}
    page.do("clear")
    assert "again" in page.said() and page.stored()
    page.do("clear")
    assert page.stored() == {} and page.row("rnn")[2] == "0"
    page.one("input[type=file]").send_keys(str(saved))
    WebDriverWait(page.browser, 10).until(lambda _: page.said() == "Loaded: 1 answers.")
    assert page.row("rnn")[2] == "1"


@pytest.mark.parametrize("content", ["no json", '{"version": 1, "questions": {"rnn.after.x": {"answered": "many"}}}', "[]"])
def test_a_file_of_something_else_is_refused_and_changes_nothing(page, ids, tmp_path, content):
    page.keep(ids[1], WRONG)
    before = page.stored()
    (tmp_path / "other.json").write_text(content)
    page.one("input[type=file]").send_keys(str(tmp_path / "other.json"))
    WebDriverWait(page.browser, 10).until(lambda _: "nothing was changed" in page.said())
    assert page.stored() == before


def test_without_anything_to_review_the_page_asks_nothing(page):
    assert not page.one("[data-do='review']").is_enabled()
    assert page.all(".unrolled-progress-asking form") == []
