"""Two checks of assignment 04 don't compare number by number: `train` sets a limit, `sample` tests statistically."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from unrolled import reference
from unrolled.checks import TASKS
from unrolled.checks import run as checks_run
from unrolled.checks.tasks.training import sample, shared


@pytest.fixture
def benchmark(course, monkeypatch):
    """benchmark(name): the benchmark that measured what a check rests on."""
    monkeypatch.syspath_prepend(str(course / "benchmarks"))
    return importlib.import_module


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["state reset at each window", "W_hh not trained"])
def test_training_that_leaves_out_what_matters_misses_the_limit(benchmark, wrong):
    """The cases before catch these, too."""
    long_case = checks_run.drawn(TASKS["train"], checks_run.PUBLIC_SEED).values[-1]
    result = benchmark("train_threshold").WRONG[wrong](*long_case.arguments.values())
    assert "Right solutions stay below" in long_case.judge(result, call=None)


@pytest.fixture(scope="module")
def long_run():
    """The long run's case, and what the model answer gives on it: weights, losses."""
    case = checks_run.drawn(TASKS["train"], checks_run.PUBLIC_SEED).values[-1]
    return case, TASKS["train"].solution(*case.arguments.values())


def _said(long_run, change) -> str | None:
    case, (params, losses) = long_run
    return case.judge(change({name: w.copy() for name, w in params.items()}, list(losses)), call=None)


@pytest.mark.slow
@pytest.mark.parametrize("change, says", [
    (lambda params, losses: (params, losses), None),
    (lambda params, losses: (params, [1.0] * len(losses)), "losses[0] is wrong; you returned 1."),
    (lambda params, losses: (params, losses[:1000] + losses[999:-1]), "losses[1000] is wrong"),
    (lambda params, losses: (params, [*losses[:-1], losses[-1] * (1 + 1e-5)]), "losses[1499] is wrong"),
    (lambda params, losses: (trained_elsewhere(), losses), "lead to another"),
    (lambda params, losses: ({**params, "b_q": params["b_q"] + 0.1}, losses), "lead to another b_q"),  # the same perplexity
], ids=["right", "made up", "one repeated", "a little off", "trained elsewhere", "shifted"])  # fmt: skip
def test_long_run_is_judged_by_its_whole_way(long_run, change, says):
    said = _said(long_run, change)
    assert said is None if says is None else says in said


def trained_elsewhere() -> dict:
    """Good weights of another run: other text, other start."""
    from unrolled.checks.tasks.training.train import right_run

    return right_run(1)[0]


def test_right_draws_fail_the_statistical_tests_no_more_often_than_these_say(benchmark):
    """At a level at which it can be counted; for the check's own, which is far smaller, run the benchmark."""
    level = 0.05
    failed = np.array([benchmark("sample_alarms").chances(seed) for seed in range(60)]) <= level  # (checks, cases, 2)
    tests = failed[..., 0].size
    assert (failed.sum(axis=(0, 1)) <= level * tests + 3 * np.sqrt(level * tests)).all()


@pytest.mark.parametrize("freedom", range(1, 20))
def test_the_chi_square_tail_is_scipys(freedom):
    from scipy.stats import chi2

    for statistic in (0.0, 0.3, 5.0, 20.0, 80.0):
        assert sample._chi_square_tail(statistic, freedom) == pytest.approx(chi2.sf(statistic, freedom), rel=1e-12)


def test_the_judges_in_numpy_give_what_torch_gives():
    """They judge what learners draw and train, so no recorded result can serve."""
    rng = np.random.default_rng(3)
    params = shared.some_params(rng, 7, 9, sharpness=1.2)
    ids, prefix, drawn = rng.integers(0, 7, size=400), rng.integers(0, 7, size=3), rng.integers(0, 7, size=(5, 6))
    assert shared.perplexity_of(params, ids) == pytest.approx(reference.evaluate(params, ids), rel=1e-12)
    here, there = (judge(params, prefix, drawn, 0.7) for judge in (sample.next_token_probs, reference.next_token_probs))
    assert np.abs(here - there).max() < 1e-12
