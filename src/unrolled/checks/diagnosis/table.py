"""The table of what edits of right answers give on the public cases: fingerprints, and the sentence that belongs to each.

`tools/diagnosis_table.py` computes it; the file holds no code and no results.
"""

from __future__ import annotations

import functools
import io
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .fingerprint import PROJECTIONS, agree

PATH = Path(__file__).with_name("table.npz")


@dataclass(frozen=True)
class Rows:
    """What is known of one task. forms (rows,), points (rows, projections), numbers (rows,): places in `sentences`, which are
    [template, what fills it]. stamp: of what all this was computed from."""

    forms: np.ndarray
    points: np.ndarray
    numbers: np.ndarray
    sentences: list[Any]
    stamp: str


def look_up(task: str, form: int, point: np.ndarray) -> tuple[str, dict[str, str]] | None:
    """The template, and what fills it, of the edit that gives these results on every public case; None where there is none."""
    rows = rows_of(task)
    if rows is None or not np.all(np.isfinite(point)):
        return None
    places = np.flatnonzero(rows.forms == form)
    hits = rows.numbers[places[agree(rows.points[places], point)]]
    if len(set(hits.tolist())) != 1:
        return None
    template, fills = rows.sentences[int(hits[0])]
    return template, fills


@functools.lru_cache(maxsize=64)
def rows_of(task: str) -> Rows | None:
    """The rows of a task, read when they are first needed; None where there are none."""
    try:
        with np.load(PATH, allow_pickle=False) as stored:
            if f"{task}.points" not in stored.files:
                return None
            words = json.loads(stored[f"{task}.words"].tobytes())
            return Rows(stored[f"{task}.forms"], stored[f"{task}.points"].reshape(-1, PROJECTIONS), stored[f"{task}.numbers"], words["sentences"], words["stamp"])
    except FileNotFoundError:
        return None


def everything() -> dict[str, Rows]:
    """All rows, by task, as they are in the file now."""
    rows_of.cache_clear()
    return {task: rows for task in _tasks() if (rows := rows_of(task)) is not None}


def stamps() -> dict[str, str]:
    """What each task's rows were computed from."""
    return {task: rows.stamp for task, rows in everything().items()}


def _tasks() -> list[str]:
    if not PATH.exists():
        return []
    with zipfile.ZipFile(PATH) as stored:
        return sorted({name.split(".")[0] for name in stored.namelist()})


def write(found: dict[str, Rows]) -> None:
    """Write the file, whole, and the same for the same rows."""
    handle, beside = tempfile.mkstemp(dir=PATH.parent, prefix=".table-", suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as stored:
            for task in sorted(found):
                rows = found[task]
                words = json.dumps({"stamp": rows.stamp, "sentences": rows.sentences}, ensure_ascii=False, separators=(",", ":"))
                parts = {"forms": rows.forms, "points": rows.points, "numbers": rows.numbers, "words": np.frombuffer(words.encode(), np.uint8)}
                for name, array in parts.items():
                    buffer = io.BytesIO()
                    np.save(buffer, array, allow_pickle=False)
                    stored.writestr(zipfile.ZipInfo(f"{task}.{name}.npy", (2020, 1, 1, 0, 0, 0)), buffer.getvalue(), zipfile.ZIP_DEFLATED)
        os.chmod(beside, 0o644)
        os.replace(beside, PATH)
    except BaseException:
        os.unlink(beside)
        raise
    rows_of.cache_clear()
