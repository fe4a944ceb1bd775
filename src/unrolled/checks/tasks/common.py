"""What the tasks of several assignments share: random sizes and weights, terms set to zero, the float32 slip."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..task import Case, Mistake


def sizes(rng: np.random.Generator, count: int) -> list[int]:
    """Different small sizes, none of them 1: a swapped axis then shows in the shape."""
    return [int(size) for size in rng.permutation(np.arange(2, 9))[:count]]


def rnn_arguments(rng: np.random.Generator, T: int, N: int, D: int, H: int, scale: float = 1.0) -> dict[str, np.ndarray]:
    """Inputs, a non-zero start state and weights at the usual scale: no tanh saturates, unless the inputs are scaled."""
    return {
        "X": scale * rng.normal(size=(T, N, D)),
        "H_0": rng.uniform(-1, 1, size=(N, H)),
        "W_xh": rng.normal(size=(D, H)) / math.sqrt(D),
        "W_hh": rng.normal(size=(H, H)) / math.sqrt(H),
        "b_h": rng.normal(size=H) / 2,
    }


def loss_case(name: str, rng: np.random.Generator, T: int, N: int, V: int, shift: float | np.ndarray = 0.0) -> Case:
    """Logits (T, N, V), `shift` added to them, and the tokens that came."""
    return Case(name, {"logits": 2 * rng.normal(size=(T, N, V)) + shift, "Y": rng.integers(0, V, size=(T, N))})


def from_sequence_to_sequence(N: int, size: float = 900.0) -> np.ndarray:
    """(N, 1): a shift of logits that is -size for one sequence and size for the next."""
    return np.where(np.arange(N) % 2, size, -size)[:, None]


def zeroed(arguments: dict, *names: str) -> dict:
    """The arguments with those named set to zero, so that the other terms stand alone."""
    return {k: np.zeros_like(v) if k in names else v for k, v in arguments.items()}


def cast(value: Any, dtype: type) -> Any:
    """The same value with every array of floats in it turned into `dtype`."""
    if isinstance(value, np.ndarray):
        return value.astype(dtype) if value.dtype.kind == "f" else value
    if isinstance(value, (list, tuple)):
        return type(value)(cast(item, dtype) for item in value)
    if isinstance(value, dict):
        return {key: cast(item, dtype) for key, item in value.items()}
    return value


def in_float32(function: Callable) -> Callable:
    """The same function on float32 copies of its arrays, its array results turned back to float64."""
    return lambda *arguments: cast(function(*cast(arguments, np.float32)), np.float64)


def order_in(changes: dict[str, Any]) -> dict[str, str]:
    """What fills the place of an order of blocks in a mistake's sentence."""
    return {"order": ", ".join(changes["order"])} if "order" in changes else {}


def float32_mistake(function: Callable, tolerance: float = 3e-6) -> Mistake:
    return Mistake("float32", "a right solution that works in float32 somewhere: keep everything float64",
                   in_float32(function), tolerance=tolerance)
