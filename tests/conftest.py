"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

COURSE = Path(__file__).resolve().parents[1]

# Kernels and commands that tests start inherit this: no progress bars, and no thread pools fighting for two cores.
os.environ.setdefault("UNROLLED_PROGRESS", "off")
os.environ.setdefault("OMP_NUM_THREADS", "1")


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


@pytest.fixture(scope="session")
def course() -> Path:
    """The folder of the course under test."""
    return COURSE
