"""The course on a real JupyterHub, with real accounts: every command of the page "On a hub", from release to feedback, and what a
learner may try on the way. The accounts live in a machine of their own (machine.py), and end with it."""

from __future__ import annotations

import functools
import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import marking
import pytest
from machine import Machine, Unavailable, of_this_python
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import sample_class  # noqa: E402

pytestmark = pytest.mark.slow

NAME = "03-bptt"
PASSWORD = "correct horse battery staple"
WITHIN = 300  # seconds, for a server or a page
until = functools.partial(marking.until, within=WITHIN)
EXPLANATION = "The gradient is cut where the stretch begins; the state is carried over."
LONG_AGO = "2020-01-01 00:00:00.000000 UTC"


# --- The page ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A block of the page, and what stands in the comment above it: who types it, or which file it is."""

    who: str
    text: str


@functools.cache
def blocks() -> list[Block]:
    page = (Path(__file__).resolve().parents[2] / "book" / "appendix" / "hub.md").read_text(encoding="utf-8")
    return [Block(*found) for found in re.findall(r"^% ([^\n]+)\n```\w+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]


def block(who: str, holds: str = "") -> str:
    """The one block of this account, or this file, in which these words stand."""
    found = [one.text for one in blocks() if one.who == who and holds in one.text]
    assert len(found) == 1, f"the page has {len(found)} blocks of {who} with {holds!r}"
    return found[0]


# --- The hub -----------------------------------------------------------------------------------


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@dataclass
class Hub:
    """A hub that runs, and what was typed into its terminals."""

    machine: Machine
    url: str
    said: dict[str, str] = field(default_factory=dict)

    def type(self, who: str, holds: str) -> str:
        """Type the block of the page with these words into a terminal of an account."""
        self.said[holds] = self.machine.run(who, block(who, holds))
        return self.said[holds]

    def course(self, path: str) -> Path:
        return self.machine.path("/home/teacher/unrolled") / path


def program(name: str) -> Path:
    found = shutil.which(name)
    if not found:
        version = re.search(r"configurable-http-proxy@\S+", block("install")).group()
        pytest.skip(f"needs Node and the hub's proxy: sudo apt-get install nodejs npm, then sudo npm install -g {version}")
    return Path(found)


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Iterator[Machine]:
    """The machine as the administrator of the page makes it, with this Python in the place of the one that the page installs."""
    programs = [program("node"), program("configurable-http-proxy")]
    folder = tmp_path_factory.mktemp("machine")
    try:
        made = Machine(folder, [*of_this_python(), *(path.resolve().parent for path in programs)])
    except Unavailable as error:
        pytest.skip(str(error))
    try:
        (folder / "opt" / "unrolled").symlink_to(sys.prefix)
        made.run("root", block("root"))
        for name in ("teacher", "ada", "blaise"):
            made.run("root", f"echo {name}:{shlex.quote(PASSWORD)} | chpasswd")
        for one in blocks():
            if one.who.startswith("file "):
                made.path(one.who.removeprefix("file ")).write_text(one.text, encoding="utf-8")
        seen = made.run("ada", "python -c 'import jupyterhub, nbgrader, unrolled'", check=False)
        if seen:
            pytest.skip(f"needs a Python that every account can read; here one can't: {seen.strip().splitlines()[-1]}")
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def hub(machine, course, tmp_path_factory) -> Hub:
    """The hub of the page, on free ports."""
    copied = machine.path("/home/teacher/unrolled")
    copied.mkdir()
    shutil.copy(course / "nbgrader_config.py", copied)
    for folder in ("solutions", "assignments"):
        shutil.copytree(course / folder / NAME, copied / folder / NAME, ignore=shutil.ignore_patterns("*.nb.md", ".*"))
    machine.run("root", "chown -R teacher:teacher /home/teacher/unrolled")
    log = tmp_path_factory.mktemp("hub") / "hub.log"
    for _ in range(3):  # JupyterHub gives its proxy ten seconds, which may not be enough where much else is going on
        url, process = start(machine, log)
        if answers(f"{url}/hub/health", process, log):
            return Hub(machine, url)
    pytest.fail(f"The hub did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")


def start(machine: Machine, log: Path) -> tuple[str, subprocess.Popen]:
    """Start the hub of the page on free ports."""
    port, inner, api = free_ports(3)
    with machine.path("/srv/jupyterhub/jupyterhub_config.py").open("a", encoding="utf-8") as file:
        file.write(f'c.JupyterHub.bind_url = "http://127.0.0.1:{port}"\nc.JupyterHub.hub_port = {inner}\n')
        file.write(f'c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"\n')
        file.write(f"c.Spawner.start_timeout = c.Spawner.http_timeout = {WITHIN}\n")
    paths = sorted({str(program(name).parent) for name in ("node", "configurable-http-proxy")} | {"/usr/sbin", "/usr/bin", "/sbin", "/bin"})
    environment = {"PATH": ":".join(paths), "HOME": "/root", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
    return f"http://127.0.0.1:{port}", machine.start(log, "bash", "-euc", block("hub"), **environment)


def answers(url: str, process: subprocess.Popen, log: Path) -> bool:
    """Whether the hub is there, in time."""
    end = time.monotonic() + WITHIN
    while time.monotonic() < end and process.poll() is None and b"Failed to start proxy" not in log.read_bytes():
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    return False


# --- The browser -------------------------------------------------------------------------------


def log_in(browser: WebDriver, hub: Hub, who: str) -> None:
    """Log in by name and password, as somebody new, and come to JupyterLab on a server of one's own, which starts."""
    browser.get(f"{hub.url}/hub/logout")
    browser.get(f"{hub.url}/hub/login")
    until(browser, lambda b: b.find_element(By.ID, "username_input")).send_keys(who)
    browser.find_element(By.ID, "password_input").send_keys(PASSWORD)
    browser.find_element(By.ID, "login_submit").click()
    until(browser, lambda b: f"/user/{who}/lab" in b.current_url and "/hub/" not in b.current_url)


def open_assignment_list(browser: WebDriver, hub: Hub, who: str) -> None:
    """From the menu, as a learner would."""
    log_in(browser, hub, who)
    until(browser, lambda b: b.execute_script("return !document.querySelector('#jupyterlab-splash') && !!document.querySelector('#jp-MainMenu')"))
    menu = (By.XPATH, "//*[contains(@class, 'lm-MenuBar-itemLabel') and text() = 'Nbgrader']")
    until(browser, lambda b: b.find_element(*menu)).click()
    until(browser, lambda b: b.find_element(By.CSS_SELECTOR, '#jp-mainmenu-nbgrader li[data-command="nbgrader:open-assignment-list"]')).click()


def press(browser: WebDriver, part: str, text: str) -> None:
    """Press a button beside an assignment in a part of the assignment list, as soon as it is there."""
    def clicked(browser: WebDriver) -> bool:
        for button in browser.find_elements(By.CSS_SELECTOR, f"#{part}_assignments_list .list_item button"):
            if button.text.strip() == text and button.is_displayed():
                button.click()
                return True
        return False

    until(browser, clicked)


def wait_in(browser: WebDriver, part: str, count: int = 1) -> None:
    """Wait until so many assignments stand in a part of the list."""
    until(browser, lambda b: len(b.find_elements(By.CSS_SELECTOR, f"#{part}_assignments_list > .list_item")) == count)


# --- A semester --------------------------------------------------------------------------------


@dataclass
class Semester:
    """What came of an assignment from release to feedback."""

    hub: Hub
    began: datetime
    attempts: dict[str, str]
    marked: dict[str, str]
    read: str = ""

    def submitted(self, student: str) -> Path:
        return self.hub.course(f"class/submitted/{student}/{NAME}")


def work(hub: Hub, who: str, answers: dict[str, str]) -> None:
    """Write answers into the notebook that a learner fetched."""
    import nbformat

    path = hub.machine.path(f"/home/{who}/{NAME}/{NAME}.ipynb")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")


COPY = f"cp ~/{NAME}/{NAME}.ipynb $to"
ATTACKS = {  # the first can be taken, as its content is sound; the others are newer, and looked at before it
    "a bad time": ("time", "the day after tomorrow", 'cp ~/.local/share/jupyter/nbgrader_cache/unrolled/blaise+*/* $folder'),
    "a link to the solutions": ("link", LONG_AGO, f"ln -s /home/teacher/unrolled/solutions/{NAME}/{NAME}.ipynb $to"),
    "a link to the seeds": ("seeds", LONG_AGO, "ln -s /home/teacher/unrolled/class/seeds.json $to"),
    "a pipe": ("pipe", LONG_AGO, "mkfifo $to"),
    "an unreadable folder": ("shut", LONG_AGO, f"{COPY}; chmod 000 $folder"),
}


def attack(hub: Hub, ada_entry: str) -> dict[str, str]:
    """What blaise tries, in a terminal of his own; what the kernel answered where it answered no."""
    machine, inbound = hub.machine, "/srv/nbgrader/exchange/unrolled/inbound"
    for name, when, do in ATTACKS.values():
        folder = shlex.quote(f"{inbound}/blaise+{NAME}+{when}+{name}")
        machine.run("blaise", f"folder={folder}; to=$folder/{NAME}.ipynb; mkdir -m 777 $folder; {do}".replace("$folder", '"$folder"').replace("$to", '"$to"'))
    others = shlex.quote(f"{inbound}/ada+{NAME}+2199-01-01 00:00:00 UTC+mine")
    machine.run("blaise", f"mkdir -m 777 {others}; cp ~/{NAME}/{NAME}.ipynb {others}")
    machine.run("blaise", f"ln -s /nowhere {shlex.quote(f'{inbound}/blaise+{NAME}+{LONG_AGO}+dangling')}")
    own = "/home/teacher/unrolled"
    forbidden = {
        "read the solutions": f"cat {own}/solutions/{NAME}/{NAME}.ipynb", "list the class": f"ls {own}/class",
        "read the gradebook": f"cat {own}/class/gradebook.db", "read another's home": "ls /home/ada", "list what was handed in": f"ls {inbound}",
        "remove another's work": f"mv {shlex.quote(f'{inbound}/{ada_entry}')} {inbound}/gone",
        "replace the course": "mv /srv/nbgrader/exchange/unrolled /srv/nbgrader/exchange/gone", "change the release": f"touch {inbound}/../outbound/{NAME}/x",
    }  # fmt: skip
    return {what: machine.fails("blaise", command) for what, command in forbidden.items()}


def mark(browser: WebDriver, hub: Hub) -> dict[str, str]:
    """Mark both explanations in the formgrader, as the instructor. Returns what was read there, by student."""
    browser.get(f"{hub.url}/user/teacher/formgrader/gradebook/{NAME}/{NAME}")
    answers = {}
    rows = until(browser, lambda b: b.find_elements(By.CSS_SELECTOR, "table.dataTable tbody td a"))
    links = sorted({row.get_attribute("href") for row in rows if "/submissions/" in (row.get_attribute("href") or "")})
    for link in links:
        browser.get(link)
        name = until(browser, lambda b: b.find_element(By.CSS_SELECTOR, "a.name-shown").get_attribute("textContent").strip())
        answers[name] = browser.execute_script("return $('#explanation').parents('.nbgrader_cell').find('.panel-body').text()")
        marking.mark(browser, 2.5)
    return answers


@pytest.fixture(scope="module")
def semester(bwrap, hub, driver) -> Semester:
    """The page from top to bottom: ada in the browser, blaise in a terminal and not only as he should, the instructor in both."""
    began = datetime.now(timezone.utc).replace(tzinfo=None)
    hub.type("teacher", "unrolled doctor")
    hub.type("teacher", "release_assignment")
    right = sample_class.model_answers(hub.course("."), NAME)

    open_assignment_list(driver, hub, "ada")
    press(driver, "released", "Fetch")
    wait_in(driver, "fetched")
    work(hub, "ada", right)
    press(driver, "fetched", "Submit")
    wait_in(driver, "submitted")
    hub.type("blaise", "fetch_assignment")
    work(hub, "blaise", {**right, "explanation": EXPLANATION})
    hub.type("blaise", "submit")

    entry = next(path.name for path in hub.machine.path("/srv/nbgrader/exchange/unrolled/inbound").iterdir() if path.name.startswith("ada+"))
    attempts = attack(hub, entry)

    hub.type("teacher", "collect")
    log_in(driver, hub, "teacher")
    made = Semester(hub, began, attempts, mark(driver, hub))
    hub.type("teacher", "release_feedback")
    hub.type("blaise", "fetch_feedback")
    open_assignment_list(driver, hub, "ada")
    press(driver, "submitted", "Fetch Feedback")
    page = until(driver, lambda _: next(iter(hub.machine.path(f"/home/ada/{NAME}").glob("feedback/*/*.html")), None))
    driver.get(f"{hub.url}/user/ada/files/{page.relative_to(hub.machine.path('/home/ada'))}")
    made.read = until(driver, lambda b: b.find_element(By.TAG_NAME, "body").text)
    return made


def test_the_doctor_finds_the_machine_of_the_page_well(semester):
    said = semester.hub.said["unrolled doctor"]
    assert "  ! " not in said
    for what in ("sandbox", "user namespaces", "solutions", "homes", "exchange"):
        assert f" ok  {what}" in said


def test_work_handed_in_by_browser_and_by_command_is_collected_for_the_instructor_alone(semester):
    for student in ("ada", "blaise"):
        folder = semester.submitted(student)
        assert (folder / f"{NAME}.ipynb").is_file() and folder.stat().st_mode & 0o077 == 0
    assert EXPLANATION in (semester.submitted("blaise") / f"{NAME}.ipynb").read_text(encoding="utf-8")
    assert EXPLANATION not in (semester.submitted("ada") / f"{NAME}.ipynb").read_text(encoding="utf-8")


@pytest.mark.parametrize("student", ["ada", "blaise"])
def test_the_time_of_receipt_is_that_of_the_kernel(semester, student):
    from nbgrader.utils import parse_utc

    received = parse_utc((semester.submitted(student) / "timestamp.txt").read_text().strip())
    assert semester.began < received < datetime.now(timezone.utc).replace(tzinfo=None)


def test_what_can_not_be_taken_is_named_and_stops_nothing(semester):
    said = semester.hub.said["collect"]
    assert f"ada+{NAME}+2199-01-01 00:00:00 UTC+mine” says that it is from ada, and it belongs to blaise" in said
    assert said.count("Not collected") == 4 and "3 more by blaise" in said and "blaise: its name holds no time" in said
    assert "Traceback" not in said and re.search(r"graded\W+2\b", said)


@pytest.mark.parametrize("what", ["read the solutions", "list the class", "read the gradebook", "read another's home", "list what was handed in",
                                  "remove another's work", "replace the course", "change the release"])  # fmt: skip
def test_a_learner_can_not(semester, what):
    assert re.search("Permission denied|Operation not permitted|cannot stat", semester.attempts[what])


def test_explanations_are_marked_in_the_formgrader_of_the_hub(semester):
    assert set(semester.marked) == {"ada", "blaise"} and "cut where the stretch begins" in semester.marked["blaise"]


def test_the_instructor_reads_no_solutions_as_somebodys_work(semester):
    points = {}
    for student in ("ada", "blaise"):
        record = json.loads(semester.hub.course(f"class/records/{student}/{NAME}.json").read_text(encoding="utf-8"))
        points[student] = record["points"]
    assert points == {"ada": 17, "blaise": 17}


def test_a_learner_reads_their_feedback_in_the_browser(semester):
    assert "19.5 of 20 points" in semester.read


def test_a_learner_fetches_their_own_feedback_by_command(semester):
    pages = list(semester.hub.machine.path(f"/home/blaise/{NAME}").glob("feedback/*/*.html"))
    assert len(pages) == 1 and EXPLANATION.split(";")[0] in pages[0].read_text(encoding="utf-8")


def test_the_page_installs_what_the_project_names(course):
    import tomllib

    extras = tomllib.loads((course / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    asked = re.search(r"'\.\[(.+)\]'", block("install")).group(1).split(",")
    assert set(asked) <= set(extras)
    proxy = re.search(r"configurable-http-proxy@(\S+)", block("install")).group(1)
    assert f"configurable-http-proxy@{proxy}" in (course / ".ci" / "run").read_text(encoding="utf-8")
