"""The shipped truths: those of the live reference, for the very cases that are drawn here, and used where torch need not be loaded."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import types

import numpy as np
import pytest

from unrolled import reference
from unrolled.checks import TASKS, drawn, find, recorded, run, truths

PUBLIC = drawn.PUBLIC_SEED
COMPARED = [task for task in TASKS.values() if truths.cases_with_a_truth(task, PUBLIC)]
RENEW = "the shipped truths are stale: UNROLLED_DEVICE=cpu unrolled record"


@pytest.fixture
def fresh(monkeypatch):
    """Checks that choose their judge anew, on a machine that says nothing of it."""
    monkeypatch.delenv("UNROLLED_JUDGE", raising=False)
    monkeypatch.delenv("UNROLLED_DEVICE", raising=False)
    monkeypatch.setattr(truths, "_torch_has_a_gpu", lambda: False)
    drawn.drawn.cache_clear()
    yield monkeypatch
    drawn.drawn.cache_clear()


def check_of(name):
    task = find(name)
    return run.run(task, run.in_process(task.solution))


@pytest.mark.parametrize("task", COMPARED, ids=lambda task: task.name)
def test_the_shipped_truths_are_those_of_the_live_reference(task):
    cases = truths.cases_with_a_truth(task, PUBLIC)
    found = truths.recorded(task, PUBLIC, cases)
    assert found is not None, RENEW
    for case, truth in zip(cases, found, strict=True):
        here = task.reference(*run.copy_of(case.arguments).values())
        assert recorded.difference(truth, here) < 1e-12, f"{case.name}: {RENEW}"


def test_the_shipped_truths_are_for_the_tasks_of_the_course_and_no_others():
    assert truths.load()["tasks"].keys() == TASKS.keys(), RENEW


def test_the_file_says_where_its_truths_were_computed():
    where = truths.load()["provenance"]
    assert where["judge"].startswith("torch ") and "float64, on cpu" in where["judge"]
    assert {"date", "torch", "numpy", "python", "machine"} <= where.keys()


def test_the_file_is_small():
    assert truths.FILE.stat().st_size < 500_000


def test_a_task_whose_cases_changed_has_no_truths_of_another(tmp_path):
    task = find("rnn_step")
    changed = dataclasses.replace(task, value_cases=lambda rng: task.value_cases(np.random.default_rng(1)))
    assert truths.recorded(task, PUBLIC, truths.cases_with_a_truth(task, PUBLIC)) is not None
    assert truths.recorded(changed, PUBLIC, truths.cases_with_a_truth(changed, PUBLIC)) is None
    assert truths.recorded(task, 5, truths.cases_with_a_truth(task, 5)) is None


def test_a_case_more_makes_the_truths_stale():
    cases = truths.cases_with_a_truth(find("rnn_step"), PUBLIC)
    assert truths.recorded(find("rnn_step"), PUBLIC, cases[:-1]) is None


@pytest.mark.parametrize("change", [
    lambda a: {**a, "X_t": a["X_t"] * (1 + 1e-6)}, lambda a: {**a, "X_t": a["X_t"].T}, lambda a: {"H_prev": a["H_prev"], **a},
    lambda a: {**a, "b_h": np.where(np.arange(len(a["b_h"])), a["b_h"], np.inf)},
], ids=["a number", "a shape", "the order", "an infinity"])  # fmt: skip
def test_other_arguments_have_another_fingerprint(change):
    arguments = find("rnn_step").form_case(np.random.default_rng(0)).arguments
    assert not truths.same_fingerprint(truths.fingerprint(arguments), truths.fingerprint(change(arguments)))


@pytest.mark.parametrize("change", [lambda ids: ids + 1, lambda ids: ids.T, lambda ids: ids[:, :1]])
def test_other_ids_have_another_fingerprint(change):
    ids = np.arange(6).reshape(2, 3)
    assert truths.fingerprint({"ids": ids})[0] != truths.fingerprint({"ids": change(ids)})[0]


def test_a_last_bit_that_another_machine_rounds_in_another_way_changes_no_fingerprint():
    arguments = find("rnn_step").form_case(np.random.default_rng(0)).arguments
    other = {name: np.nextafter(value, 9) for name, value in arguments.items()}
    assert truths.same_fingerprint(truths.fingerprint(arguments), truths.fingerprint(other))


# --- Which judge ---------------------------------------------------------------------------------


def test_a_check_at_home_is_judged_by_recorded_results(fresh):
    assert check_of("rnn_step").judge == f"recorded results of {truths.load()['provenance']['judge']}"


def test_unrolled_judge_live_lets_torch_judge(fresh):
    fresh.setenv("UNROLLED_JUDGE", "live")
    assert check_of("rnn_step").judge == reference.describe()


def test_a_device_that_is_named_judges_live(fresh):
    fresh.setenv("UNROLLED_DEVICE", "cuda")
    assert truths.live()
    fresh.setenv("UNROLLED_DEVICE", "cpu")
    assert not truths.live()


def test_with_a_gpu_torch_judges_live(fresh):
    fresh.setattr(truths, "_torch_has_a_gpu", lambda: True)
    assert check_of("rnn_step").judge == reference.describe()
    fresh.setenv("UNROLLED_JUDGE", "recorded")
    assert not truths.live()


@pytest.mark.parametrize("driver, build, expected", [(True, True, True), (True, False, False), (False, True, False)])
def test_torch_is_loaded_to_look_for_a_gpu_only_where_there_may_be_one(monkeypatch, driver, build, expected):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(truths, "_gpu_driver", lambda: driver)
    monkeypatch.setattr(truths, "_torch_knows_gpus", lambda: build)
    monkeypatch.setattr(reference, "torch_module", lambda: types.SimpleNamespace(cuda=types.SimpleNamespace(is_available=lambda: True)))
    assert truths._torch_has_a_gpu() == expected


def test_a_torch_that_can_not_be_loaded_counts_as_none(monkeypatch):
    def broken():
        raise OSError("libtorch.so: no such file")

    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    monkeypatch.setattr(reference, "torch_module", broken)
    assert not truths._torch_has_a_gpu()


def test_an_unknown_judge_is_refused_in_a_sentence(fresh):
    fresh.setenv("UNROLLED_JUDGE", "torch")
    with pytest.raises(ValueError, match="set it to live or recorded, or unset it"):
        check_of("rnn_step")


def test_a_secret_seed_is_always_judged_live(fresh):
    assert drawn.drawn(find("rnn_step"), 5).judge == reference.describe()


def test_random_results_are_judged_by_what_holds_for_every_right_one(fresh):
    assert check_of("init_lstm").judge == "what holds for every right result"


def test_without_torch_and_without_truths_the_course_says_so(fresh):
    def missing():
        raise ImportError("torch is not installed here")

    fresh.setattr(reference, "describe", missing)
    with pytest.raises(run.CourseFault, match="rnn_step can't be judged.*torch can't be loaded"):
        drawn.drawn(find("rnn_step"), 5).judge  # noqa: B018
    fresh.setattr(truths, "recorded", lambda *_: None)
    with pytest.raises(run.CourseFault, match="other cases than those that this NumPy draws"):
        check_of("rnn_step")


# --- The file ------------------------------------------------------------------------------------


def test_the_command_that_renews_the_truths_writes_what_is_shipped(tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DEVICE", "cpu")
    monkeypatch.setattr(truths, "FILE", tmp_path / "truths.npz")
    tasks = [find("rnn_step"), find("ngram_counts")]
    count = truths.record(tasks, PUBLIC, truths.FILE)
    assert count == sum(len(truths.cases_with_a_truth(task, PUBLIC)) for task in tasks)
    for task in tasks:
        assert truths.recorded(task, PUBLIC, truths.cases_with_a_truth(task, PUBLIC), truths.FILE) is not None


def test_a_file_of_something_else_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "other.npz").write_text("nothing")
    with pytest.raises(ValueError, match="no file of recorded truths.*unrolled record"):
        truths.load(tmp_path / "other.npz")


def test_truths_are_not_recorded_by_another_device(monkeypatch, tmp_path):
    monkeypatch.setattr(reference, "device", lambda: types.SimpleNamespace(type="cuda"))
    with pytest.raises(ValueError, match="on the CPU.*UNROLLED_DEVICE=cpu"):
        truths.record([find("rnn_step")], PUBLIC, tmp_path / "truths.npz")
    assert not list(tmp_path.iterdir())


def test_a_check_of_every_task_loads_nothing_but_numpy():
    code = (
        "import sys\nclass Only:\n    def find_spec(self, name, path=None, target=None):\n"
        "        root = name.split('.')[0]\n        if root in sys.stdlib_module_names or root in ('numpy', 'unrolled'): return None\n"
        "        raise ImportError(f'{name} is not there')\nsys.meta_path.insert(0, Only())\n"
        "from unrolled.checks import TASKS, run\n"
        "for task in TASKS.values():\n"
        "    if task.name != 'train':\n"  # its long run takes seconds; the light install's test runs them
        "        assert run.run(task, run.in_process(task.solution)).passed, task.name\n"
        "    wrong = run.run(task, run.in_process(lambda *arguments: None))\n"
        "    assert wrong.message, task.name\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
