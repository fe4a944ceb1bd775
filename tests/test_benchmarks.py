"""The setting that a benchmark shares with a published one is that setting."""

import argparse
import importlib
import math
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch


@pytest.fixture
def benchmark(course, monkeypatch):
    monkeypatch.syspath_prepend(str(course / "benchmarks"))
    return importlib.import_module("time_machine_d2l")


def test_a_window_holds_its_inputs_and_one_more(benchmark):
    ids = np.arange(173_428)
    X, Y = benchmark.split(benchmark.windows(ids, 7, 3))
    assert X.shape == Y.shape == (32, 3)
    assert (X[:, 2] == np.arange(9, 41)).all()
    assert (Y == X + 1).all()


def test_the_training_windows_hold_10032_characters_and_the_recipe_was_chosen_on_others(benchmark):
    ids = np.arange(173_428)
    train = benchmark.windows(ids, 0, benchmark.TRAIN)
    scored = benchmark.windows(ids, benchmark.TRAIN, benchmark.VALIDATE)
    choosing = benchmark.windows(ids, benchmark.CHOOSING, benchmark.VALIDATE)
    assert len(np.unique(train)) == 10_032
    assert (scored[0, 0], scored[-1, 0]) == (10_000, 14_999)
    assert len(np.intersect1d(np.union1d(train, scored), choosing)) == 0


def test_a_curve_of_batch_perplexities_lies_above_the_perplexity_of_all_tokens(benchmark):
    both = benchmark.perplexities([1.0, 2.0], [3, 1])
    assert both["perplexity"] == pytest.approx(math.exp(1.25))
    assert both["as_plotted"] == pytest.approx((math.e + math.e**2) / 2)


@pytest.fixture
def pronunciation(course, monkeypatch):
    monkeypatch.syspath_prepend(str(course / "benchmarks"))
    return importlib.import_module("pronunciation")


@pytest.mark.parametrize(("update", "seconds", "share"), [(0, 0, 0), (500, 0, 0.5), (500, 60, 0), (1_000, 0, 0), (500, 30, 0.5), (250, 30, 0.5)])
def test_the_learning_rate_of_the_recipe_falls_with_the_passes_or_the_time_whichever_is_ahead(pronunciation, monkeypatch, update, seconds, share):
    monkeypatch.setattr(pronunciation.Recipe, "warm_up", 100)
    recipe = pronunciation.Recipe.__new__(pronunciation.Recipe)
    recipe.steps, recipe.limit, recipe.update = 1_000, 60, update
    assert recipe.share(seconds) == pytest.approx(share, abs=0.011)


@pytest.fixture
def counts(pronunciation, monkeypatch, tmp_path):
    """Says of each count that is made whether stress was in it."""
    made = []
    monkeypatch.setattr(pronunciation, "FOLDER", tmp_path / "benchmarks")
    monkeypatch.setattr(pronunciation, "counting", lambda stress: (made.append(stress), ({"order": 6}, {"test": {"cat": [[["K", "AE", "T"], -0.5]]}}))[1])
    return made


def test_what_an_earlier_run_has_counted_is_not_counted_again(pronunciation, counts):
    assert pronunciation.counted(False) == pronunciation.counted(False)
    assert counts == [False]


def test_counts_with_and_without_stress_are_kept_apart(pronunciation, counts):
    pronunciation.counted(False), pronunciation.counted(True)
    assert counts == [False, True]


def test_counts_of_other_orders_are_made_anew(pronunciation, counts, monkeypatch):
    pronunciation.counted(False)
    monkeypatch.setattr(pronunciation, "ORDERS", (2,))
    pronunciation.counted(False)
    assert counts == [False, False]


@pytest.fixture
def manual(course, monkeypatch, tmp_path):
    """The recipe on a small text, with a folder of its own; manual.begun(): a run of two passes with a tiny GRU."""
    monkeypatch.syspath_prepend(str(course / "benchmarks"))
    recipe = importlib.import_module("manual")
    text = "the keys near the cabinet are old. " * 400
    monkeypatch.setattr(recipe, "FOLDER", tmp_path / "benchmarks")
    monkeypatch.setattr(recipe, "parts", lambda: recipe.Parts(text[:9_000], text[9_000:10_000], text[10_000:11_000]))
    options = {"cell": "gru", "units": 8, "passes": 2, "minutes": 10, "lr": 4e-3, "dropout": 0.2, "seed": 0, "device": "cpu"}
    recipe.begun = lambda **other: recipe.Recipe(argparse.Namespace(**{**options, **other}))
    return recipe


def losses(run):
    return [(done["training"], done["validation"]) for done in run.history]


def test_training_on_the_manual_goes_on_where_it_was_stopped_as_if_it_had_not_been(manual):
    whole, stopped, later = manual.begun(), manual.begun(), manual.begun()
    whole.one_pass(), whole.one_pass()
    stopped.one_pass(), stopped.save()
    later.go_on(), later.one_pass()
    assert losses(later) == losses(whole)


def test_training_on_the_manual_does_not_go_on_with_another_network(manual):
    run = manual.begun()
    run.one_pass(), run.save()
    with pytest.raises(SystemExit, match="units"):
        manual.begun(units=9).go_on()


def test_the_weights_that_validate_best_are_judged(manual):
    run = manual.begun()
    run.one_pass()
    best = {name: value.clone() for name, value in run.best.items()}
    run.task.validate = lambda: 99.0  # the second pass makes it worse
    run.one_pass()
    assert all(torch.equal(run.best[name], value) for name, value in best.items())


def test_training_on_the_manual_ends_with_its_minutes(manual):
    run = manual.begun(passes=1_000, minutes=1e-6)
    run.one_pass()
    assert run.finished and run.history[0]["updates"] == 1


@pytest.fixture
def languages(course, monkeypatch):
    monkeypatch.syspath_prepend(str(course / "benchmarks"))
    return importlib.import_module("languages")


def test_the_network_of_the_pass_that_validates_best_is_judged_on_the_test_part(languages, monkeypatch):
    def models(page, name, seed, passes):
        model = {}
        for model["validation"], model["test"] in ((0.2, 0.7), (0.6, 0.5), (0.4, 0.9)):
            yield model

    monkeypatch.setattr(languages, "models", models)
    monkeypatch.setattr(languages, "judged", lambda page, model, part: (model[part], 0.0))
    assert languages.run({}, "RNN", 0, 3)["accuracy"] == 0.5


def test_the_page_defines_what_the_recipe_of_languages_takes_from_it(languages):
    taken = set(re.findall(r'page\["(\w+)"\]', Path(languages.__file__).read_text(encoding="utf-8")))
    code = "\n".join(cell.source for cell in nbformat.read(languages.PAGE, as_version=4).cells if cell.cell_type == "code")
    defined = set(re.findall(r"^(?:def |class )?(\w+)", code[: code.index("def trained")], re.MULTILINE))
    assert {"new", "train_pass", "updates"} <= taken <= defined | {"test", "validation"}
