"""References recorded on one device, so that another can be held to them: `unrolled record FILE`.

A file holds, for every task whose truth is computed, the public cases, what the references of this device made of them, and
where that was: device, versions, date. `python -m unrolled.checks.recorded FILE` does the same where only NumPy and torch are
installed. The files that lie in `checks/recordings/` are shipped with the package, and a test holds this machine to them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import reference
from . import packed, truths
from .compare import plain_keys, relative_error
from .drawn import PUBLIC_SEED
from .observe import copy_of
from .task import Case, Task
from .tasks import TASKS

FOLDER = Path(__file__).with_name("recordings")
VERSION = 2


@dataclass(frozen=True)
class Entry:
    """One recorded case: of which task, its arguments, and the result."""

    task: str
    case: str
    arguments: dict[str, Any]
    result: Any


def recordable_cases() -> Iterator[tuple[Task, Case]]:
    """The public cases whose result is computed."""
    for task in TASKS.values():
        for case in truths.cases_with_a_truth(task, PUBLIC_SEED):
            yield task, case


def record(path: Path) -> int:
    """Compute every recordable case here and write the file, whole; return how many there are."""
    entries = [
        {
            "task": task.name, "case": case.name, "arguments": case.arguments,
            "result": task.reference(*copy_of(case.arguments).values()),
        }
        for task, case in recordable_cases()
    ]  # fmt: skip
    packed.write(path, {"version": VERSION, "provenance": reference.provenance(), "entries": entries})
    return len(entries)


def load(path: Path) -> tuple[dict[str, str], list[Entry]]:
    """The provenance and the entries of a file. Raises ValueError for one that `record` did not write."""
    try:
        found = packed.read(path)
        if found["version"] != VERSION:
            raise ValueError(f"version {found['version']}")
        return found["provenance"], [Entry(**entry) for entry in found["entries"]]
    except (ValueError, KeyError, TypeError) as error:
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


def recordings() -> list[Path]:
    """The files that are shipped with the package."""
    return sorted(FOLDER.glob("*.npz"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the file to write: python -m unrolled.checks.recorded FILE")
    print(f"{record(Path(sys.argv[1]))} cases recorded, by {reference.describe()}")
