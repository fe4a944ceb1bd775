"""Two checks of assignment 04 don't compare number by number: `train` sets a limit, `sample` tests statistically."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from unrolled.checks import TASKS
from unrolled.checks import run as checks_run


@pytest.fixture
def benchmark(course, monkeypatch):
    """benchmark(name): the benchmark that measured what a check rests on."""
    monkeypatch.syspath_prepend(str(course / "benchmarks"))
    return importlib.import_module


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["state reset at each window", "W_hh not trained"])
def test_training_that_leaves_out_what_matters_misses_the_limit(benchmark, wrong):
    """The cases before catch these, too; what runs without clipping is ten thousand times above the limit."""
    long_case = checks_run.drawn(TASKS["train"], checks_run.PUBLIC_SEED).values[-1]
    result = benchmark("train_threshold").WRONG[wrong](*long_case.arguments.values())
    assert "Right solutions stay below" in long_case.judge(result, call=None)


def test_right_draws_fail_the_statistical_tests_no_more_often_than_these_say(benchmark):
    """At a level at which it can be counted; for the check's own, which is far smaller, run the benchmark."""
    level = 0.05
    failed = np.array([benchmark("sample_alarms").chances(seed) for seed in range(60)]) <= level  # (checks, cases, 2)
    tests = failed[..., 0].size
    assert (failed.sum(axis=(0, 1)) <= level * tests + 3 * np.sqrt(level * tests)).all()
