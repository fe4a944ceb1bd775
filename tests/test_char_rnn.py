"""The whole program in one file, which the page on decoding offers for download."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys

import numpy as np
import pytest

from unrolled import corpora, training


@pytest.fixture(scope="module")
def program(course):
    return course / "book" / "_static" / "char_rnn.py"


@pytest.fixture(scope="module")
def char_rnn(program):
    spec = importlib.util.spec_from_file_location("char_rnn", program)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_gradients_are_the_packages(char_rnn):
    rng = np.random.default_rng(0)
    model = training.init_model(training.RNN, 7, 5, rng)
    X, Y = rng.integers(0, 7, (2, 6, 3))
    start = rng.uniform(-1, 1, (3, 5))
    loss, grads, last = char_rnn.loss_and_gradients(model.params, X, Y, start)
    loss_2, grads_2, (last_2,) = training.loss_and_gradients(model, X, Y, (start,))
    assert loss == pytest.approx(loss_2, abs=1e-12)
    assert np.allclose(last, last_2, rtol=0, atol=1e-12)
    assert all(np.allclose(grads[name], grads_2[name], rtol=0, atol=1e-12) for name in grads_2)


def test_its_held_out_loss_is_the_packages(char_rnn):
    model = training.init_model(training.RNN, 7, 5, 0, np.float32)
    ids = np.random.default_rng(1).integers(0, 7, 200)
    assert char_rnn.held_out_loss(model.params, ids) == pytest.approx(training.held_out_loss(model, ids), abs=1e-5)


def test_it_learns_a_text_and_writes(program, tmp_path):
    text = tmp_path / "toy.txt"
    text.write_text(corpora.toy_english(40_000, seed=0).text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program, text, "--passes", "3", "--units", "64", "--length", "40", "--lr", "0.004"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    losses = [float(loss) for loss in re.findall(r"held out ([\d.]+) nats", done.stdout)]
    assert len(losses) == 3 and losses[0] > losses[1] > losses[2] and losses[2] < 1.8
    best, written = done.stdout.rsplit("writes:\n", 1)
    assert f"{losses[-1]:.3f}" in best and len(written.rstrip("\n")) == 120


@pytest.mark.parametrize(("content", "says"), [(b"too short", "at least 2,000 characters"), (b"\xff\xfe\x00" * 2_000, "UTF-8")])
def test_a_text_that_it_can_not_use_gets_one_sentence(program, tmp_path, content, says):
    text = tmp_path / "text"
    text.write_bytes(content)
    done = subprocess.run([sys.executable, program, text], capture_output=True, text=True)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr
