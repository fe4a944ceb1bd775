"""The truths of the public cases, as torch computed them in float64: shipped, so that a check at home needs NumPy alone.

`unrolled record` writes them anew, in `checks/truths.npz`, when a task changes; a test holds them to what torch gives here. They
hold no cases: those are drawn again from the public seed, and a truth counts only for arguments that are those it was computed for.
"""

from __future__ import annotations

import functools
import math
import os
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .. import reference
from . import packed
from .observe import copy_of
from .task import Case, Task

FILE = Path(__file__).with_name("truths.npz")
VERSION = 1
RENEW = "renew them with `UNROLLED_DEVICE=cpu unrolled record`"


# --- Which judge --------------------------------------------------------------------------------


def live() -> bool:
    """Whether torch judges the public cases itself: where it has a GPU, and where UNROLLED_JUDGE or UNROLLED_DEVICE say so.

    Raises ValueError for an UNROLLED_JUDGE that is neither `live` nor `recorded`.
    """
    wanted = os.environ.get("UNROLLED_JUDGE", "")
    if wanted not in ("", "live", "recorded"):
        raise ValueError(f"UNROLLED_JUDGE={wanted!r} is no judge: set it to live or recorded, or unset it.")
    if wanted:
        return wanted == "live"
    device = os.environ.get("UNROLLED_DEVICE")
    return device != "cpu" if device else _torch_has_a_gpu()


def _torch_has_a_gpu() -> bool:
    """Without loading torch where there is no sign of a GPU: that takes seconds, and would be all that a check does."""
    if "torch" not in sys.modules and not (_gpu_driver() and _torch_knows_gpus()):
        return False
    try:
        return reference.torch_module().cuda.is_available()
    except (ImportError, OSError):  # an installation that can't be loaded
        return False


def _gpu_driver() -> bool:
    import shutil

    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def _torch_knows_gpus() -> bool:
    """Whether torch is installed, and is not one of its builds for the CPU alone."""
    import importlib.metadata
    import importlib.util

    try:
        return importlib.util.find_spec("torch") is not None and not importlib.metadata.version("torch").endswith("+cpu")
    except (ImportError, ValueError):
        return False


# --- The file -----------------------------------------------------------------------------------


def record(tasks: Iterable[Task], seed: int, path: Path = FILE) -> int:
    """Compute the truths of the cases that belong to a seed and write them; return how many there are.

    Raises ValueError where the reference does not compute on the CPU: another device rounds in another way.
    """
    if reference.device().type != "cpu":
        raise ValueError(f"The shipped truths are computed on the CPU: {RENEW}.")
    found = {task.name: [_entry(task, case) for case in cases_with_a_truth(task, seed)] for task in tasks}
    packed.write(path, {"version": VERSION, "seed": seed, "provenance": reference.provenance(), "tasks": found})
    return sum(map(len, found.values()))


def cases_with_a_truth(task: Task, seed: int) -> list[Case]:
    """The cases of a seed whose truth the reference computes; random results, which a case judges by itself, have none."""
    rng = np.random.default_rng(seed)
    return [case for case in [task.form_case(rng), *task.value_cases(rng)] if case.judge is None]


def _entry(task: Task, case: Case) -> tuple[str, list[float], Any]:
    return (*fingerprint(case.arguments), task.reference(*copy_of(case.arguments).values()))


@functools.lru_cache(maxsize=1)
def _read(path: Path, written: float) -> dict[str, Any]:
    try:
        found = packed.read(path)
        if found["version"] != VERSION:
            raise ValueError(f"version {found['version']}")
        return found
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is no file of recorded truths ({error}): {RENEW}, or install the package again.") from None


def load(path: Path = FILE) -> dict[str, Any]:
    """The file: version, seed, provenance, and for each task its cases' fingerprints and truths. Raises ValueError, OSError."""
    return _read(path, path.stat().st_mtime)


def recorded(task: Task, seed: int, cases: list[Case], path: Path = FILE) -> list[Any] | None:
    """The truths of the cases of a seed, in order; None where the file has none for them, or has them for other arguments."""
    try:
        found = load(path)
    except FileNotFoundError:
        return None
    entries = found["tasks"].get(task.name)
    if found["seed"] != seed or entries is None or len(entries) != len(cases):
        return None
    if not all(same_fingerprint(entry[:2], fingerprint(case.arguments)) for entry, case in zip(entries, cases)):
        return None
    return [truth for *_, truth in entries]


def judge() -> str:
    """The judge behind the file, for reports."""
    return f"recorded results of {load()['provenance']['judge']}"


# --- Fingerprints of arguments -------------------------------------------------------------------


def fingerprint(arguments: Any) -> tuple[str, list[float]]:
    """What tells arguments from others: a checksum of their form, texts and whole numbers, and a projection of each array of floats.

    Floats are not in the checksum: another machine's logarithm may differ in the last bit, and the cases are the same for all that.
    """
    form: list[str] = []
    numbers: list[float] = []
    _add(arguments, form, numbers)
    return f"{zlib.crc32(chr(0).join(form).encode()):08x}", numbers


def _add(value: Any, form: list[str], numbers: list[float]) -> None:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        flat = value.ravel()
        form.append(f"floats {value.shape}, not finite {np.flatnonzero(~np.isfinite(flat)).tolist()}")
        numbers.append(float(np.where(np.isfinite(flat), flat, 0.0) @ np.cos(np.arange(flat.size))))
    elif isinstance(value, np.ndarray):
        form.append(f"array {value.shape} {value.ravel().tolist()}")
    elif isinstance(value, (float, np.floating)):
        form.append("float")
        numbers.append(float(value))
    elif isinstance(value, dict):
        form.append(f"dict {len(value)}")
        for key, item in value.items():
            _add(key, form, numbers)
            _add(item, form, numbers)
    elif isinstance(value, (list, tuple)):
        form.append(f"{type(value).__name__} {len(value)}")
        for item in value:
            _add(item, form, numbers)
    else:
        form.append(f"{value}")


def same_fingerprint(a: tuple[str, list[float]], b: tuple[str, list[float]]) -> bool:
    """Whether two fingerprints are those of the same arguments."""
    return a[0] == b[0] and all(math.isclose(x, y, rel_tol=1e-9, abs_tol=1e-9) for x, y in zip(a[1], b[1], strict=True))
