"""The workshop and the boxes in a real browser, served from a folder below the root of an address, as static pages are."""

from __future__ import annotations

import functools
import re
import shutil
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path

import nbformat
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from conftest import ARGUMENTS, MISSING

from unrolled.site import workshop as workshop_pages

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

pytestmark = pytest.mark.slow

AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
ASSIGNMENT = "02-rnn-forward"
TRANSPOSED = "def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):\n    return np.tanh(X_t @ W_xh + H_prev @ W_hh.T + b_h)\n"
START_SECONDS = 240  # on a machine that does other things; see benchmarks/in_page.py for how long it takes
SUB_PATH = "x/y"


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder and counts what it sends; `replaced` are files to send instead, by the ends of their paths."""

    sent: dict[str, int] = {}
    replaced: dict[str, bytes] = {}

    def do_GET(self) -> None:
        for end, content in self.replaced.items():
            if self.path.split("?")[0].endswith(end):
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                return
        super().do_GET()

    def copyfile(self, source, outputfile) -> None:
        super().copyfile(source, outputfile)
        self.sent[self.path] = self.sent.get(self.path, 0) + source.tell()

    def log_message(self, *args) -> None:
        pass


@dataclass
class Site:
    """A served site, and the browser that looks at it."""

    address: str
    driver: webdriver.Chrome
    downloads: Path
    net_log: Path
    handler: type[Handler]
    first_click: int = 0  # bytes sent until the first output

    def open(self, page: str) -> None:
        self.driver.get(f"{self.address}/{page}")

    def wait(self, condition: Callable, seconds: float = START_SECONDS):
        return WebDriverWait(self.driver, seconds, poll_frequency=0.2).until(lambda _: condition())

    def script(self, code: str, *arguments):
        return self.driver.execute_script(code, *arguments)

    # The workshop

    def open_notebook(self, name: str = ASSIGNMENT) -> None:
        """Open a notebook and wait until its Python is ready."""
        self.open(f"book/try.html?open={name}")
        self.wait(lambda: self.script("return document.querySelector('.unrolled-workshop').dataset.ready"))

    def notes(self) -> str:
        return self.script("return [...document.querySelectorAll('.unrolled-workshop-notes p')].map((note) => note.innerText).join('\\n')")

    def run_cell(self, source: str | None, grade_id: str) -> str:
        """Write a source into the cell of that id, if there is one, run it, and return what it shows."""
        self.driver.set_script_timeout(START_SECONDS)
        return self.driver.execute_async_script(
            """
            const [source, id, done] = arguments;
            const app = document.querySelector("iframe").contentWindow.jupyterapp;
            const notebook = app.shell.currentWidget.content;
            notebook.activeCellIndex = notebook.widgets.findIndex((cell) => cell.model.getMetadata("nbgrader")?.grade_id === id);
            notebook.deselectAll();
            const cell = notebook.activeCell;
            if (source !== null) cell.model.sharedModel.setSource(source);
            app.commands.execute("notebook:run-cell").then(() => done(cell.model.outputs.toJSON().map((output) =>
              [output.text, output.evalue, output.data?.["text/plain"], output.data?.["text/html"]].flat().join("")).join("\\n")));
            """,
            source, grade_id,
        )  # fmt: skip

    def saved(self) -> None:
        self.wait(lambda: self.script("return !document.querySelector('iframe').contentWindow.jupyterapp.shell.currentWidget.context.model.dirty"), 60)

    def source_of(self, grade_id: str) -> str:
        return self.script(
            """return document.querySelector("iframe").contentWindow.jupyterapp.shell.currentWidget.content.widgets
               .find((cell) => cell.model.getMetadata("nbgrader")?.grade_id === arguments[0]).model.sharedModel.getSource()""",
            grade_id,
        )

    # Boxes

    def first_box(self):
        """The box of the title page, as a reader finds it."""
        self.open("book/index.html")
        return self.box()

    def box(self):
        """The first box of the present page."""
        return self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, ".unrolled-box:has(textarea)"), 60)[0]

    def status(self, box) -> str:
        return box.find_element(By.CLASS_NAME, "unrolled-box-status").text

    def output(self, box) -> str:
        return box.find_element(By.CLASS_NAME, "unrolled-box-output").get_attribute("textContent").strip()

    def finished(self, box) -> str:
        """What the box says when its code has ended."""

        def said() -> str:
            text = self.status(box)
            return "" if text == "Running." or text.startswith("Python is loading") else text

        return self.wait(said)

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture(scope="module")
def site(built_book, tmp_path_factory) -> Iterator[Site]:
    """The built site at an address with a path, in a browser of its own, which writes down every request that it makes."""
    folder, _ = built_book
    if not (folder / "try" / "workshop.json").is_file():
        pytest.skip("optional: the book was built without the workshop, because Pyodide's files are not reachable here")
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and chromedriver):
        pytest.skip(MISSING)
    root = tmp_path_factory.mktemp("served")
    (root / SUB_PATH).parent.mkdir(parents=True)
    (root / SUB_PATH).symlink_to(folder)
    handler = type("Counting", (Handler,), {"sent": {}, "replaced": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    downloads, net_log = tmp_path_factory.mktemp("downloads"), tmp_path_factory.mktemp("net") / "log.json"
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in [*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}", f"--log-net-log={net_log}"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    yield Site(f"http://127.0.0.1:{server.server_port}/{SUB_PATH}", driver, downloads, net_log, handler)
    driver.quit()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def workshop(site) -> Site:
    """The site with an assignment open, in which one thing has been run."""
    site.handler.sent.clear()
    site.open_notebook()
    site.run_cell(None, "setup")
    site.first_click = sum(site.handler.sent.values())
    return site


# --- An assignment -------------------------------------------------------------------------------


def test_the_first_click_transfers_little_enough(workshop):
    assert workshop.first_click < 35e6, f"{workshop.first_click / 1e6:.2f} MB"


def test_the_page_says_what_is_kept_where_and_that_nothing_was_downloaded(workshop):
    assert "kept in this browser" in workshop.notes()
    assert "You have not downloaded it yet." in workshop.notes()


def test_the_notebooks_head_says_nothing_of_checkpoints_and_trust(workshop):
    shown = workshop.script("return document.querySelector('iframe').contentDocument.querySelector('#top-panel-wrapper, #top-panel').innerText")
    assert ASSIGNMENT in shown and not re.search("checkpoint|trusted", shown, re.IGNORECASE)


def test_a_known_mistake_is_named(workshop):
    workshop.run_cell(TRANSPOSED, "rnn_step-code")
    assert "a step with W_hh transposed" in workshop.run_cell(None, "rnn_step")


def test_a_mistake_that_a_check_named_here_comes_back_in_the_review(workshop):
    workshop.run_cell(TRANSPOSED, "rnn_step-code")
    workshop.run_cell(None, "rnn_step")
    workshop.wait(lambda: "The check of rnn_step named a known mistake." in workshop.notes(), 10)
    kept = workshop.script("return window.unrolledAnswers.log.events().map(({ question }) => question)")
    assert kept == ["mistake rnn_step W_hh-transposed"]


def test_hints_come_in_steps(workshop):
    workshop.run_cell(TRANSPOSED, "rnn_step-code")
    workshop.run_cell(None, "rnn_step")
    shown = workshop.run_cell(TRANSPOSED + 'check.hint("rnn_step")', "rnn_step-code")
    assert "Hint 1 of" in shown


def test_the_mended_answers_get_full_marks(workshop, course):
    solved = nbformat.read(course / "solutions" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    for cell in solved.cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("solution"):
            workshop.run_cell(cell.source, meta["grade_id"])
        elif meta.get("grade"):
            assert "all passed" in workshop.run_cell(None, meta["grade_id"]), meta["grade_id"]


def test_the_downloaded_notebook_earns_what_one_made_at_home_earns(workshop, course, bwrap, tmp_path):
    import sample_class

    button = workshop.driver.find_element(By.CLASS_NAME, "unrolled-workshop-download")
    workshop.driver.execute_script("arguments[0].scrollIntoView({ block: 'center' })", button)  # the page's header may lie over it
    button.click()
    handed_in = workshop.downloads / f"{ASSIGNMENT}.ipynb"
    workshop.wait(handed_in.is_file, 60)
    folder = tmp_path / "course"
    sample_class.new_course(course, folder)
    sample_class.hand_in(folder, "home", sample_class.model_answers(folder))
    sample_class.hand_in(folder, "page", {})
    shutil.copyfile(handed_in, folder / "class" / "submitted" / "page" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    sample_class.nbgrader(folder, "autograde", ASSIGNMENT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy's advice to nbgrader
        scores = sample_class.scores(folder)
    assert scores["page"] == scores["home"] and sum(score for score, _ in scores["page"].values()) == 20
    assert nbformat.read(handed_in, as_version=4).metadata.kernelspec.name == "python3"


def test_the_age_of_the_last_download_is_shown(workshop):
    assert "Last download: " in workshop.notes()


def test_a_reload_keeps_the_work(workshop):
    workshop.run_cell("kept = 'what I wrote'", "one_hot-code")
    workshop.saved()
    workshop.open_notebook()
    assert workshop.source_of("one_hot-code") == "kept = 'what I wrote'"


def test_on_a_second_visit_python_starts_before_jupyterlab_has_loaded(workshop):
    """Seen in what the frame has fetched, in this order: the worker in which Python starts, and what asks for a kernel."""
    fetched = workshop.script(
        "return document.querySelector('iframe').contentWindow.performance.getEntriesByType('resource').map(({ name, startTime }) => [name, startTime])"
    )
    begins = {part: min((at for name, at in fetched if part in name), default=None) for part in ("pyodide/start.js", "remoteEntry")}
    assert begins["pyodide/start.js"] is not None and begins["pyodide/start.js"] < begins["remoteEntry"]


def test_python_that_started_early_finds_the_files_that_the_browser_keeps(workshop):
    shown = workshop.run_cell("open('beside.py', 'w').write('found = 41 + 1\\n')\nimport beside\nbeside.found", "one_hot-code")
    assert shown.endswith("42")


def test_a_kernel_that_is_started_anew_answers(workshop):
    workshop.driver.execute_async_script(
        "const done = arguments[0]; document.querySelector('iframe').contentWindow.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart().then(done, done)"
    )
    assert workshop.run_cell("import numpy as np\nint(np.arange(4).sum())", "one_hot-code") == "6"


def test_the_console_has_no_error(workshop):
    assert workshop.errors() == []


def test_a_tab_closed_in_the_middle_of_a_check_loses_nothing(workshop):
    first = workshop.driver.current_window_handle
    workshop.driver.switch_to.new_window("tab")
    workshop.open_notebook()
    workshop.run_cell("before = 'the tab was closed'", "one_hot-code")
    workshop.saved()
    workshop.script(
        """const app = document.querySelector("iframe").contentWindow.jupyterapp;
           app.shell.currentWidget.sessionContext.session.kernel.requestExecute({ code: "while True: pass" })"""
    )
    workshop.driver.close()
    workshop.driver.switch_to.window(first)
    workshop.open_notebook()
    assert workshop.source_of("one_hot-code") == "before = 'the tab was closed'"


def test_a_second_tab_is_warned_of(workshop):
    first = workshop.driver.current_window_handle
    workshop.driver.switch_to.new_window("tab")
    workshop.open(f"book/try.html?open={ASSIGNMENT}")
    workshop.wait(lambda: "open in another tab" in workshop.notes(), 60)
    workshop.driver.close()
    workshop.driver.switch_to.window(first)
    assert "open in another tab" in workshop.notes()


def test_a_full_storage_is_said(workshop):
    """The browser's estimate is simulated: what Chromium makes of a quota that is set by its debugger differs from run to run."""
    estimate = "StorageManager.prototype.estimate = async () => ({ usage: 1_000_000, quota: 2_000_000 });"
    script = workshop.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": estimate})
    try:
        workshop.driver.refresh()
        workshop.wait(lambda: "hardly any space left" in workshop.notes(), 60)
    finally:
        workshop.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


FULL = """
const frame = document.querySelector("iframe").contentWindow;
frame.kept = frame.IDBObjectStore.prototype.put;
frame.IDBObjectStore.prototype.put = () => { throw new frame.DOMException("full", "QuotaExceededError"); };
"""
SPACE = "const frame = document.querySelector('iframe').contentWindow; frame.IDBObjectStore.prototype.put = frame.kept;"
SAVE = "void document.querySelector('iframe').contentWindow.jupyterapp.commands.execute('docmanager:save')"


def test_a_change_that_the_full_storage_did_not_take_is_said_until_there_is_space(workshop):
    """The refusal is simulated where it would come from: the browser's database of the frame."""
    workshop.open_notebook()
    workshop.script(FULL)
    try:
        workshop.run_cell("kept = 'when there is space'", "one_hot-code")
        workshop.script(SAVE)
        workshop.wait(lambda: "could not be kept" in workshop.notes(), 30)
    finally:
        workshop.script(SPACE)
    workshop.script("document.querySelector('iframe').contentDocument.querySelectorAll('.jp-Dialog button').forEach((button) => button.click())")
    workshop.script(SAVE)
    workshop.wait(lambda: "could not be kept" not in workshop.notes(), 30)
    workshop.open_notebook()
    assert workshop.source_of("one_hot-code") == "kept = 'when there is space'"
    workshop.errors()  # JupyterLab reports what it could not save


def test_a_link_into_the_book_opens_its_page(workshop):
    workshop.open_notebook()
    before = set(workshop.driver.window_handles)
    workshop.driver.switch_to.frame(workshop.driver.find_element(By.CSS_SELECTOR, ".unrolled-workshop iframe"))
    link = workshop.wait(lambda: workshop.driver.find_elements(By.PARTIAL_LINK_TEXT, "Letters as one-hot rows"), 30)[0]
    workshop.script("arguments[0].scrollIntoView({ block: 'center' })", link)
    link.click()
    workshop.driver.switch_to.default_content()
    workshop.wait(lambda: set(workshop.driver.window_handles) - before, 30)
    first = workshop.driver.current_window_handle
    workshop.driver.switch_to.window((set(workshop.driver.window_handles) - before).pop())
    workshop.wait(lambda: workshop.driver.current_url.startswith("http"), 30)
    opened = workshop.driver.current_url
    workshop.driver.close()
    workshop.driver.switch_to.window(first)
    assert opened == f"{workshop.address}/book/recurrence/rnn-scratch.html#letters-as-one-hot-rows"


@pytest.mark.parametrize("assignment", ["01-language-models", "03-bptt", "04-training", "05-lstm", "06-gru-and-depth", "07-seq2seq", "08-your-data"])
def test_the_first_task_of_each_other_assignment_gets_full_marks_here(site, course, assignment):
    site.open_notebook(assignment)
    for cell in nbformat.read(course / "solutions" / assignment / f"{assignment}.ipynb", as_version=4).cells:
        meta = cell.metadata.get("nbgrader", {})
        if meta.get("grade"):
            assert "all passed" in site.run_cell(None, meta["grade_id"])
            break
        if cell.cell_type == "code":
            site.run_cell(cell.source if meta.get("solution") else None, meta["grade_id"])


def test_every_assignment_is_opened_by_one_of_these_tests(course):
    (marks,) = [mark for mark in test_the_first_task_of_each_other_assignment_gets_full_marks_here.pytestmark if mark.name == "parametrize"]
    assert sorted([ASSIGNMENT, *marks.args[1]]) == sorted(path.name for path in (course / "assignments").iterdir() if path.is_dir())


def test_a_name_that_is_no_notebook_is_said(site):
    site.open("book/try.html?open=99-nothing")
    site.wait(lambda: "There is no notebook 99-nothing" in site.notes(), 60)


def test_the_shortest_page_runs_here_but_for_cells_that_need_what_a_page_lacks(site, course):
    import in_page

    pages = workshop_pages.pages(course)
    page = min(pages, key=lambda name: (pages[name].get("minutes", 99), sum(pages[name].get("long", {}).values())))
    ran = in_page.run_page(site.driver, f"{site.address}/try", page)
    assert ran.ended and ran.seconds
    assert [error for error in ran.errors.values() if "which this page does not have" not in error] == []


# --- Boxes ---------------------------------------------------------------------------------------


def test_the_first_win_by_keyboard_takes_less_than_ten_minutes(site):
    begin = time.monotonic()
    box = site.first_box()
    code = box.find_element(By.TAG_NAME, "textarea")
    for _ in range(200):  # to the code with the tab key alone
        if site.driver.switch_to.active_element == code:
            break
        site.driver.switch_to.active_element.send_keys(Keys.TAB)
    assert site.driver.switch_to.active_element == code
    site.driver.switch_to.active_element.send_keys(Keys.CONTROL, Keys.ENTER)
    assert site.finished(box) == "Stopped by an error."
    assert "Your code never reads b_h, and the result depends on it." in site.output(box)
    keys = webdriver.ActionChains(site.driver).key_down(Keys.CONTROL).send_keys(Keys.HOME).key_up(Keys.CONTROL)
    keys.send_keys(Keys.DOWN * 6, Keys.END, Keys.LEFT, " + b_h").key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(Keys.CONTROL).perform()
    site.wait(lambda: site.status(box) == "Done.")
    assert "all passed, 4 of 4 points" in site.output(box)
    assert "is-right" in box.find_element(By.CLASS_NAME, "unrolled-box-output").get_attribute("class")
    assert time.monotonic() - begin < 600


def write(site: Site, box, code: str) -> None:
    entry = box.find_element(By.TAG_NAME, "textarea")
    site.script("arguments[0].value = arguments[1]", entry, code)
    entry.send_keys(Keys.CONTROL, Keys.ENTER)


def test_an_error_names_the_line_of_the_box_and_nothing_else(site):
    box = site.first_box()
    write(site, box, "a = 1\nb = c\n")
    site.finished(box)
    shown = site.output(box)
    assert 'line 2' in shown and "NameError: name 'c' is not defined" in shown and "pyodide" not in shown


def test_ids_of_64_bits_are_counted_as_elsewhere_though_an_index_has_32_here(site):
    box = site.first_box()
    write(site, box, "import numpy as np\nimport unrolled\nprint(np.bincount(np.array([0, 2, 2], np.int64)), np.intp(0).nbytes)")
    site.finished(box)
    assert site.output(box) == "[1 0 2] 4"


def test_stop_ends_what_runs_and_says_that_variables_are_lost(site):
    box = site.first_box()
    write(site, box, "while True: pass")
    site.wait(lambda: site.status(box) == "Running.")
    box.find_element(By.CLASS_NAME, "unrolled-box-stop").click()
    assert "all variables of this page are lost" in site.status(box)
    write(site, box, "print('again')")
    assert site.finished(box) == "Done." and site.output(box) == "again"


def test_reset_brings_the_code_back(site):
    box = site.first_box()
    write(site, box, "1 + 1")
    site.finished(box)
    box.find_element(By.CLASS_NAME, "unrolled-box-reset").click()
    assert "H_prev @ W_hh)" in box.find_element(By.TAG_NAME, "textarea").get_attribute("value")
    assert site.output(box) == "" and site.status(box) == ""


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("page", ["book/index.html", f"book/try.html?open={ASSIGNMENT}"])
def test_axe_finds_no_serious_or_critical_issue(site, page, mode):
    site.open(page)
    site.wait(lambda: site.driver.find_elements(By.CSS_SELECTOR, ".unrolled-box textarea, .unrolled-workshop iframe"), 60)
    site.script(AXE)
    site.script("document.documentElement.dataset.theme = document.documentElement.dataset.mode = arguments[0]", mode)
    site.driver.set_script_timeout(60)
    found = site.driver.execute_async_script(
        """const done = arguments[0];
           axe.run({ include: [[".unrolled-box"], [".unrolled-workshop"]].filter(([one]) => document.querySelector(one)), exclude: ["iframe"] },
                   { resultTypes: ["violations"], iframes: false })
             .then(({ violations }) => done(violations.map((one) => `${one.impact} ${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`)))"""
    )
    assert [line for line in found if line.startswith(("serious", "critical"))] == []


# --- What goes wrong -----------------------------------------------------------------------------


def test_a_damaged_file_is_named(site):
    site.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    site.handler.replaced["numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl"] = b"half a wheel"
    try:
        site.open("book/index.html")
        box = site.box()
        write(site, box, "import numpy")
        assert "numpy-2.0.2" in site.finished(box) and "damaged or missing" in site.status(box)
    finally:
        site.handler.replaced.clear()
        site.errors()


def test_a_browser_without_webassembly_is_told(site):
    added = site.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": "delete window.WebAssembly"})
    try:
        site.open("book/index.html")
        box = site.box()
        write(site, box, "1")
        assert "too old" in site.finished(box)
        site.open(f"book/try.html?open={ASSIGNMENT}")
        site.wait(lambda: "too old" in site.notes(), 60)
    finally:
        site.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


def test_a_book_without_the_workshop_says_so(site):
    site.open("book/index.html")
    site.script("window.fetch = () => Promise.resolve(new Response('', { status: 404 }))")
    box = site.box()
    write(site, box, "1")
    assert "built without" in site.finished(box)


def test_a_page_that_was_opened_as_a_file_says_what_to_do(site, built_book):
    folder, _ = built_book
    site.driver.get((folder / "book" / "index.html").as_uri())
    box = site.box()
    write(site, box, "1")
    assert "make serve" in site.finished(box)
    site.driver.get(f"{(folder / 'book' / 'try.html').as_uri()}?open={ASSIGNMENT}")
    site.wait(lambda: "make serve" in site.notes(), 60)
    site.errors()


def test_without_javascript_the_code_can_be_read(site):
    site.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        site.open("book/index.html")
        assert "def rnn_step" in site.driver.find_element(By.CSS_SELECTOR, ".unrolled-box pre").text
    finally:
        site.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


# --- After all of the above ----------------------------------------------------------------------


def test_the_pages_of_the_book_load_nothing_of_the_workshop(site):
    site.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    # A reader who has never been in the workshop: its service worker, which the tests above left, asks for its own file now and then.
    site.open("book/index.html")
    site.driver.execute_async_script(
        "const done = arguments[0]; navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((one) => one.unregister()))).then(done)"
    )
    site.handler.sent.clear()
    site.open("book/index.html")
    site.box()
    assert [path for path in site.handler.sent if path.startswith(f"/{SUB_PATH}/try/")] == []


def test_no_request_left_the_machine(site):
    log = site.net_log.read_text(encoding="utf-8", errors="replace")
    # What pages and their workers asked for; the browser has errands of its own, which begin at no page.
    asked = [re.search(r'"url":"\w+://([^"/]+)', line)[1] for line in log.splitlines() if '"initiator":"http' in line and '"url":"' in line]
    assert asked and {host for host in asked if not host.startswith("127.0.0.1")} == set()
