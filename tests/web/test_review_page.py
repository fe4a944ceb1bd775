"""Review in a real browser: the same days as the package, what is due is asked, and the title page says how much that is."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import unrolled
from unrolled import answers
from unrolled.yours import review

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]

STATIC = Path(unrolled.__file__).parent / "site" / "static"
START = datetime(2026, 1, 1, tzinfo=UTC)


def history(rng: random.Random, questions: int) -> list[answers.Event]:
    """Answers at random times over two years, some questions with undated ones, one that was reset."""
    log: list[answers.Event] = []
    for number in range(questions):
        question, at = f"q{number}", START + timedelta(hours=rng.uniform(0, 50))
        if rng.random() < 0.3:
            log.append({"id": f"v1 {number}", "at": None, "question": question, "answer": ["a"], "right": rng.random() < 0.5, "first": True, "answered": 2})
        for _ in range(rng.randrange(0 if log else 1, 9)):
            log.append(answers.answer_event(question, ["a"], rng.random() < 0.7, log, at))
            at += timedelta(days=rng.choice([0.01, 0.5, 1, 3, 10, 60, 200]) * rng.uniform(0.9, 1.1))
        if rng.random() < 0.1 and log[-1]["question"] == question:
            log.append({"id": f"reset {number}", "at": answers.answer_event(question, ["a"], True, log, at)["at"], "question": question, "reset": True})
    return log


def in_milliseconds(time: datetime | None) -> float | None:
    return time and round(time.timestamp() * 1000)


@pytest.fixture
def scheduler(browser, tmp_path):
    """A page with nothing but the two scripts."""
    scripts = "".join(f'<script src="{(STATIC / name).as_uri()}"></script>' for name in ("unrolled-answers.js", "unrolled-schedule.js"))
    (tmp_path / "page.html").write_text(f"<!doctype html><title>scripts</title>{scripts}")
    browser.get((tmp_path / "page.html").as_uri())
    return browser


@pytest.mark.parametrize("seed", range(4))
def test_page_and_package_choose_the_same_days(scheduler, seed):
    log = history(random.Random(seed), 100)
    theirs = scheduler.execute_script("return [...window.unrolledSchedule.schedule(arguments[0]).values()]", log)
    ours = review.schedule(log)
    assert {one["question"] for one in theirs} == set(ours) != set()
    for one in theirs:
        mine = ours[one["question"]]
        assert (one["due"], one["last"], one["missed"]) == (in_milliseconds(mine.due), in_milliseconds(mine.last), mine.missed)
        assert one["stability"] == pytest.approx(mine.stability, rel=1e-9) and one["difficulty"] == pytest.approx(mine.difficulty, rel=1e-9)


def test_page_and_package_ask_in_the_same_order(scheduler):
    log, now = history(random.Random(9), 60), START + timedelta(days=100)
    ids = [f"q{number}" for number in range(50)]
    code = "return window.unrolledSchedule.dueNow(arguments[0], arguments[1], arguments[2]).map(({question}) => question)"
    theirs = scheduler.execute_script(code, log, in_milliseconds(now), ids)
    assert theirs == [one.question for one in review.due_now(log, now, ids)] != []


# --- The page ----------------------------------------------------------------------------------


class Review:
    """What a learner sees of the page and does to it."""

    def __init__(self, browser, url):
        self.browser, self.url = browser, url
        self.open()
        self.ids = json.loads(self.one(".unrolled-review").get_attribute("data-ids"))

    def open(self):
        self.browser.get(self.url)
        WebDriverWait(self.browser, 10).until(lambda _: self.all(".unrolled-review.is-live"))

    def answered(self, *given):
        """Keep answers as the quizzes do: (question, right, days ago)."""
        for question, right, days in given:
            event = answers.answer_event(question, ["a"], right, [], datetime.now(UTC) - timedelta(days=days))
            self.browser.execute_script("localStorage.setItem(arguments[0], arguments[1])", f"unrolled.answer.{event['id']}", json.dumps(event))
        self.open()

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def press(self, name):
        self.one(f"[data-do='{name}']").send_keys(Keys.ENTER)

    def asked(self):
        return [form.get_attribute("data-id") for form in self.all(".unrolled-progress-asking form")]

    def stand(self):
        return self.one(".unrolled-review-stand").text


@pytest.fixture
def page(browser, built_book):
    return Review(browser, (built_book[0] / "book/review.html").as_uri())


def test_what_is_due_is_asked_one_after_another_missed_ones_first(page, console_errors):
    first, second, later = page.ids[:3]
    page.answered((first, True, 20), (second, False, 5), (later, True, 0.6))
    assert page.stand().startswith("Due today: 2.")
    page.press("start")
    assert page.asked() == [second]
    page.press("next")
    assert page.asked() == [first]
    page.press("next")
    assert page.asked() == [] and "Done for today" in page.one(".unrolled-progress-said").text
    assert console_errors() == []


def test_an_answer_takes_the_question_from_what_is_due(page):
    question = page.ids[0]
    page.answered((question, False, 5))
    page.press("start")
    form = page.one(".unrolled-progress-asking form")
    control = form.find_elements(By.CSS_SELECTOR, "input")[0]
    control.send_keys(Keys.SPACE if control.get_attribute("type") in ("radio", "checkbox") else "1")
    form.find_element(By.CSS_SELECTOR, "button[type=submit]").send_keys(Keys.ENTER)
    assert page.stand().startswith("Due today: 0.")


def test_after_five_minutes_it_says_that_the_rest_can_wait(page):
    page.answered(*((question, False, 5) for question in page.ids[:3]))
    page.press("start")
    page.browser.execute_script("const now = Date.now; Date.now = () => now() + 6 * 60000")
    page.press("next")
    assert page.asked() == [] and "Five minutes are over. Still due: 2." in page.one(".unrolled-progress-said").text
    page.press("next")
    assert len(page.asked()) == 1


def test_without_any_answer_it_says_how_questions_come_to_it(page):
    assert "You have not answered any" in page.stand()
    assert not page.one("[data-do='start']").is_enabled()


def test_the_title_page_says_how_many_are_due_and_nothing_where_none_is(page):
    page.answered((page.ids[0], False, 5), (page.ids[1], False, 5))
    page.browser.get(page.url.replace("review.html", "index.html"))
    shown = page.one(".unrolled-due")
    assert shown.text.startswith("Questions to review today: 2.")
    assert shown.find_element(By.CSS_SELECTOR, "a").get_attribute("href").endswith("review.html")
    page.browser.execute_script("localStorage.clear()")
    page.browser.refresh()
    assert not page.one(".unrolled-due").is_displayed()


def test_a_history_from_the_terminal_and_the_pages_own_give_the_days_of_both(page, course, tmp_path, monkeypatch):
    import io

    from rich.console import Console

    from unrolled import quiz_terminal

    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path))
    question = page.ids[0]
    now = datetime.now(UTC)
    folder, console = course / "book" / "quizzes", Console(file=io.StringIO())
    quiz_terminal.Progress.load(folder, console).add([answers.answer_event(question, ["a"], True, [], now - timedelta(days=20))])
    quiz_terminal.export_progress(tmp_path / "terminal.json", folder, console)
    page.answered((question, False, 10))
    own = page.browser.execute_script("return window.unrolledAnswers.log.events()")
    page.browser.get(page.url.replace("review.html", "progress.html"))
    page.one("input[type=file]").send_keys(str(tmp_path / "terminal.json"))
    WebDriverWait(page.browser, 10).until(lambda _: "1 of them new" in page.one(".unrolled-progress-said").text)
    page.open()
    theirs = page.browser.execute_script("const l = window.unrolledAnswers.log.events(); return [...window.unrolledSchedule.schedule(l).values()]")
    (tmp_path / "page.json").write_text(answers.write(own))
    quiz_terminal.import_progress(tmp_path / "page.json", folder, console)
    ours = review.schedule(quiz_terminal.Progress.load(folder, console).log)[question]
    assert theirs[0]["due"] == in_milliseconds(ours.due) and theirs[0]["stability"] == pytest.approx(ours.stability)


# --- Mistakes of one's own ---------------------------------------------------------------------

TASK, NAME = "rnn_forward", "state-not-carried"
MISTAKE = f"mistake {TASK} {NAME}"


@pytest.fixture
def terminal(course, tmp_path, monkeypatch):
    """A terminal of a learner whose check has named a mistake: a function that runs a command there."""
    from typer.testing import CliRunner

    from unrolled.checks import TASKS, met, run
    from unrolled.checks.observe import in_process
    from unrolled.cli import app

    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    met.remember(run.run(TASKS[TASK], in_process(next(one for one in TASKS[TASK].mistakes if one.name == NAME).function)))
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments]).output


def load(page, file):
    page.browser.get(page.url.replace("review.html", "progress.html"))
    page.one("input[type=file]").send_keys(str(file))
    WebDriverWait(page.browser, 10).until(lambda _: "of them new" in page.one(".unrolled-progress-said").text)


def ask_of_the_mistake(page):
    """Open the review and start it; the form of the first question."""
    page.open()
    WebDriverWait(page.browser, 10).until(lambda _: page.stand().startswith("Due today: 1."))
    page.press("start")
    return WebDriverWait(page.browser, 10).until(lambda _: page.all(".unrolled-progress-asking form"))[0]


def test_a_mistake_that_a_check_in_the_terminal_named_is_asked_in_the_page_and_then_in_neither(page, terminal, tmp_path, console_errors):
    from unrolled.yours import mistakes

    terminal("quiz", "--export", tmp_path / "terminal.json")
    load(page, tmp_path / "terminal.json")
    form = ask_of_the_mistake(page)
    question = mistakes.question(TASK, NAME)
    assert form.get_attribute("data-id") == MISTAKE and "Error at step 1, 2, 3" in form.text
    assert page.one(".unrolled-progress-asking .unrolled-quiz-title").text == f"A mistake of your own, in {TASK}"
    controls = form.find_elements(By.CSS_SELECTOR, "input")
    assert [control.get_attribute("value") for control in controls] == [choice.id for choice in question.shown]
    next(control for control in controls if control.get_attribute("value") == NAME).send_keys(Keys.SPACE)
    form.find_element(By.CSS_SELECTOR, "button[type=submit]").send_keys(Keys.ENTER)
    assert form.find_element(By.CSS_SELECTOR, ".unrolled-verdict").text == "Right."
    assert [item.text for item in form.find_elements(By.CSS_SELECTOR, ".unrolled-item") if item.is_displayed()][0].startswith("Yes.")
    assert page.stand().startswith("Due today: 0.")
    (tmp_path / "page.json").write_text(answers.write(page.browser.execute_script("return window.unrolledAnswers.log.events()")))
    assert terminal("review", "--due").startswith("1 questions are due")
    assert "1 of them new" in terminal("quiz", "--import", tmp_path / "page.json")
    assert terminal("review", "--due").startswith("0 questions are due")
    assert console_errors() == []


def test_a_mistake_that_was_met_in_the_page_is_asked_in_the_terminal(page, terminal, tmp_path, monkeypatch):
    page.browser.execute_script("window.unrolledAnswers.log.meet(arguments[0])", MISTAKE)
    (tmp_path / "page.json").write_text(answers.write(page.browser.execute_script("return window.unrolledAnswers.log.events()")))
    assert "1 answers, 1 of them new" in terminal("quiz", "--import", tmp_path / "page.json")
    assert terminal("review", "--due").startswith("1 questions are due")  # and not two: it is the one that a check there has named
    monkeypatch.setenv("UNROLLED_STATE", str(tmp_path / "another"))
    terminal("quiz", "--import", tmp_path / "page.json")
    assert "your own mistakes" in terminal("review")


def test_a_wrong_choice_says_what_it_would_show_and_what_to_reread(page):
    page.browser.execute_script("window.unrolledAnswers.log.meet(arguments[0])", MISTAKE)
    form = ask_of_the_mistake(page)
    next(one for one in form.find_elements(By.CSS_SELECTOR, "input") if one.get_attribute("value") != NAME).send_keys(Keys.SPACE)
    form.find_element(By.CSS_SELECTOR, "button[type=submit]").send_keys(Keys.ENTER)
    told, reread = [item for item in form.find_elements(By.CSS_SELECTOR, ".unrolled-item") if item.is_displayed()]
    assert "that would show something else" in told.text
    target = reread.find_element(By.CSS_SELECTOR, "a").get_attribute("href")
    page.browser.get(target)
    assert page.browser.execute_script("return document.getElementById(decodeURIComponent(location.hash.slice(1))) !== null")


def test_a_mistake_that_the_course_no_longer_has_is_not_asked(page):
    page.browser.execute_script("window.unrolledAnswers.log.meet('mistake rnn_forward gone')")
    page.open()
    WebDriverWait(page.browser, 10).until(lambda _: page.browser.execute_script("return Object.keys(window.unrolledMistakes.index).length > 0"))
    assert "You have not answered any" in page.stand()


def test_the_page_is_accessible_while_it_asks_about_a_mistake(page):
    page.browser.execute_script("window.unrolledAnswers.log.meet(arguments[0])", MISTAKE)
    ask_of_the_mistake(page)
    found = Axe().run(page.browser, ".unrolled-review")
    assert [(one["id"], [node["html"][:80] for node in one["nodes"]]) for one in found["violations"]] == []


def test_the_page_is_accessible_while_it_asks(page):
    page.answered((page.ids[0], False, 5))
    page.press("start")
    found = Axe().run(page.browser, ".unrolled-review")
    assert [(one["id"], [node["html"][:80] for node in one["nodes"]]) for one in found["violations"]] == []
