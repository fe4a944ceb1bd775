"""The reports of `unrolled train` in a browser: without a request, a script or a barrier, in light and dark, on a phone."""

from importlib.resources import files

import pytest
from own_files import labelled_report, text_report  # noqa: F401

pytestmark = pytest.mark.slow

AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """
const [done] = arguments;
for (const details of document.querySelectorAll("details")) details.open = true;
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => done(violations
  .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`)));
"""

both = pytest.mark.parametrize("which", ["text_report", "labelled_report"])


@pytest.fixture
def opened(browser, request):
    """A function: open that report, in that colour scheme and width, from its file."""

    def opening(which, scheme="light", width=1200):
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        if width < 1200:
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True})
        report = request.getfixturevalue(which)
        browser.get(report.as_uri())
        return report

    yield opening
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@both
def test_nothing_but_the_file_is_asked_for_and_nothing_fails(browser, opened, requests, console_errors, which):
    report = opened(which)
    assert requests() == [report.as_uri()]
    assert console_errors() == []


@both
def test_what_a_text_holds_is_not_run(browser, opened, which):
    opened(which)
    assert "caught" not in browser.title
    assert browser.execute_script("return document.scripts.length") == 0


@both
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(browser, opened, which, scheme):
    opened(which, scheme)
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})  # for axe alone
    opened(which, scheme)
    browser.execute_script(AXE)
    browser.set_script_timeout(120)
    assert browser.execute_async_script(RUN_AXE) == []
    browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})


@both
def test_dark_mode_has_a_dark_ground(browser, opened, which):
    grounds = {}
    for scheme in ("light", "dark"):
        opened(which, scheme)
        grounds[scheme] = browser.execute_script("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
    assert min(grounds["light"]) > 200
    assert max(grounds["dark"]) < 60


@both
def test_a_phone_scrolls_down_only(browser, opened, which):
    opened(which, width=390)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
