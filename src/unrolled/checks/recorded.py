"""References recorded on one device, so that another can be held to them: `unrolled record FILE`.

A file holds, for every task whose truth is computed, the public cases, what the references of this device made of them, and
where that was: device, versions, date. `python -m unrolled.checks.recorded FILE` does the same where only NumPy and torch are
installed. The files that lie in `checks/recordings/` are shipped with the package, and a test holds this machine to them.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import reference
from .compare import plain_keys, relative_error
from .run import PUBLIC_SEED, copy_of
from .task import Case, Task
from .tasks import TASKS

FOLDER = Path(__file__).with_name("recordings")
VERSION = 1


@dataclass(frozen=True)
class Entry:
    """One recorded case: of which task, its arguments, and the result."""

    task: str
    case: str
    arguments: dict[str, Any]
    result: Any


def recordable_cases() -> Iterator[tuple[Task, Case]]:
    """The public cases whose result is computed; random results, which a case judges by itself, are left out."""
    for task in TASKS.values():
        rng = np.random.default_rng(PUBLIC_SEED)
        for case in [task.form_case(rng), *task.value_cases(rng)]:
            if case.judge is None:
                yield task, case


def provenance() -> dict[str, str]:
    """Where results are computed: device, versions, date."""
    from ..reference.torch_arrays import torch_module

    torch = torch_module()
    found = {
        "judge": reference.describe(), "date": datetime.date.today().isoformat(), "torch": torch.__version__,
        "numpy": np.__version__, "python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}",
    }  # fmt: skip
    if reference.device().type == "cuda":
        found |= {
            "device": torch.cuda.get_device_name(reference.device()), "cuda": str(torch.version.cuda),
            "cudnn": str(torch.backends.cudnn.version()),
        }  # fmt: skip
    return found


def record(path: Path) -> int:
    """Compute every recordable case here and write the file, whole; return how many there are."""
    arrays: dict[str, np.ndarray] = {}
    entries = [
        {
            "task": task.name,
            "case": case.name,
            "arguments": _packed(case.arguments, arrays),
            "result": _packed(task.reference(*copy_of(case.arguments).values()), arrays),
        }
        for task, case in recordable_cases()
    ]
    index = {"version": VERSION, "provenance": provenance(), "entries": entries}
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".record-", suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez_compressed(stream, index=np.array(json.dumps(index)), **arrays)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
    return len(entries)


def load(path: Path) -> tuple[dict[str, str], list[Entry]]:
    """The provenance and the entries of a file. Raises ValueError for one that `record` did not write."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
        index = json.loads(str(arrays.pop("index")))
        if index["version"] != VERSION:
            raise ValueError(f"version {index['version']}")
        entries = [
            Entry(e["task"], e["case"], _unpacked(e["arguments"], arrays), _unpacked(e["result"], arrays)) for e in index["entries"]
        ]
        return index["provenance"], entries
    except (ValueError, KeyError, TypeError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{path} is no file of recorded references ({error}): make one with `unrolled record FILE`.") from None


def differences(path: Path) -> dict[str, float]:
    """For every task in a file: the largest relative difference between what is recorded and what this device computes."""
    largest: dict[str, float] = {}
    for entry in load(path)[1]:
        here = TASKS[entry.task].reference(*copy_of(entry.arguments).values())
        largest[entry.task] = max(largest.get(entry.task, 0.0), difference(here, entry.result))
    return largest


def difference(a: Any, b: Any) -> float:
    """The largest relative difference between two results of the same form; infinite where the form or a whole part differs."""
    if isinstance(b, dict):
        a, b = plain_keys(a), plain_keys(b)
        return max((difference(a[key], b[key]) for key in b), default=0.0) if a.keys() == b.keys() else float("inf")
    if isinstance(b, (list, tuple)):
        return max((difference(x, y) for x, y in zip(a, b)), default=0.0) if len(a) == len(b) else float("inf")
    if isinstance(b, (str, bool)) or b is None:
        return 0.0 if a == b else float("inf")
    return relative_error(a, b) if np.shape(a) == np.shape(b) else float("inf")


def _packed(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """A value as JSON, with its arrays put aside under numbers."""
    if isinstance(value, np.ndarray):
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return {"tuple": [_packed(item, arrays) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_packed(key, arrays), _packed(item, arrays)] for key, item in value.items()]}
    if isinstance(value, list):
        return [_packed(item, arrays) for item in value]
    return value


def _unpacked(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpacked(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "tuple":
        return tuple(_unpacked(item, arrays) for item in content)
    return {_unpacked(key, arrays): _unpacked(item, arrays) for key, item in content}


def recordings() -> list[Path]:
    """The files that are shipped with the package."""
    return sorted(FOLDER.glob("*.npz"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the file to write: python -m unrolled.checks.recorded FILE")
    print(f"{record(Path(sys.argv[1]))} cases recorded, by {reference.describe()}")
