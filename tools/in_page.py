"""Runs pages of the book in the workshop, in Chromium, and says how long they take there and what does not run.

    python tools/in_page.py book/recurrence/rnn book/sequences/text    # these
    python tools/in_page.py                                           # those of book/try.yml
    python tools/in_page.py --cell-seconds 120 book/tasks/words       # leaves the page at the first cell that takes two minutes

Prints, for each page, the seconds of all its cells, the cells that take more than 20 s, and the errors. Seconds are the browser's own processor
time, so that other programs on the machine do not count. A cell that takes more than ten minutes of it ends its page. `book/try.yml` holds
what this has found; a test runs its shortest page again.
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from serve import HERE, Handler, Server

ROOT = Path(__file__).resolve().parents[1]
LONG_SECONDS = 20
CELL_SECONDS = 600
START_SECONDS = 300
OPEN = """
const done = arguments[0];
const wait = async (find) => { for (;;) { try { const found = find(); if (found) return found; } catch {} await new Promise((go) => setTimeout(go, 100)); } };
(async () => {
  const app = await wait(() => window.jupyterapp);
  const panel = await wait(() => app.shell.currentWidget?.context && app.shell.currentWidget);
  await panel.context.ready;
  await panel.sessionContext.ready;
  const kernel = await wait(() => panel.sessionContext.session?.kernel);
  await kernel.info;
  done(panel.content.widgets.map((cell, place) => (cell.model.type === "code" ? place : -1)).filter((place) => place >= 0));
})();
"""
START = """
const notebook = window.jupyterapp.shell.currentWidget.content;
notebook.activeCellIndex = arguments[0];
notebook.deselectAll();
window.ran = null;
window.jupyterapp.commands.execute("notebook:run-cell").then(() => {
  const error = notebook.activeCell.model.outputs.toJSON().find((output) => output.output_type === "error");
  window.ran = { error: error ? `${error.ename}: ${error.evalue}` : "" };
});
"""


@dataclass
class Ran:
    """A page that was run: seconds of each code cell, the errors by the number of the cell, from 1, and whether all cells came to an end."""

    seconds: list[float] = field(default_factory=list)
    errors: dict[int, str] = field(default_factory=dict)
    ended: bool = True


@contextmanager
def served(pages: list[str]) -> Iterator[str]:
    """The address of a workshop that holds these pages."""
    from unrolled.site import lite

    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        lite.build({page.rsplit("/", 1)[-1]: ROOT / f"{page}.ipynb" for page in pages}, site / "try")
        server = Server((HERE, 0), functools.partial(Handler, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{HERE}:{server.server_port}/try"
        finally:
            server.shutdown()
            server.server_close()


@contextmanager
def browser() -> Iterator[object]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", f"--user-data-dir={profile}"):
            options.add_argument(argument)
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            yield driver
        finally:
            driver.quit()


def processor_seconds(driver: object) -> float:
    """What the browser has used so far, all its processes together."""
    used = 0.0
    for process in psutil.Process(driver.service.process.pid).children(recursive=True):
        try:
            used += sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return used


def run_page(driver: object, address: str, page: str, cell_seconds: float = CELL_SECONDS) -> Ran:
    """Open a page's notebook and run its cells from the first to the last; one that fails does not stop the others, one that takes too long does."""
    ran = Ran()
    driver.set_script_timeout(START_SECONDS)
    driver.get(f"{address}/notebooks/index.html?path={page.rsplit('/', 1)[-1]}.ipynb")
    for number, place in enumerate(driver.execute_async_script(OPEN), 1):
        begin, used, done = processor_seconds(driver), 0.0, None
        driver.execute_script(START, place)
        while done is None and used < cell_seconds:
            time.sleep(0.2)
            done = driver.execute_script("return window.ran")
            used = processor_seconds(driver) - begin
        ran.seconds.append(used)
        if done is None:
            ran.ended = False
            break
        if done["error"]:
            ran.errors[number] = done["error"]
    return ran


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="such as book/recurrence/rnn; none: those of book/try.yml")
    parser.add_argument("--cell-seconds", type=float, default=CELL_SECONDS, help=f"a cell that takes longer ends its page (default: {CELL_SECONDS})")
    wanted = parser.parse_args()
    pages = wanted.pages or list(yaml.safe_load((ROOT / "book" / "try.yml").read_text(encoding="utf-8")))
    missing = [page for page in pages if not (ROOT / f"{page}.ipynb").is_file()]
    if missing:
        parser.error(f"there is no page {missing[0]}, which should name a notebook without its ending, such as book/recurrence/rnn")
    with served(pages) as address, browser() as driver:
        for page in pages:
            begin = time.monotonic()
            ran = run_page(driver, address, page, wanted.cell_seconds)
            long = {number: round(seconds) for number, seconds in enumerate(ran.seconds, 1) if seconds > LONG_SECONDS}
            ended = "" if ran.ended else f" Cell {len(ran.seconds)} did not end within {wanted.cell_seconds:.0f} s."
            print(
                f"{page}: {sum(ran.seconds):.0f} s in {time.monotonic() - begin:.0f} s, {len(ran.seconds)} cells; over {LONG_SECONDS} s: {json.dumps(long)}.{ended}",
                flush=True,
            )
            for number, error in ran.errors.items():
                print(f"    cell {number}: {error}", flush=True)


if __name__ == "__main__":
    main()
