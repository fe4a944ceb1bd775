"""Milestones: each piece of history comes out on a learner's own functions, which are here the model answers, packed as a learner's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from unrolled.checks import TASKS
from unrolled.yours import package
from unrolled.yours.milestones import MILESTONES, MilestoneError, run
from unrolled.yours.milestones.bahdanau import exhaustive
from unrolled.yours.milestones.base import own_functions
from unrolled.yours.milestones.hochreiter import sequences

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def learner(course, tmp_path_factory) -> Path:
    """The folder `work` of a learner who wrote the model answers, and packed them."""
    work = tmp_path_factory.mktemp("learner") / "work"
    files = sorted(course.glob("solutions/*/*.ipynb"))
    found = package.pack(work, files)
    assert not {task for task in found.left if TASKS[task].assignment < "08"}, found.left
    return work


@pytest.fixture(scope="session")
def own(learner):
    return own_functions(learner)


def figures(name: str, own, size: float) -> dict:
    """What a milestone finds at a part of its size, on nothing but the learner's functions."""
    done = run(MILESTONES[name], own, size, seconds=600)
    assert done.own == list(MILESTONES[name].functions) and done.course == [] and done.cut == ""
    assert done.result.said and done.result.differs and done.result.alt
    return done.result.figures


def test_elman_surprise_rises_where_words_begin(own):
    found = figures("elman1990", own, 0.6)
    assert found["by_place"][0] > 3 * found["by_place"][1]
    assert found["rises"] > 0.8 > 0.5 > found["inside"]


def test_bengio_a_bit_is_kept_over_few_steps_and_lost_over_many(own):
    found = figures("bengio1994", own, 0.5)
    assert found["kept"][5] == 1 and found["kept"][40] + found["kept"][80] < 1
    assert found["norms"][80][80] < 1e-6 * found["norms"][80][0]


def test_hochreiter_an_lstm_adds_where_a_plain_network_does_not(own):
    found = figures("hochreiter1997", own, 0.8)
    assert found["LSTM 8"]["right"] > 0.8 and found["LSTM 8"]["error"] < 0.1 * found["RNN 8"]["error"]


def test_karpathy_a_cell_tells_whether_the_verb_has_been_read(own):
    found = figures("karpathy2015", own, 0.5)
    assert np.mean(found["losses"][-10:]) < 0.5 * found["losses"][0]
    assert found["right"] > 0.65 and len(found["written"]) > 50


def test_bahdanau_attention_translates_and_a_wider_beam_finds_what_an_exhaustive_search_finds(own):
    found = figures("bahdanau2015", own, 0.2)
    assert found["right"] > 0.9
    assert found["greedy"] <= found["best"] + 1e-12 and found["beam"][64] == pytest.approx(found["best"])


def test_feng_loop_and_scan_give_the_same_states(own):
    assert figures("feng2024", own, 0.5)["worst"] < 1e-12


# --- Whose functions, and what goes wrong --------------------------------------------------------


def test_the_courses_functions_stand_in_for_missing_ones_and_are_named(own):
    done = run(MILESTONES["feng2024"], {}, 0.5)
    assert done.own == [] and done.course == ["minimal_scan"]


def test_a_function_that_fails_is_said_to_be_the_learners():
    def minimal_scan(a, b, h0):
        raise ZeroDivisionError("oh")

    with pytest.raises(MilestoneError, match="ZeroDivisionError: oh.*your minimal_scan"):
        run(MILESTONES["feng2024"], {"minimal_scan": minimal_scan}, 0.5)


def test_slow_functions_are_cut_short_and_that_is_said(own):
    done = run(MILESTONES["bengio1994"], own, 0.3, seconds=0.5)
    assert "stopped after" in done.cut


def test_without_a_package_there_are_no_functions_of_ones_own(tmp_path):
    assert own_functions(tmp_path) == {}


def test_a_package_that_can_not_be_imported_is_said(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "record.json").write_text("{}")
    (tmp_path / "mine" / "__init__.py").write_text("import nothing_of_this_name")
    with pytest.raises(MilestoneError, match="run `unrolled package`"):
        own_functions(tmp_path)


def test_exhaustive_search_finds_the_likeliest_of_all():
    rng = np.random.default_rng(0)
    for _ in range(20):
        log_p = np.log(rng.dirichlet(np.full(4, 0.5), size=4))
        best, total = exhaustive(log_p, 0, 1, 4)
        every = [((), 0.0)]
        finished = []
        for _ in range(4):
            grown = [(ids + (t,), p + log_p[ids[-1] if ids else 0, t]) for ids, p in every for t in range(4)]
            finished += [one for one in grown if one[0][-1] == 1]
            every = [one for one in grown if one[0][-1] != 1]
        assert total == pytest.approx(max(p for _, p in finished + every))


def test_the_adding_problem_is_the_papers():
    X, target = sequences(30, 500, np.random.default_rng(0))
    marked = X[:, :, 1] == 1
    assert (marked.sum(axis=0) == 2).all() and not marked[-1].any() and (X[-1, :, 1] == -1).all()
    assert np.allclose(target, 0.5 + (X[:, :, 0] * marked).sum(axis=0) / 4)


def test_the_command_writes_the_picture_and_a_record_of_the_run(learner):
    environment = {**os.environ, "UNROLLED_COURSE": str(learner.parent)}
    (learner.parent / "_toc.yml").write_text("")
    (learner.parent / "assignments").mkdir(exist_ok=True)

    def unrolled(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-m", "unrolled.cli", "milestone", *arguments], env=environment, capture_output=True, text=True)

    done = unrolled("feng2024")
    assert done.returncode == 0, done.stderr
    assert "your own minimal_scan" in " ".join(done.stdout.split())
    assert (learner / "milestones" / "feng2024.png").read_bytes()[:4] == b"\x89PNG"
    assert json.loads((learner / "milestones" / "record.json").read_text())["feng2024"]["own"] == ["minimal_scan"]
    assert "feng2024" in unrolled().stdout
    assert unrolled("feng2042").returncode == 2


# --- The page ------------------------------------------------------------------------------------


def test_the_page_shows_every_milestone_from_the_courses_own_run(course):
    page = (course / "book" / "milestones.md").read_text(encoding="utf-8")
    for name, one in MILESTONES.items():
        block = page.split(f"% run {name}\n")[1].split(f"% end {name}")[0]
        assert "**What came out here.**" in block and "**Where that differs.**" in block
        assert (course / "book" / "img" / f"milestone-{name}.svg").exists()
        section = page.split(f"% run {name}\n")[0].rsplit("\n## ", 1)[1]
        assert "**What the paper" in section
        assert all(f"`{function}`" in section for function in one.functions), name
