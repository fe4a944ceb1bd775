"""A real browser, a web server on a free local port, and what both saw. For every test of a page."""

from __future__ import annotations

import contextlib
import functools
import json
import shlex
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1200,1000",
]
# MathJax is loaded but sets no formula, which takes most of the time that a chapter takes to open.
UNSET = """
Object.defineProperty(window, "MathJax", { configurable: true, set: (options) => {
  Object.defineProperty(window, "MathJax", { value: { ...options, startup: { typeset: false } }, writable: true });
} });
"""
MISSING = "chromium is missing: install it with `sudo apt-get install chromium chromium-driver`"


def _browser(folder: Path) -> str | None:
    """The command that starts Chromium. Where Debian's package chromium-headless-shell is there: Chromium without what draws its own windows, menus and
    settings, which takes a fifth to a third less time for the same pages. It opens no page by itself, and the driver waits for one."""
    if not (shell := shutil.which("chromium-headless-shell")):
        return shutil.which("chromium")
    command = folder / "chromium-with-a-page"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(shell)} "$@" data:,\n', encoding="utf-8")
    command.chmod(0o755)
    return str(command)


@pytest.fixture(scope="session")
def driver(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    """Chromium, started once, with a profile of its own. Take ``browser`` in tests."""
    chromium, chromedriver = _browser(tmp_path_factory.mktemp("command")), shutil.which("chromedriver")
    if not (chromium and chromedriver):
        pytest.skip(MISSING)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in [*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(argument)
    options.add_experimental_option("perfLoggingPrefs", {"enableNetwork": True, "enablePage": False})  # only requests are looked at
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(chromedriver))
    yield driver
    driver.quit()


@pytest.fixture
def browser(driver) -> Iterator[webdriver.Chrome]:
    """The browser with empty logs; afterwards its storage is emptied and its window is as wide as before."""
    driver.get("about:blank")
    driver.get_log("browser")
    driver.get_log("performance")
    yield driver
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    if driver.current_url.startswith(("http:", "file:")):
        driver.execute_script("localStorage.clear()")


@pytest.fixture(scope="session")
def without_formulas(driver) -> Callable[[], contextlib.AbstractContextManager[None]]:
    """``with without_formulas():``: pages that are opened inside leave their formulas as TeX."""

    @contextlib.contextmanager
    def unset() -> Iterator[None]:
        script = driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": UNSET})
        yield
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)

    return unset


@pytest.fixture
def formulas_unset(without_formulas) -> Iterator[None]:
    """Every page of the test leaves its formulas as TeX."""
    with without_formulas():
        yield


@pytest.fixture
def requests(browser) -> Callable[[], list[str]]:
    """A function: the addresses that the page has asked for since the last call, data: and blob: left out."""

    def addresses() -> list[str]:
        messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        urls = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
        return [url for url in urls if not url.startswith(("data:", "blob:"))]

    return addresses


@pytest.fixture
def console_errors(browser) -> Callable[[], list[str]]:
    """A function: the errors that the page has reported since the last call."""
    return lambda: [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """A function: serve a folder on this machine alone; gives its address, without a slash at the end."""
    servers = []

    def start(folder: Path) -> str:
        handler = functools.partial(_QuietHandler, directory=str(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
