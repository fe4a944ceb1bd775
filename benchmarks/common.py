"""What every benchmark does at its end: keep its result as a file, with the machine it came from."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "_build" / "benchmarks"
PACKAGE = ROOT / "src" / "unrolled"


def machine() -> dict[str, object]:
    """What a number depends on besides the code: versions, processor, cores, threads."""
    import torch

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
    }


def put(file: Path, text: str) -> None:
    """Write a file, beside first and then into place."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".part")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(file)


def write(name: str, result: dict[str, object]) -> None:
    """Write `_build/benchmarks/NAME.json`, and say where it is."""
    path = FOLDER / f"{name}.json"
    put(path, json.dumps({**result, "machine": machine()}, indent=1))
    print(f"written: _build/benchmarks/{path.name}")


def keep(name: str, result: dict[str, object]) -> None:
    """Put a result into the package as NAME.json, where a page of the book finds it, and say where it is."""
    path = PACKAGE / f"{name}.json"
    put(path, json.dumps(result, indent=1))
    print(f"written: {path.relative_to(PACKAGE.parents[1])}")
