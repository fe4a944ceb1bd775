"""What the tests of the assignments share: the course's tools, and a judge for one function."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from unrolled.checks import Record, Task
from unrolled.checks import run as checks_run

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))


@pytest.fixture(scope="session")
def judge() -> Callable[..., Record]:
    """judge(task, function, seed=public): the record of a check that ran in this process."""

    def judged(task: Task, function: Callable, seed: int = checks_run.PUBLIC_SEED) -> Record:
        return checks_run.run(task, checks_run.in_process(function), seed=seed)

    return judged
