"""Quizzes in a real browser: answered by mouse and by keyboard, kept, reset, and without any network."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from unrolled import answers, quizzes
from unrolled.site.quiz import page_key

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("web")]  # one browser and one book are enough

SMALL_BOOK = Path(__file__).parents[1] / "quizzes/small-book"
PREFIX = "unrolled.answer."
PREFIX_1 = "unrolled.quiz.v1.rnn."


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The small book, built by jupyter-book; warnings are errors."""
    folder = tmp_path_factory.mktemp("small-book") / "book"
    shutil.copytree(SMALL_BOOK, folder)
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "--keep-going", "-n"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "_build/html"


@pytest.fixture(scope="session")
def address(site, serve) -> str:
    """The address of the page with the quizzes."""
    return serve(site) + "/book/index.html"


class Page:
    """What a learner sees of the page and does to it."""

    def __init__(self, browser, url: str) -> None:
        self.browser = browser
        self.open(url)

    def open(self, url: str) -> None:
        self.browser.get(url)
        WebDriverWait(self.browser, 10).until(lambda _: self.all(".unrolled-quiz.is-live"))

    def reload(self) -> None:
        self.open(self.browser.current_url)

    def all(self, selector: str) -> list:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def question(self, name: str):
        return self.one(f"form[data-id='{name}']")

    def click(self, element) -> None:
        """Click where the theme's header does not cover it."""
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()

    def choose(self, name: str, choices: str) -> None:
        """Click on choices, each named by a letter."""
        for choice in choices:
            control = self.question(name).find_element(By.CSS_SELECTOR, f"input[value='{choice}']")
            self.click(self.one(f"label[for='{control.get_attribute('id')}']"))

    def type(self, name: str, text: str) -> None:
        field = self.question(name).find_element(By.CSS_SELECTOR, ".unrolled-entry input")
        field.clear()
        field.send_keys(text)

    def check(self, name: str) -> None:
        self.click(self.question(name).find_element(By.CSS_SELECTOR, "button[type=submit]"))

    def feedback(self, name: str) -> list[str]:
        """The lines that the live region shows."""
        return self.question(name).find_element(By.CSS_SELECTOR, "[aria-live=polite]").text.splitlines()

    def progress(self, part: str) -> str:
        return self.one(f"#quiz-rnn-{part} .unrolled-quiz-progress").text

    def press(self, *keys: str) -> None:
        """Press keys where the focus is; nothing else is touched."""
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def tab_to(self, selector: str, key: str = Keys.TAB) -> None:
        """Press Tab until the focus is on what the selector names. (Formulas are stops on the way.)"""
        for _ in range(100):
            self.press(key)
            if self.browser.execute_script("return document.activeElement.matches(arguments[0])", selector):
                return
        raise AssertionError(f"Tab does not reach {selector}")

    def storage(self) -> dict:
        """What the browser keeps of the course, as it is."""
        keep = self.browser.execute_script("return {...localStorage}")
        return {key: text for key, text in keep.items() if key.startswith("unrolled.")}

    def keep(self, key: str, text: str) -> None:
        self.browser.execute_script("localStorage.setItem(arguments[0], arguments[1])", key, text)

    def log(self) -> list:
        """The events that the browser keeps, in order."""
        return answers.merged([json.loads(text) for key, text in self.storage().items() if key.startswith(PREFIX)])

    def stored(self) -> dict:
        """How each question stands by what the browser keeps."""
        return answers.standings(self.log())


@pytest.fixture
def small_quiz() -> quizzes.Quiz:
    return quizzes.load(SMALL_BOOK / "book/quizzes/rnn.yml")


@pytest.fixture
def page(browser, address) -> Page:
    return Page(browser, address)


# By mouse


def test_a_wrong_choice_gets_its_own_feedback_and_a_section_to_reread(page):
    page.choose("shape-of-h", "b")
    page.check("shape-of-h")
    shown = page.feedback("shape-of-h")
    assert shown[0] == "Not yet."
    assert shown[1].startswith("That is the transpose")
    assert shown[-1] == "Reread: The hidden state"


def test_the_right_choice_gets_its_own_feedback_and_no_section(page):
    page.choose("shape-of-h", "a")
    page.check("shape-of-h")
    assert page.feedback("shape-of-h") == ["Right.", "Yes, one row for each sequence of the batch."]


def test_each_selected_box_gets_its_feedback(page):
    page.choose("what-grows", "ab")
    page.check("what-grows")
    assert page.feedback("what-grows") == [
        "Not yet.",
        "Right: the memory of backpropagation",
        "Yes, a state is kept for each step.",
        "Wrong: the number of parameters",
        "No, every step uses the same weights.",
    ]


def test_some_of_the_right_boxes_are_said_to_be_not_all(page):
    page.choose("what-grows", "b")
    page.check("what-grows")
    assert page.feedback("what-grows")[0] == "Not yet. " + quizzes.INCOMPLETE


def test_all_right_boxes_are_right(page):
    page.choose("what-grows", "bc")
    page.check("what-grows")
    assert page.feedback("what-grows")[0] == "Right."


@pytest.mark.parametrize(
    ("name", "typed", "feedback"),
    [
        ("parameters", "32", ["Right.", "Yes,"]),
        ("parameters", "28", ["Not yet.", "The bias is left out."]),
        ("parameters", "1e2", ["Not yet.", "Count"]),
        ("its-name", " bptt ", ["Right.", "Yes, it is the chain rule on the unrolled graph."]),
        ("its-name", "Backpropagation", ["Not yet.", "Yes, but through what?"]),
        ("its-name", "magic", ["Not yet.", "Its name says along what it goes."]),
    ],
)
def test_a_typed_answer_gets_the_feedback_that_fits(page, name, typed, feedback):
    page.type(name, typed)
    page.check(name)
    shown = page.feedback(name)
    assert shown[0] == feedback[0]
    assert shown[1].startswith(feedback[1])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shape-of-h", "Choose an answer first."),
        ("what-grows", "Choose an answer first."),
        ("parameters", "Type a number, such as 0.25 or 1e-3."),
        ("its-name", "Type an answer first."),
    ],
)
def test_no_answer_is_asked_for_and_not_counted(page, name, message):
    page.check(name)
    assert page.feedback(name) == [message]
    assert page.stored() == {}
    assert page.browser.execute_script("return document.activeElement.closest('form').dataset.id") == name


def test_a_changed_answer_takes_the_old_feedback_away(page):
    page.choose("shape-of-h", "b")
    page.check("shape-of-h")
    page.choose("shape-of-h", "a")
    assert page.feedback("shape-of-h") == []


def test_a_click_on_the_formula_of_a_choice_chooses_it(page):
    label = page.one("label[for='quiz-rnn-before-shape-of-h-a']")
    WebDriverWait(page.browser, 10).until(lambda _: label.find_elements(By.TAG_NAME, "mjx-container"))
    page.click(label.find_element(By.TAG_NAME, "mjx-container"))
    assert page.one("#quiz-rnn-before-shape-of-h-a").is_selected()


# By keyboard alone


def test_a_radio_button_is_answered_by_keyboard(page):
    page.tab_to("[data-id=shape-of-h] input")
    page.press(Keys.SPACE, Keys.ARROW_DOWN)
    page.tab_to("[data-id=shape-of-h] button")
    page.press(Keys.ENTER)
    assert page.feedback("shape-of-h")[0] == "Not yet."
    page.tab_to("[data-id=shape-of-h] input", key=Keys.SHIFT + Keys.TAB)
    page.press(Keys.ARROW_UP, Keys.ENTER)
    assert page.feedback("shape-of-h")[0] == "Right."


def test_checkboxes_are_answered_by_keyboard(page):
    page.tab_to("[data-id=what-grows] input")
    page.press(Keys.SPACE, Keys.TAB, Keys.SPACE, Keys.TAB, Keys.SPACE)
    page.tab_to("[data-id=what-grows] button")
    page.press(Keys.SPACE)
    assert page.feedback("what-grows")[0] == "Not yet."
    page.tab_to("[data-id=what-grows] input[value='a']", key=Keys.SHIFT + Keys.TAB)
    page.press(Keys.SPACE, Keys.ENTER)
    assert page.feedback("what-grows")[0] == "Right."


@pytest.mark.parametrize(("name", "wrong", "right"), [("parameters", "28", "32"), ("its-name", "magic", "BPTT")])
def test_a_field_is_answered_by_keyboard(page, name, wrong, right):
    page.tab_to(f"[data-id={name}] input")
    page.press(wrong, Keys.ENTER)
    assert page.feedback(name)[0] == "Not yet."
    page.press(Keys.CONTROL + "a", right, Keys.ENTER)
    assert page.feedback(name)[0] == "Right."


def test_the_quiz_is_reset_by_keyboard(page):
    page.tab_to("[data-id=its-name] input")
    page.press("bptt", Keys.ENTER)
    page.tab_to("#quiz-rnn-after .unrolled-quiz-reset")
    page.press(Keys.ENTER)
    assert page.feedback("its-name") == []
    assert page.progress("after") == "The quiz is reset. 0 of 2 right, 0 right first time."


def test_the_focus_can_be_seen(page):
    page.tab_to("[data-id=shape-of-h] input")
    outline = "return getComputedStyle(document.activeElement).outlineWidth"
    assert page.browser.execute_script(outline) == "3px"


# Names and roles


def test_every_control_has_a_name_and_every_question_a_group(page):
    for form in page.all(".unrolled-question"):
        group = form.find_element(By.TAG_NAME, "fieldset")
        assert group.aria_role == "group"
        assert group.accessible_name.strip()
        controls = form.find_elements(By.CSS_SELECTOR, "input, button")
        assert all(control.accessible_name.strip() for control in controls)
    assert page.one("#quiz-rnn-before").accessible_name == "Quiz: before you read"


def test_ids_are_unique(page):
    ids = page.browser.execute_script("return [...document.querySelectorAll('.unrolled-quiz [id]')].map(node => node.id)")
    assert len(ids) == len(set(ids)) > 10


def test_the_title_is_no_heading_in_the_contents(page):
    assert "Quiz" not in page.one("#pst-page-toc-nav, .page-toc, nav.bd-toc-nav").get_attribute("textContent")


def test_formulas_in_prompt_choice_and_feedback_are_typeset(page):
    form = page.question("shape-of-h")
    WebDriverWait(page.browser, 10).until(lambda _: form.find_elements(By.TAG_NAME, "mjx-container"))
    for place in ["legend", "label", ".unrolled-item"]:
        assert form.find_elements(By.CSS_SELECTOR, f"{place} mjx-container")


# Progress


def answer_some(page) -> None:
    page.choose("shape-of-h", "b")
    page.check("shape-of-h")
    page.choose("shape-of-h", "a")
    page.check("shape-of-h")
    page.choose("what-grows", "bc")
    page.check("what-grows")
    page.type("parameters", "28")
    page.check("parameters")


def test_progress_tells_right_and_right_first_time(page):
    assert page.progress("before") == "0 of 2 right, 0 right first time."
    answer_some(page)
    assert page.progress("before") == "2 of 2 right, 1 right first time."
    assert page.progress("after") == "0 of 2 right, 0 right first time."


def test_every_answer_is_kept_with_its_time_and_verdict(page):
    answer_some(page)
    log = page.log()
    assert all(map(answers.is_event, log))
    assert [(one["question"], one["answer"], one["right"]) for one in log] == [
        ("shape-of-h", ["b"], False),
        ("shape-of-h", ["a"], True),
        ("what-grows", ["b", "c"], True),
        ("parameters", "28", False),
    ]
    assert [one["at"] for one in log] == sorted(one["at"] for one in log)


def test_choices_are_shown_in_the_order_of_the_package(page, small_quiz):
    shown = [box.get_attribute("value") for box in page.all("form[data-id=what-grows] input")]
    assert shown == [choice.id for choice in small_quiz.before[1].shown] != ["a", "b", "c"]


def test_answers_and_feedback_are_there_again_after_a_reload(page):
    answer_some(page)
    page.reload()
    assert page.progress("before") == "2 of 2 right, 1 right first time."
    assert page.feedback("shape-of-h")[0] == "Right."
    assert page.feedback("parameters") == ["Not yet.", "The bias is left out."]
    assert page.one("#quiz-rnn-after-parameters-answer").get_attribute("value") == "28"
    assert [box.is_selected() for box in page.all("form[data-id=what-grows] input")] == [True, True, False]


def test_reset_forgets_one_quiz_and_leaves_the_other(page):
    answer_some(page)
    page.click(page.one("#quiz-rnn-before .unrolled-quiz-reset"))
    assert list(page.stored()) == ["parameters"]
    assert len(page.log()) == 6, "the answers stay in the log, and two events say that they no longer count"
    assert page.feedback("shape-of-h") == []
    assert not any(box.is_selected() for box in page.all("#quiz-rnn-before input"))
    page.reload()
    assert page.progress("before") == "0 of 2 right, 0 right first time."
    assert page.feedback("parameters")[0] == "Not yet."


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", '{"id": "x"}', '{"id":"x","at":"2026-11-28","question":"shape-of-h","answer":["a"],"right":true}',
     '{"id":"y","at":"2026-11-28T12:00:00.000Z","question":"shape-of-h","answer":["a"],"right":true}'],
)  # fmt: skip
def test_a_damaged_entry_is_set_aside_and_said(page, console_errors, text):
    page.choose("shape-of-h", "a")
    page.check("shape-of-h")
    page.keep(PREFIX + "x", text)
    page.reload()
    assert page.progress("before").startswith("1 of 2 right, 1 right first time. Some answers that this browser kept could not be understood.")
    assert page.storage()["unrolled.damaged." + PREFIX + "x"] == text
    assert PREFIX + "x" not in page.storage()
    page.reload()
    assert page.progress("before") == "1 of 2 right, 1 right first time."
    assert console_errors() == []


@pytest.mark.parametrize("answer", ['["z"]', '["a","b"]', '"a"', '[]'])
def test_an_answer_that_the_question_no_longer_offers_counts_and_is_not_shown(page, console_errors, answer):
    page.keep(PREFIX + "x", f'{{"id":"x","at":"2026-11-28T12:00:00.000Z","question":"what-grows","answer":{answer},"right":false}}')
    page.keep(PREFIX + "y", '{"id":"y","at":"2026-11-28T12:00:00.000Z","question":"parameters","answer":["a"],"right":true}')
    page.reload()
    assert page.progress("after") == "1 of 2 right, 1 right first time."
    assert page.feedback("parameters") == []
    assert len(page.log()) == 2 and console_errors() == []


# Two tabs


@pytest.fixture
def other_tab(page, address):
    """A function: go to the other tab, where the same page is open, or back."""
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    second = page.browser.current_window_handle
    page.open(address)
    page.browser.switch_to.window(first)
    yield lambda: page.browser.switch_to.window(second if page.browser.current_window_handle == first else first)
    page.browser.switch_to.window(second)
    page.browser.close()
    page.browser.switch_to.window(first)


def test_what_one_tab_answers_the_other_shows(page, other_tab):
    page.choose("shape-of-h", "b")
    page.check("shape-of-h")
    other_tab()
    WebDriverWait(page.browser, 10).until(lambda _: page.feedback("shape-of-h")[:1] == ["Not yet."])
    page.choose("shape-of-h", "a")
    page.check("shape-of-h")
    assert page.progress("before") == "1 of 2 right, 0 right first time."


def test_two_tabs_lose_no_answer(page, other_tab):
    for _ in range(2):
        page.choose("shape-of-h", "b")
        page.check("shape-of-h")
        other_tab()
        page.type("parameters", "32")
        page.check("parameters")
        other_tab()
    assert [one["question"] for one in page.log()] == ["shape-of-h", "parameters"] * 2


def test_what_is_being_typed_is_not_taken_away_by_another_tab(page, other_tab):
    page.type("its-name", "chain")
    other_tab()
    page.type("its-name", "bptt")
    page.check("its-name")
    other_tab()
    WebDriverWait(page.browser, 10).until(lambda _: page.progress("after").startswith("1 of 2 right"))
    assert page.one("#quiz-rnn-after-its-name-answer").get_attribute("value") == "chain"


def test_a_reset_reaches_the_other_tab(page, other_tab):
    answer_some(page)
    page.click(page.one("#quiz-rnn-before .unrolled-quiz-reset"))
    other_tab()
    WebDriverWait(page.browser, 10).until(lambda _: page.progress("before") == "0 of 2 right, 0 right first time.")
    assert page.feedback("shape-of-h") == []


# What version 1 kept


def test_answers_of_version_1_are_taken_over(page):
    page.keep(PREFIX_1 + "before.shape-of-h", '{"answered": 3, "correct": true, "first": false, "response": [0]}')
    page.keep(PREFIX_1 + "before.what-grows", '{"answered": 1, "correct": false, "first": false, "response": [0, 2]}')
    page.keep(PREFIX_1 + "after.its-name", '{"answered": 1, "correct": true, "first": true, "response": "BPTT"}')
    page.reload()
    for _ in range(2):
        assert page.progress("before") == "1 of 2 right, 0 right first time."
        assert page.progress("after") == "1 of 2 right, 1 right first time."
        assert {box.get_attribute("value") for box in page.all("form[data-id=what-grows] input:checked")} == {"a", "c"}
        assert len(page.log()) == 3 and not any(key.startswith(PREFIX_1) for key in page.storage())
        page.reload()


@pytest.mark.parametrize("text", ["{", '{"answered": 1}', '{"answered":1,"correct":true,"first":true,"response":{}}'])
def test_a_damaged_answer_of_version_1_is_set_aside_and_said(page, text):
    page.keep(PREFIX_1 + "before.shape-of-h", text)
    page.reload()
    assert "could not be understood" in page.progress("before")
    assert page.storage() == {"unrolled.damaged." + PREFIX_1 + "before.shape-of-h": text}


def test_a_browser_without_storage_can_be_used(browser, address):
    script = """
        const broken = () => { throw new DOMException("no storage", "SecurityError"); };
        for (const name of ["getItem", "setItem", "removeItem"]) {
          const own = Storage.prototype[name];
          Storage.prototype[name] = function (key, ...rest) {
            return key.startsWith("unrolled.") ? broken() : own.call(this, key, ...rest);
          };
        }"""
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        page = Page(browser, address)
        page.choose("shape-of-h", "a")
        page.check("shape-of-h")
        assert page.feedback("shape-of-h")[0] == "Right."
        assert page.progress("before") == (
            "1 of 2 right, 1 right first time. This browser keeps nothing: its storage is switched off or full."
        )
        page.click(page.one("#quiz-rnn-before .unrolled-quiz-reset"))
        assert page.feedback("shape-of-h") == []
    finally:
        browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


# The page as a whole


def test_the_page_asks_no_one_but_its_own_server(page, requests, address):
    answer_some(page)
    WebDriverWait(page.browser, 10).until(lambda _: page.all("mjx-container"))
    asked = requests()
    own = address.removesuffix("/book/index.html")
    assert any("unrolled-quiz.js" in url for url in asked)
    assert [url for url in asked if not url.startswith(own)] == []


def test_the_page_reports_no_error(page, console_errors):
    answer_some(page)
    assert console_errors() == []


def test_a_page_without_a_quiz_loads_no_quiz_script(browser, address, requests):
    browser.get(address.replace("index.html", "other.html"))
    assert not [url for url in requests() if "unrolled-quiz" in url]


def test_the_page_works_from_a_file(browser, site, requests, console_errors):
    page = Page(browser, (site / "book/index.html").as_uri())
    answer_some(page)
    page.reload()
    assert page.progress("before") == "2 of 2 right, 1 right first time."
    assert [url for url in requests() if not url.startswith("file:")] == []
    assert console_errors() == []


def test_a_narrow_screen_needs_no_sideways_scrolling(page):
    metrics = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    answer_some(page)
    assert page.browser.execute_script("return document.documentElement.scrollWidth") <= 390


def test_without_javascript_the_answers_can_be_opened(browser, address):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(address)
    answers = browser.find_element(By.CSS_SELECTOR, "form[data-id=shape-of-h] details")
    assert not browser.find_element(By.CSS_SELECTOR, ".unrolled-quiz button").is_displayed()
    answers.find_element(By.TAG_NAME, "summary").click()
    assert "Yes, one row for each sequence of the batch." in answers.text
    assert "That is the transpose" in answers.text


CONTRAST = """
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => parse(color).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if ((parse(color)[3] ?? 1) > 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  document.documentElement.dataset.theme = arguments[0];
  return [...document.querySelectorAll(".unrolled-quiz :is(p, span, label, legend, button, a)")]
    .filter((node) => node.offsetParent && !node.closest("code, pre, mjx-container") && node.textContent.trim())
    .map((node) => {
      const [a, b] = [light(getComputedStyle(node).color), light(ground(node))];
      return [node.textContent.trim().slice(0, 30), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    });
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_enough_contrast(page, theme):
    answer_some(page)
    page.choose("what-grows", "a")
    page.check("what-grows")
    page.browser.execute_script("document.head.insertAdjacentHTML('beforeend', '<style>*{transition:none!important}</style>')")
    measured = page.browser.execute_script(CONTRAST, theme)
    assert len(measured) > 20
    assert [entry for entry in measured if entry[1] < 4.5] == []


# The script judges as the package does

_QUESTIONS = quizzes.load(SMALL_BOOK / "book/quizzes/rnn.yml")
_CASES = [
    (_QUESTIONS.before[0], [["a"], ["b"], ["c"]]),
    (_QUESTIONS.before[1], [[], *([*chosen] for chosen in ("a", "b", "c", "ab", "ac", "bc", "abc", "d", "bcd"))]),
    (
        _QUESTIONS.after[0],
        ["", " ", "32", " 32 ", "+32.", "3.2e1", "32.5", "32.50001", "31.5", "28.5", "28", "0x20", "1,0", "inf", "nan",
         "1e999", "-0", ".5", ".", "٣٢"],
    ),
    (
        _QUESTIONS.after[1],
        ["", "  ", "BPTT", "bptt\u00a0", "ＢＰＴＴ", "Backpropagation\n through  time", "backpropagation", "İ", "ß", "BP TT"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("question", "responses"), _CASES, ids=lambda value: getattr(value, "id", ""))
def test_the_script_judges_as_the_package_does(page, question, responses):
    for response in responses:
        seen = page.browser.execute_script(
            "return unrolledQuiz.grade(JSON.parse(arguments[0]), arguments[1])", json.dumps(page_key(question)), response
        )
        try:
            verdict = quizzes.grade(question, response)
        except quizzes.ResponseError:
            verdict = None
        assert seen.get("correct") == (verdict.correct if verdict else None), response
        assert ("problem" in seen) == (verdict is None), response
        if verdict:
            assert _messages(question, seen) == verdict.messages, response


def _messages(question, seen) -> tuple[str, ...]:
    """The feedback that the script shows, in the package's words."""
    texts = {"right": question.right, "wrong": question.wrong}
    texts |= {choice.id: choice.feedback for choice in question.choices}
    texts |= {f"mistake-{index}": mistake.feedback for index, mistake in enumerate(question.mistakes)}
    order = [choice.id for choice in question.shown]
    show = sorted(seen["show"], key=order.index) if order else seen["show"]
    return (*(texts[name] for name in show), *([quizzes.INCOMPLETE] if seen["incomplete"] else []))
