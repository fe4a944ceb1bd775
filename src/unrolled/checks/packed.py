"""Nested values with arrays in them as one small file: an npz without pickle, of one array for each dtype and a text."""

from __future__ import annotations

import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

KINDS = "biuf"  # booleans, whole numbers, floats: what may lie in a file


def write(path: Path, value: Any) -> None:
    """Write numbers, texts, None, arrays, and lists, tuples and dicts of these, whole or not at all."""
    parts: dict[str, list[np.ndarray]] = {}
    text = json.dumps(_packed(value, parts))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".record-", suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez_compressed(stream, text=np.array(text), **{dtype: np.concatenate(part) for dtype, part in parts.items()})
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def read(path: Path) -> Any:
    """What `write` was given. Raises ValueError for a file that it did not write, FileNotFoundError where there is none."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = dict(stored)
        return _unpacked(json.loads(str(arrays.pop("text"))), arrays)
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(str(error)) from None


def _packed(value: Any, parts: dict[str, list[np.ndarray]]) -> Any:
    """A value as JSON, with the numbers of its arrays put aside by dtype: an array becomes its dtype, where it begins, and its shape."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in KINDS:
            raise TypeError(f"an array of dtype {value.dtype} can't be kept: only numbers and booleans can")
        part = parts.setdefault(value.dtype.name, [])
        place = sum(map(len, part))
        part.append(value.ravel())
        return {"array": [value.dtype.name, place, list(value.shape)]}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return {"tuple": [_packed(item, parts) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_packed(key, parts), _packed(item, parts)] for key, item in value.items()]}
    if isinstance(value, list):
        return [_packed(item, parts) for item in value]
    return value


def _unpacked(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpacked(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    if kind == "array":
        dtype, place, shape = content
        return arrays[dtype][place : place + math.prod(shape)].reshape(shape)
    if kind == "tuple":
        return tuple(_unpacked(item, arrays) for item in content)
    return {_unpacked(key, arrays): _unpacked(item, arrays) for key, item in content}
