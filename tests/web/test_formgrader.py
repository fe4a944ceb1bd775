"""An instructor marks explanations in nbgrader's formgrader: a real Jupyter server in the course's folder, a real browser."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import sample_class  # noqa: E402

pytestmark = pytest.mark.slow

ASSIGNMENT = "03-bptt"
EXPLANATION = "The state is carried, the gradient is **cut**: $dH_{10} = 0$ beyond the stretch, so clipping less changes nothing."
COMMENT = "Half of the third point: *which* norm?"
STARTS_WITHIN = 120  # seconds, for the server
SHOWN_WITHIN = 60  # seconds, for a page


@dataclass
class Desk:
    """A course in which 03-bptt is graded, and the address of the Jupyter server that runs in its folder."""

    course: Path
    url: str

    def page(self, student: str) -> str:
        """The feedback page of a student."""
        return (self.course / "class" / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def jupyter(course: Path, home: Path) -> Iterator[str]:
    """`jupyter lab` in a course's folder, with nothing of this user's; gives its address."""
    url = f"http://127.0.0.1:{_free_port()}"
    home.mkdir()
    environment = {
        **sample_class.environment(), "HOME": str(home), "JUPYTER_RUNTIME_DIR": str(home / "run"), "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
    }  # fmt: skip
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.port={url.rpartition(':')[2]}",
        "--ServerApp.port_retries=0", "--IdentityProvider.token=",
    ]  # fmt: skip
    log = home / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=course, env=environment, stdout=out, stderr=subprocess.STDOUT)
        try:
            _wait_for(url, server, log)
            yield url
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/api/status", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"The Jupyter server did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


def until(browser: WebDriver, found: Callable[[WebDriver], object]) -> object:
    """Wait until `found` gives something on the page, and give that. The page may be built anew in between."""
    return WebDriverWait(browser, SHOWN_WITHIN, poll_frequency=0.1, ignored_exceptions=[NoSuchElementException, StaleElementReferenceException]).until(found)


def follow(browser: WebDriver, text: str) -> None:
    """Click the last link with this text, as soon as it is there, and wait until the page has gone."""
    browser.execute_script("window.stayed = true")
    until(browser, lambda b: b.find_elements(By.PARTIAL_LINK_TEXT, text)[-1].click() or True if b.find_elements(By.PARTIAL_LINK_TEXT, text) else False)
    until(browser, lambda b: not b.execute_script("return window.stayed"))


@pytest.fixture(scope="module")
def desk(bwrap, course, tmp_path_factory) -> Iterator[Desk]:
    """ada hands in the model answers, blaise an explanation of his own; both are graded by the plain command."""
    folder = tmp_path_factory.mktemp("formgrader")
    made = folder / "course"
    sample_class.new_course(course, made, ASSIGNMENT)
    right = sample_class.model_answers(made, ASSIGNMENT)
    sample_class.hand_in(made, "ada", right, ASSIGNMENT)
    sample_class.hand_in(made, "blaise", {**right, "explanation": EXPLANATION}, ASSIGNMENT)
    sample_class.nbgrader(made, "autograde", ASSIGNMENT)
    with jupyter(made, folder / "home") as url:
        yield Desk(made, url)


# --- Marking --------------------------------------------------------------------------------------


@dataclass
class Marked:
    """What the instructor saw on the way: the first explanations, whose they were, and totals and feedback afterwards."""

    explanations: dict[str, str]
    totals: dict[str, str]
    saved_again: tuple[str, str]
    pages: dict[str, str]


def _open_first(browser: WebDriver, desk: Desk) -> None:
    """From the list of assignments to the first submission, as by hand: click after click."""
    browser.get(f"{desk.url}/formgrader/gradebook")
    for text in (ASSIGNMENT, ASSIGNMENT, "Submission #1"):
        follow(browser, text)


def _mark(browser: WebDriver, points: float, comment: str) -> None:
    """Type points and a comment, and wait until the formgrader has saved both."""
    browser.execute_script("window.saved = 0; $(document).on('finished_saving', () => { window.saved += 1; })")
    for where, typed in (("explanation", points), ("explanation-comment", comment)):
        field = browser.find_element(By.ID, where)
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", field)
        field.clear()
        field.send_keys(str(typed))
    browser.execute_script("document.activeElement.blur()")
    until(browser, lambda b: b.execute_script("return window.saved") >= 2)


def _answer(browser: WebDriver) -> str:
    return browser.execute_script("return $('#explanation').parents('.nbgrader_cell').find('.panel-body').text()")


def _table(browser: WebDriver, address: str) -> list[list[str]]:
    """The rows of one of the formgrader's tables, when it is filled."""
    browser.get(address)
    until(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "table.dataTable"))
    return browser.execute_script("return $('#main-table tr').get().map(row => $(row).find('td').get().map(cell => cell.innerText))")


def _give_feedback(browser: WebDriver, desk: Desk, student: str) -> str:
    """The feedback page that the formgrader's own button makes."""
    names = [row[1] for row in _table(browser, f"{desk.url}/formgrader/manage_submissions/{ASSIGNMENT}")]
    browser.find_elements(By.CSS_SELECTOR, ".generate-feedback a")[names.index(student)].click()
    until(browser, lambda b: b.find_elements(By.ID, "success-modal"))
    return desk.page(student)


@pytest.fixture(scope="module")
def marked(desk, driver) -> Marked:
    """The explanations of the class marked one after another: 2.5 points and a comment for each."""
    explanations = {}
    _open_first(driver, desk)
    for _ in range(2):
        name = until(driver, lambda b: b.find_element(By.CSS_SELECTOR, "a.name-shown").get_attribute("textContent").strip())
        explanations[name] = _answer(driver)
        _mark(driver, 2.5, COMMENT)
        follow(driver, "Next")
    _open_first(driver, desk)
    again = tuple(until(driver, lambda b, i=i: b.find_element(By.ID, i).get_attribute("value")) for i in ("explanation", "explanation-comment"))
    totals = {row[1]: row[3] for row in _table(driver, f"{desk.url}/formgrader/manage_students")}
    return Marked(explanations, totals, again, {name: _give_feedback(driver, desk, name) for name in explanations})


def test_formgrader_shows_each_explanation_for_reading(marked):
    assert set(marked.explanations) == {"ada", "blaise"}
    assert "the gradient is cut" in marked.explanations["blaise"]


def test_formgrader_keeps_points_and_comment_of_an_explanation(marked):
    assert marked.saved_again == ("2.5", COMMENT)


def test_formgrader_adds_points_by_hand_to_those_of_the_checks(marked):
    assert marked.totals == {"ada": "19.5 / 20", "blaise": "19.5 / 20"}


@pytest.mark.parametrize("student", ["ada", "blaise"])
def test_feedback_made_in_the_formgrader_is_our_page_with_points_and_comment(marked, student):
    page = marked.pages[student]
    assert "19.5 of 20 points" in page and "Content-Security-Policy" in page
    assert re.search(r'<a href="#explanation">.*?<span class="part">2.5</span> of 3', page)
    assert "Half of the third point: <em>which</em> norm?" in page
