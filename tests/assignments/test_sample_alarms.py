"""The check of `sample` tests draws statistically: a right solution must not fail by chance."""

from __future__ import annotations

import importlib

import numpy as np
import pytest


@pytest.fixture
def sample_alarms(course, monkeypatch):
    """The benchmark that counts false alarms."""
    monkeypatch.syspath_prepend(str(course / "benchmarks"))
    return importlib.import_module("sample_alarms")


def test_right_draws_fail_the_statistical_tests_no_more_often_than_these_say(sample_alarms):
    """At a level at which it can be counted; for the check's own, which is far smaller, run the benchmark."""
    level = 0.05
    failed = np.array([sample_alarms.chances(seed) for seed in range(60)]) <= level  # (checks, cases, 2)
    tests = failed[..., 0].size
    assert (failed.sum(axis=(0, 1)) <= level * tests + 3 * np.sqrt(level * tests)).all()
