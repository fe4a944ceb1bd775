"""Three Chinese pages in a real browser, in a book of these alone, which is built in seconds. `test_book_pages` opens more of them."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from unrolled.editions import tree

PAGES = ["book/index", "book/sequences/compression", "book/appendix/glossary"]
AXE = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """
const done = arguments[arguments.length - 1];
for (const formula of document.querySelectorAll("mjx-container")) formula.remove();
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => done(violations
  .filter(({ impact }) => ["serious", "critical"].includes(impact))
  .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(" | ")}`)));
"""


@pytest.fixture(scope="module")
def address(tmp_path_factory, course, serve) -> str:
    """The address of a site with three pages of the Chinese book. Links to the others lead nowhere."""
    folder, site = tmp_path_factory.mktemp("small"), tmp_path_factory.mktemp("site")
    tree.write(course, "zh_CN", folder, site)
    toc = {"format": "jb-book", "root": PAGES[0], "chapters": [{"file": page} for page in PAGES[1:]]}
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    for source in [*(folder / "book").rglob("*.md"), *(folder / "book").rglob("*.ipynb")]:
        if source.relative_to(folder).with_suffix("").as_posix() not in PAGES:
            source.unlink()
    done = subprocess.run([Path(sys.executable).parent / "jupyter-book", "build", folder, "--quiet"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return serve(site / "zh_CN")


@pytest.mark.parametrize("page", PAGES)
def test_a_chinese_page_loads_without_errors_and_shuts_nobody_out(browser, address, console_errors, requests, page):
    browser.get(f"{address}/{page}.html")
    WebDriverWait(browser, 30).until(lambda one: one.execute_script("return document.readyState") == "complete")
    assert browser.execute_script("return document.documentElement.lang") == "zh-CN"
    assert [url for url in requests() if not url.startswith(address)] == []
    assert [error for error in console_errors() if "404" not in error] == []
    browser.execute_script(AXE)
    assert browser.execute_async_script(RUN_AXE) == []


def test_a_quiz_answers_in_chinese(browser, address):
    browser.get(f"{address}/{PAGES[1]}.html")
    form = WebDriverWait(browser, 30).until(lambda one: one.find_element(By.CSS_SELECTOR, "form[data-kind='one']"))
    browser.execute_script("arguments[0].querySelector('input').click(); arguments[0].querySelector('button[type=submit]').click()", form)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in form.find_element(By.CSS_SELECTOR, "[aria-live]").text)
