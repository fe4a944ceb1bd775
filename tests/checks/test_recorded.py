"""Recorded references: written whole, read back as they were, and this machine held to those that are shipped."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from unrolled.checks import TASKS, recorded
from unrolled.checks.run import copy_of


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("recorded") / "here.npz"
    recorded.record(path)
    return path


def test_a_recording_holds_every_task_whose_truth_is_computed(recording):
    wanted = {task.name for task, _ in recorded.recordable_cases()}
    assert {entry.task for entry in recorded.load(recording)[1]} == wanted
    assert len(wanted) >= len(TASKS) - 3  # what is judged by itself is random


def test_a_recording_gives_arguments_and_results_back_as_they_were(recording):
    entries = iter(recorded.load(recording)[1])
    for task, case in recorded.recordable_cases():
        entry = next(entries)
        assert (entry.task, entry.case) == (task.name, case.name)
        assert recorded.difference(entry.arguments, case.arguments) == 0
        assert recorded.difference(entry.result, task.reference(*copy_of(case.arguments).values())) == 0


def test_this_machine_agrees_with_its_own_recording(recording):
    assert max(recorded.differences(recording).values()) == 0


def test_a_recording_says_where_it_was_made(recording):
    where, _ = recorded.load(recording)
    assert where["judge"].startswith("torch ") and {"date", "torch", "numpy", "machine"} <= where.keys()


@pytest.mark.parametrize("path", recorded.recordings() or [None], ids=lambda path: path.stem if path else "none shipped")
def test_this_machine_agrees_with_every_recording_that_is_shipped(path):
    if path is None:
        pytest.skip("optional: no recording is shipped; make one on a machine with a GPU: unrolled record FILE")
    differences = recorded.differences(path)
    task, largest = max(differences.items(), key=lambda pair: pair[1])
    assert largest < 1e-9, f"the largest difference, {largest:.1e}, is in {task}"


@pytest.mark.parametrize("a, b, expected", [
    (np.ones(3), np.ones(3), 0), ([1.0, 2.0], [1.0, 2.0], 0), ([1.0], [1.0, 2.0], np.inf), ({"a": 2.0}, {"a": 1.0}, 1),
    ({"a": 1}, {"b": 1}, np.inf), ("x", "y", np.inf), (np.ones(2), np.ones(3), np.inf),
])  # fmt: skip
def test_a_difference_is_seen_wherever_it_is(a, b, expected):
    assert recorded.difference(a, b) == expected


def test_a_file_of_something_else_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "other.npz").write_text("nothing")
    with pytest.raises(ValueError, match="no file of recorded references"):
        recorded.load(tmp_path / "other.npz")


@pytest.mark.slow
def test_the_module_records_where_only_numpy_and_torch_are_installed(tmp_path):
    hidden = "typer rich yaml matplotlib IPython nbformat platformdirs sklearn statsmodels".split()
    code = (
        f"import sys, runpy; [sys.modules.__setitem__(name, None) for name in {hidden!r}]; "
        f"sys.argv = ['recorded', {str(tmp_path / 'r.npz')!r}]; runpy.run_module('unrolled.checks.recorded', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "cases recorded, by torch" in done.stdout
