"""Networks to convert, and the frameworks, without which these tests are skipped."""

from __future__ import annotations

import os

import pytest

INSTALL = "install it with `python -m pip install -c constraints.txt -e '.[frameworks]'`"


@pytest.fixture(scope="session")
def keras(tmp_path_factory):
    """Keras by torch; its settings are written to a folder that is thrown away."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    os.environ.setdefault("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
    return pytest.importorskip("keras", reason=f"keras is missing: {INSTALL}")


@pytest.fixture(scope="session")
def jax():
    """JAX with float64, and Equinox."""
    jax = pytest.importorskip("jax", reason=f"jax is missing: {INSTALL}")
    pytest.importorskip("equinox", reason=f"equinox is missing: {INSTALL}")
    jax.config.update("jax_enable_x64", True)
    return jax


@pytest.fixture(scope="session")
def onnx():
    """ONNX and its runtime."""
    pytest.importorskip("onnxruntime", reason=f"onnxruntime is missing: {INSTALL}")
    return pytest.importorskip("onnx", reason=f"onnx is missing: {INSTALL}")
