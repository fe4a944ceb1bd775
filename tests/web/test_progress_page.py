"""My progress in a real browser: what the quizzes stored is counted, asked again, saved, loaded and cleared."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from unrolled import answers, quiz_terminal, quizzes

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

PREFIX = "unrolled.answer."
VERSION_1 = Path(__file__).parents[1] / "quizzes/version-1"


def event(question, right, minute=0):
    return {"id": f"{question} {minute}", "at": f"2026-11-28T12:{minute:02}:00.000Z", "question": question, "answer": "?", "right": right}


class Progress:
    """What a learner sees of the page and does to it."""

    def __init__(self, browser, url):
        self.browser, self.url = browser, url
        self.open()

    def open(self):
        self.browser.get(self.url)
        WebDriverWait(self.browser, 10).until(lambda _: self.all(".unrolled-progress.is-live"))

    def keep(self, **entries):
        """Put entries where the quizzes keep them, and open the page anew."""
        for key, text in entries.items():
            self.browser.execute_script("localStorage.setItem(arguments[0], arguments[1])", key, text)
        self.open()

    def answered(self, *events):
        self.keep(**{PREFIX + one["id"]: json.dumps(one) for one in events})

    def load(self, file):
        self.one("input[type=file]").send_keys(str(file))

    def save(self, folder):
        """Press the button that saves, and read the file."""
        self.browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
        self.do("export")
        saved = folder / "unrolled-quizzes.json"
        WebDriverWait(self.browser, 10).until(lambda _: saved.exists())
        return saved

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
        return {k: v for k, v in self.browser.execute_script("return {...localStorage}").items() if k.startswith("unrolled.")}

    def log(self):
        return answers.merged([json.loads(text) for key, text in self.stored().items() if key.startswith(PREFIX)])


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
    """Two questions of the chapter rnn."""
    return json.loads(page.one("tr[data-quiz='rnn']").get_attribute("data-ids"))[-2:]


def test_what_was_answered_is_counted_by_chapter_and_in_all(page, ids, requests, console_errors):
    page.answered(event(ids[0], True), event(ids[1], False))
    answered, first, missed = page.row("rnn")
    assert answered.startswith("2 of ") and (first, missed) == ("1", "1")
    assert page.one(".unrolled-progress-total").text.startswith("2 of ")
    assert not [url for url in requests() if not url.startswith(page.url.split("/book/")[0])]
    assert console_errors() == []


def test_a_missed_question_is_asked_again_by_keyboard_without_its_old_answer(page, ids):
    page.answered(event(ids[1], False, 1), event(ids[1], False, 2))
    page.do("review")
    forms = page.all(".unrolled-progress-asking form")
    assert [form.get_attribute("data-id") for form in forms] == [ids[1]]
    assert not forms[0].find_elements(By.CSS_SELECTOR, "input:checked")
    key = json.loads(forms[0].get_attribute("data-key"))
    inputs = forms[0].find_elements(By.CSS_SELECTOR, "input")
    assert page.browser.switch_to.active_element == inputs[0]
    if key["kind"] in ("one", "many"):
        for control in inputs:
            if control.get_attribute("value") in key["right"]:
                control.send_keys(Keys.SPACE)
    else:
        inputs[0].send_keys(str(key.get("answer", key.get("accept", [""])[0])))
    forms[0].find_element(By.CSS_SELECTOR, "button[type=submit]").send_keys(Keys.ENTER)
    assert forms[0].find_element(By.CSS_SELECTOR, ".unrolled-verdict").text == "Right."
    assert page.row("rnn")[2] == "0"
    standing = answers.standings(page.log())[ids[1]]
    assert standing.right and not standing.first and standing.answered == 3


def test_saved_answers_come_back_after_clearing(page, ids, tmp_path):
    page.answered(event(ids[1], False))
    saved = page.save(tmp_path)
    assert json.loads(saved.read_text()) == {"version": 2, "answers": [event(ids[1], False)]}
    page.do("clear")
    assert "again" in page.said() and page.stored()
    page.do("clear")
    assert page.stored() == {} and page.row("rnn")[2] == "0"
    page.load(saved)
    WebDriverWait(page.browser, 10).until(lambda _: page.said() == "Loaded: 1 answers, 1 of them new.")
    assert page.row("rnn")[2] == "1"


def test_the_logs_of_a_terminal_and_of_the_page_become_one_on_both_sides(page, ids, tmp_path, course, monkeypatch):
    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path / "state"))
    folder, console = course / "book/quizzes", Console(file=io.StringIO())
    questions = {one.id: one for one in quizzes.find("rnn", folder).after}
    terminal = quiz_terminal.Progress.load(folder, console)
    terminal.record(questions[ids[0]], ["a"], False)
    page.answered(event(ids[0], True), event(ids[1], True))
    quiz_terminal.export_progress(tmp_path / "terminal.json", folder, console)
    for said in ["Loaded: 1 answers, 1 of them new.", "Loaded: 1 answers, 0 of them new."]:
        page.load(tmp_path / "terminal.json")
        WebDriverWait(page.browser, 10).until(lambda _, said=said: page.said() == said)
    assert quiz_terminal.import_progress(page.save(tmp_path), folder, console) == (3, 2)
    assert quiz_terminal.Progress.load(folder, console).log == page.log()
    assert page.row("rnn") == [f"2 of {len(json.loads(page.one('tr[data-quiz=rnn]').get_attribute('data-ids')))}", "2", "1"]


def test_a_browser_as_version_1_left_it_is_taken_over_as_a_whole(page, tmp_path):
    former = json.loads((VERSION_1 / "local-storage.json").read_text())
    page.keep(**former)
    assert [page.row(name)[1:] for name in ("gru", "rnn-scratch", "gradients")] == [["3", "1"], ["1", "0"], ["0", "1"]]
    assert page.one(".unrolled-progress-total").text.startswith("13 of ")
    assert not any(key.startswith("unrolled.quiz.v1.") for key in page.stored())
    page.load(VERSION_1 / "page-export.json")  # the same answers, saved by version 1
    WebDriverWait(page.browser, 10).until(lambda _: page.said() == "Loaded: 13 answers, 0 of them new.")


def test_page_and_package_make_the_same_of_what_version_1_saved(page, course):
    names = quizzes.version_1_names(course / "book/quizzes")
    for name in ["page-export.json", "terminal.json"]:
        page.load(VERSION_1 / name)
        WebDriverWait(page.browser, 10).until(lambda _: page.said().startswith("Loaded: "))
        page.browser.execute_script("document.querySelector('.unrolled-progress-said').textContent = ''")
    logs = [answers.read((VERSION_1 / name).read_text(), names)[0] for name in ["page-export.json", "terminal.json"]]
    assert page.log() == answers.merged(*logs)
    seen = page.browser.execute_script("return [...unrolledAnswers.log.standings()]")
    assert {question: answers.Standing(**standing) for question, standing in seen} == answers.standings(page.log())


@pytest.mark.parametrize("content", [
    "no json", "[]", '{"version": 1, "questions": {"rnn.after.x": {"answered": "many"}}}', '{"version": 2}',
    '{"version": 2, "answers": [{"id": "x"}]}', '{"version": 2, "answers": [null]}', '{"version": 3, "answers": []}',
])  # fmt: skip
def test_a_file_of_something_else_is_refused_and_changes_nothing(page, ids, tmp_path, content):
    page.answered(event(ids[1], False))
    before = page.stored()
    (tmp_path / "other.json").write_text(content)
    page.load(tmp_path / "other.json")
    WebDriverWait(page.browser, 10).until(lambda _: "nothing was changed" in page.said())
    assert page.stored() == before


def test_a_damaged_entry_is_said_as_long_as_it_lies_aside(page):
    page.keep(**{PREFIX + "x": "damaged"})
    for _ in range(2):
        assert page.said() == (
            "Answers kept in this browser that could not be understood: 1. They are set aside, under another name, and not counted."
        )
        page.open()
    assert page.stored() == {"unrolled.damaged." + PREFIX + "x": "damaged"}


def test_without_anything_to_review_the_page_asks_nothing(page):
    assert not page.one("[data-do='review']").is_enabled()
    assert page.all(".unrolled-progress-asking form") == []
