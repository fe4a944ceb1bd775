"""Which pages need libraries that a plain installation lacks: without them they are skipped, unless every test is asked for."""

from __future__ import annotations

import importlib.util
import os

import pytest

FRAMEWORKS = {"frameworks.ipynb": ("keras", "jax", "equinox", "safetensors", "onnx", "onnxruntime")}
INSTALL = "`python -m pip install -c constraints.txt -e '.[frameworks]'`"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cells of such a page, all with the same line."""
    if os.environ.get("UNROLLED_REQUIRE_ALL") == "1":
        return
    missing = {page: [name for name in names if importlib.util.find_spec(name) is None] for page, names in FRAMEWORKS.items()}
    for item in items:
        if absent := missing.get(item.path.name):
            says = "is missing: install it" if len(absent) == 1 else "are missing: install them"
            item.add_marker(pytest.mark.skip(reason=f"{', '.join(absent)} {says} with {INSTALL}"))
