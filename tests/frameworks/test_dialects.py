"""The files that the page on frameworks shows in its tabs: each gives NumPy's numbers."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.slow
SINGLE = {"RNN step", "padding", "two directions", "clipping"}  # where Keras by torch goes through float32


@pytest.fixture(scope="module")
def compare(course, keras, jax):
    """The page's own comparison."""
    folder = str(course / "book" / "appendix" / "dialects")
    sys.path.insert(0, folder)
    import compare

    yield compare
    sys.path.remove(folder)


@pytest.mark.parametrize("name", ["in_torch", "in_keras", "in_jax"])
def test_a_dialect_gives_the_same_numbers(compare, name):
    for what, difference in compare.differences(name).items():
        single = what == "clipping" or (name == "in_keras" and what in SINGLE)
        assert difference < (1e-6 if single else 1e-12), what


@pytest.mark.parametrize("name", ["in_torch", "in_jax"])
def test_a_dialect_trains_as_numpy_does(compare, name):
    import importlib

    from unrolled import text, training

    batches = text.sequential_batches(np.arange(500) % 7, 4, 8)[:12]
    results = [
        importlib.import_module(dialect).train(training.init_model(training.LSTM, 7, 6, 0, np.float32), batches, 1.0, 0.1)
        for dialect in ("in_numpy", name)
    ]
    np.testing.assert_allclose(results[1][1], results[0][1], rtol=0, atol=1e-4)
    for key, array in results[0][0].params.items():
        np.testing.assert_allclose(results[1][0].params[key], array, rtol=0, atol=1e-4, err_msg=key)


def test_each_dialect_has_every_function(compare):
    import in_jax
    import in_keras
    import in_numpy
    import in_torch

    own = {name for name, thing in vars(in_numpy).items() if callable(thing)}
    for dialect in (in_torch, in_keras, in_jax):
        assert own <= set(vars(dialect))


def test_keras_by_jax_agrees_and_trains(compare, course, tmp_path):
    import json

    env = {**os.environ, "KERAS_HOME": str(tmp_path), "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "by_jax.py", str(tmp_path / "out.npz")]
    done = subprocess.run(command, cwd=course / "book" / "appendix" / "dialects", capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    said, trained = map(json.loads, done.stdout.splitlines())
    assert max(said["differences"].values()) < 1e-6
    assert said["mended"] < 1e-12
    assert trained["losses"][-1] < trained["losses"][0] - 0.5
