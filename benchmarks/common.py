"""What every benchmark does at its end: keep its result as a file, with the machine it came from."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[1] / "_build" / "benchmarks"


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


def write(name: str, result: dict[str, object]) -> None:
    """Write `_build/benchmarks/NAME.json`, beside first and then into place, and say where it is."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps({**result, "machine": machine()}, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
    print(f"written: _build/benchmarks/{path.name}")
