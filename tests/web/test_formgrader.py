"""An instructor marks explanations in nbgrader's formgrader: a real Jupyter server in the course's folder, a real browser."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

import nbformat
import pytest
from marking import mark, until
from nbformat import v4
from nbgrader.api import Gradebook
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import sample_class  # noqa: E402

pytestmark = pytest.mark.slow

ASSIGNMENT = "03-bptt"
EXPLANATION = "The state is carried, the gradient is **cut**: $dH_{10} = 0$ beyond the stretch, so clipping less changes nothing."
NAME = "<img src=x onerror=harm()>"  # of a learner's folder
ATTACK = """\
# explanation

# cross_entropy_backward

[L1](javascript:harm()) [L2][r] <a href="javascript:harm()">L3</a> <img src=x onerror=harm()> <javascript:harm()> [L4](../../files/x.html) ![P1](EVIL1) ![P2][p]
`\\`![P3](EVIL2)` $\\href{javascript:harm()}{L5}$ [W](https://web.example) [T](#top)

```mermaid
flowchart TD
  A@{ img: "EVIL3", label: "x", pos: "t", w: 60, h: 60 }
  click A "javascript:harm()"
```

[r]: javascript:harm()
[p]: EVIL4
""".replace("EVIL", "http://evil.invalid/")
COMMENT = "Half of the third point: *which* norm?"
STARTS_WITHIN = 120  # seconds, for the server


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


def follow(browser: WebDriver, text: str) -> None:
    """Click the last link with this text, as soon as it is there, and wait until the page has gone."""
    browser.execute_script("window.stayed = true")
    until(browser, lambda b: b.find_elements(By.PARTIAL_LINK_TEXT, text)[-1].click() or True if b.find_elements(By.PARTIAL_LINK_TEXT, text) else False)
    until(browser, lambda b: not b.execute_script("return window.stayed"))


@pytest.fixture(scope="module")
def desk(bwrap, course, tmp_path_factory) -> Iterator[Desk]:
    """A class, graded by the plain command: ada hands in the model answers, blaise an explanation of his own, mallory an attack in it and in a
    cell at the top, and one learner has HTML for a name. mallory's name in the gradebook is HTML, too."""
    folder = tmp_path_factory.mktemp("formgrader")
    made = folder / "course"
    sample_class.new_course(course, made, ASSIGNMENT)
    right = sample_class.model_answers(made, ASSIGNMENT)
    sample_class.hand_in(made, "ada", right, ASSIGNMENT)
    sample_class.hand_in(made, "blaise", {**right, "explanation": EXPLANATION}, ASSIGNMENT)
    sample_class.hand_in(made, NAME, {**right, "explanation": "Because."}, ASSIGNMENT)
    sample_class.hand_in(made, "mallory", {**right, "explanation": ATTACK}, ASSIGNMENT)
    path = made / "class" / "submitted" / "mallory" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0:0] = [v4.new_markdown_cell(ATTACK), v4.new_code_cell("# \u202e desrever"), v4.new_code_cell("#" + "a." * 30_000)]
    nbformat.write(notebook, path)
    sample_class.nbgrader(made, "autograde", ASSIGNMENT)
    with Gradebook(f"sqlite:///{made / 'class' / 'gradebook.db'}", "unrolled") as book:
        book.update_or_create_student("mallory", first_name=NAME, last_name=NAME)
    with jupyter(made, folder / "home") as url:
        yield Desk(made, url)


# --- Marking --------------------------------------------------------------------------------------


@dataclass
class Opened:
    """A page of the formgrader: the text of the explanation, its HTML, where its links lead, and whether a script of a learner ran."""

    explanation: str
    page: str
    links: dict[str, str]
    pictures: int
    harmed: bool


@dataclass
class Marked:
    """What the instructor saw on the way: each page as it was opened, and then the explanation that had been marked first, totals and feedback."""

    opened: dict[str, Opened]
    saved_again: tuple[str, str]
    totals: dict[str, str]
    feedback: dict[str, str]


def _open_first(browser: WebDriver, desk: Desk) -> None:
    """From the list of assignments to the first submission, as by hand: click after click."""
    browser.get(f"{desk.url}/formgrader/gradebook")
    for text in (ASSIGNMENT, ASSIGNMENT, "Submission #1"):
        follow(browser, text)


def _look(browser: WebDriver) -> Opened:
    text = browser.execute_script("return $('#explanation').parents('.nbgrader_cell').find('.panel-body').text()")
    links = browser.execute_script("return $('#notebook a[href]').get().map(link => [link.innerText, link.getAttribute('href')])")
    pictures = browser.execute_script("return $('#notebook img').length")
    return Opened(text, browser.page_source, dict(links), pictures, _is_harmed(browser))


def _is_harmed(browser: WebDriver) -> bool:
    """Whether the page was asked for `harm`, which it does not have, or tried to load what lies elsewhere."""
    return any("harm" in entry["message"] or "evil" in entry["message"] for entry in browser.get_log("browser"))


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
    """The explanations of the class marked one after another: 2.5 points and a comment for each, but for the attack."""
    opened = {}
    _open_first(driver, desk)
    while "/submissions/" in driver.current_url:
        name = Path(unquote(until(driver, lambda b: b.find_element(By.CSS_SELECTOR, "a.name-shown").get_attribute("href")))).parts[-3]
        opened[name] = _look(driver)
        mark(driver, 0 if name == "mallory" else 2.5, COMMENT)
        follow(driver, "Next")
    first = next(iter(opened))
    _open_first(driver, desk)
    again = tuple(until(driver, lambda b, i=i: b.find_element(By.ID, i).get_attribute("value")) for i in ("explanation", "explanation-comment"))
    assert first != "mallory" or again[0] == "0"
    totals = {row[1]: row[3] for row in _table(driver, f"{desk.url}/formgrader/manage_students")}
    return Marked(opened, again, totals, {name: _give_feedback(driver, desk, name) for name in ("ada", "mallory")})


def test_formgrader_shows_each_explanation_for_reading(marked):
    assert set(marked.opened) == {"ada", "blaise", "mallory", NAME}
    assert "the gradient is cut" in marked.opened["blaise"].explanation


def test_formgrader_keeps_points_and_comment_of_an_explanation(marked):
    assert marked.saved_again[0] in {"2.5", "0"} and marked.saved_again[1] == COMMENT


def test_formgrader_adds_points_by_hand_to_those_of_the_checks(marked):
    assert marked.totals == {"ada": "19.5 / 20", "blaise": "19.5 / 20", "mallory": "17 / 20", NAME: "19.5 / 20"}


def test_feedback_made_in_the_formgrader_is_our_page_with_points_and_comment(marked):
    page = marked.feedback["ada"]
    assert "19.5 of 20 points" in page and "Content-Security-Policy" in page
    assert re.search(r'<a href="#explanation">.*?<span class="part">2.5</span> of 3', page)
    assert "Half of the third point: <em>which</em> norm?" in page


# --- What learners may not do to whoever marks ----------------------------------------------------


def test_no_script_and_no_picture_of_a_learner_reaches_the_formgrader(marked):
    assert not any(opened.harmed or opened.pictures for opened in marked.opened.values())


def test_learners_links_lead_to_the_web_or_within_the_page(marked):
    links = marked.opened["mallory"].links
    assert links["W"] == "https://web.example" and links["T"] == "#text-top"
    assert all(address.startswith(("https://", "http://", "#")) for address in links.values())
    assert not {"L1", "L2", "L3", "L4", "L5"} & set(links)


def test_a_learners_heading_does_not_take_the_place_of_a_checks_points(marked):
    """The formgrader finds the boxes of a task by its name: mallory's headings have names of tasks, and yet their points were saved."""
    assert marked.totals["mallory"] == "17 / 20"
    assert marked.opened["mallory"].page.count('id="explanation"') == 1


def test_formgrader_shows_overrides_of_direction_and_leaves_long_code_plain(marked):
    page = marked.opened["mallory"].page
    assert "U+202E</span>" in page and "\u202e" not in page
    assert f'<div class="highlight"><pre>#{"a." * 30_000}</pre></div>' in page


def test_feedback_shows_no_link_of_the_attack_and_says_what_was_added(marked):
    page = marked.feedback["mallory"]
    assert "javascript:" not in "".join(re.findall(r"<[^>]*>", page)) and "<img" not in page
    assert page.index("Added by the learner:") < page.index("text-explanation")


def test_names_with_html_are_shown_as_text_on_every_page(marked, desk, browser):
    for place in ("manage_students", f"manage_submissions/{ASSIGNMENT}", f"gradebook/{ASSIGNMENT}/{ASSIGNMENT}"):
        _table(browser, f"{desk.url}/formgrader/{place}")
        assert not _is_harmed(browser), place
    for student in (NAME, "mallory"):
        _table(browser, f"{desk.url}/formgrader/manage_students/{quote(student)}")
        assert not _is_harmed(browser), student


def test_jupyterlab_shows_no_link_and_no_picture_of_the_attack(desk, browser, requests):
    browser.get(f"{desk.url}/lab/tree/class/autograded/mallory/{ASSIGNMENT}/{ASSIGNMENT}.ipynb")
    cell = "[...document.querySelectorAll('.jp-MarkdownCell')].find(cell => cell.innerText.includes('[L1]'))"
    until(browser, lambda b: b.execute_script(f"return {cell}?.querySelector('mjx-container')"))
    links = browser.execute_script(f"return [...{cell}.querySelectorAll('a[href]')].map(link => [link.innerText, link.href])")
    assert "W" in dict(links) and all(address.startswith(("https://", "http://")) for _, address in links)
    assert not {"L1", "L2", "L3", "L4", "L5"} & set(dict(links))
    assert browser.execute_script(f"return {cell}.querySelectorAll('img').length") == 0
    assert not [address for address in requests() if "evil" in address]
