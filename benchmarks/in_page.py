"""How long until Python in the page answers, and how much is transferred? Beside the start of a kernel on this machine, in one run.

    make book && python benchmarks/in_page.py [--runs 3]

Seconds by the clock, the median of the runs, from the click to the first printed number: in the workshop, whose notebook imports the
course; in a box of a page, which imports NumPy. The first visit begins with an empty browser, the second finds its cache. Megabytes are
what the local server sent. A busy machine takes longer: the last line is the same for a kernel of Jupyter outside of the page.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from common import write

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

BUILT = ROOT / "_build" / "html"
WAIT_SECONDS = 300
CODE = "import numpy as np; from unrolled.checks import check; print(np.arange(5).sum())"
IN_NOTEBOOK = """
const [code, done] = arguments;
const kernel = document.querySelector("iframe").contentWindow.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
const future = kernel.requestExecute({ code });
future.onIOPub = (message) => { if (message.header.msg_type === "stream" && message.content.text.includes("10")) done(true); };
"""


def serve() -> tuple[str, list[int]]:
    """The built site at an address of this machine, and the sizes of what it sends."""
    from serve import HERE, Handler, Server

    sent: list[int] = []

    class Counting(Handler):
        def copyfile(self, source, outputfile) -> None:
            super().copyfile(source, outputfile)
            sent.append(source.tell())

    server = Server((HERE, 0), functools.partial(Counting, directory=str(BUILT)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://{HERE}:{server.server_port}", sent


def browser(profile: str):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", f"--user-data-dir={profile}"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_script_timeout(WAIT_SECONDS)
    return driver


def until(condition) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the page did not answer")
        time.sleep(0.05)


def in_notebook(driver, address: str) -> float:
    begin = time.perf_counter()
    driver.get(f"{address}/book/try.html?open=02-rnn-forward")
    until(lambda: driver.execute_script("return document.querySelector('.unrolled-workshop')?.dataset.ready"))
    driver.execute_async_script(IN_NOTEBOOK, CODE)
    return time.perf_counter() - begin


def in_box(driver, address: str) -> float:
    driver.get(f"{address}/book/index.html")
    until(lambda: driver.execute_script("return document.querySelector('.unrolled-box textarea') !== null"))
    driver.execute_script("document.querySelector('.unrolled-box textarea').value = arguments[0]", "import numpy as np\nprint(np.arange(5).sum())")
    begin = time.perf_counter()
    driver.execute_script("document.querySelector('.unrolled-box-run').click()")
    until(lambda: driver.execute_script("return document.querySelector('.unrolled-box-output').textContent.includes('10')"))
    return time.perf_counter() - begin


def visits(measure, address: str, sent: list[int]) -> dict[str, float]:
    """Seconds and megabytes of a first and a second visit. The second one begins with a new browser that has the first one's cache."""
    found = {}
    with tempfile.TemporaryDirectory() as profile:
        for visit in ("first", "second"):
            driver = browser(profile)
            try:
                sent.clear()
                found[f"{visit} visit, s"] = measure(driver, address)
                found[f"{visit} visit, MB"] = sum(sent) / 1e6
            finally:
                driver.quit()
    return found


def kernel() -> float:
    """Seconds until a kernel of Jupyter on this machine has printed the same."""
    from jupyter_client.manager import start_new_kernel

    begin = time.perf_counter()
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        client.execute_interactive(CODE, output_hook=lambda message: None)
        return time.perf_counter() - begin
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    if not (BUILT / "try" / "workshop.json").is_file():
        sys.exit("There is no built book with the workshop in _build/html: make book, where Pyodide's files can be had.")
    address, sent = serve()
    result: dict[str, object] = {"site, MB": round(megabytes(BUILT), 1), "workshop, MB": round(megabytes(BUILT / "try"), 1)}
    for name, measure in (("workshop", in_notebook), ("box", in_box)):
        taken = [visits(measure, address, sent) for _ in range(runs)]
        result |= {f"{name}, {key}": round(statistics.median(one[key] for one in taken), 1) for key in taken[0]}
    result["kernel outside of the page, s"] = round(statistics.median(kernel() for _ in range(runs)), 1)
    for name, value in result.items():
        print(f"{name:32} {value:7.1f}")
    write("in_page", result)


if __name__ == "__main__":
    main()
