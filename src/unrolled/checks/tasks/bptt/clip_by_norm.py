"""`clip_by_norm`: gradients scaled down together where their common norm is too large."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .... import reference, training
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, sizes
from .shared import ASSIGNMENT

CLIPPING = Section("recurrence/rnn-scratch", "scratch-clipping", "Clipping")
DIRECTION = Section("recurrence/gradients", "grad-clipping", "Clipping, and what it does to the direction")
SHAPES = {"W_xh": ("D", "H"), "W_hh": ("H", "H"), "b_h": ("H",), "W_hq": ("H", "V"), "b_q": ("V",)}


def _clip_case(name: str, rng: np.random.Generator, norm: float, theta: float, large: str | None = None) -> Case:
    """Gradients of that norm together; that of the array `large`, if given, holds nearly all of it."""
    named = dict(zip("DHV", sizes(rng, 3)))
    grads = {name: rng.normal(size=[named[axis] for axis in axes]) for name, axes in SHAPES.items()}
    if large:
        grads[large] *= 30
    scale = norm / math.sqrt(sum((g * g).sum() for g in grads.values()))
    return Case(name, {"grads": {name: g * scale for name, g in grads.items()}, "theta": theta})


def _clip_values(rng: np.random.Generator) -> list[Case]:
    return [
        _clip_case("a norm above theta", rng, norm=5.0, theta=1.0),
        _clip_case("a norm below theta", rng, norm=2.0, theta=5.0),
        _clip_case("a norm just above theta, each array's own far below", rng, norm=3.1, theta=3.0),
        _clip_case("a norm below theta and below 1", rng, norm=0.2, theta=0.3),
        _clip_case("a norm above theta and below 1", rng, norm=0.3, theta=0.2),
        _clip_case("one array holds nearly all of the norm", rng, norm=50.0, theta=2.0, large="W_hh"),
        _clip_case("a bias holds nearly all of the norm", rng, norm=50.0, theta=2.0, large="b_q"),
        _clip_case("tiny gradients", rng, norm=1e-6, theta=1e-7),
        _clip_case("an exploded gradient", rng, norm=1e9, theta=1.0),
    ]


def _clip_sizes(arguments: dict) -> dict[str, int]:
    grads = arguments["grads"]
    return {"D": len(grads["W_xh"]), "H": len(grads["W_hh"]), "V": len(grads["b_q"])}


def _scaled(grads, scale):
    return {name: g * scale for name, g in grads.items()}


def _clip_if(condition: Callable) -> Callable:
    """Clipping where `condition(norm, theta)`."""

    def clip(grads, theta):
        norm = training.gradient_norm(grads)
        return _scaled(grads, theta / norm if condition(norm, theta) else 1.0), norm

    return clip


def _clip_with(norm_of: Callable) -> Callable:
    """Clipping by another norm of all gradients."""

    def clip(grads, theta):
        norm = float(norm_of(grads))
        return _scaled(grads, theta / norm if norm > theta else 1.0), norm

    return clip


def _clip_by(factor: Callable) -> Callable:
    """Clipping by the factor `factor(norm, theta)` where the norm exceeds theta."""

    def clip(grads, theta):
        norm = training.gradient_norm(grads)
        return _scaled(grads, factor(norm, theta) if norm > theta else 1.0), norm

    return clip


def _each_array(grads, theta):
    clipped = {name: g * min(1.0, theta / np.linalg.norm(g)) for name, g in grads.items()}
    return clipped, training.gradient_norm(grads)


def _norm_after(grads, theta):
    clipped, _ = training.clip_by_norm(grads, theta)
    return clipped, training.gradient_norm(clipped)


def _in_place(grads, theta):
    norm = training.gradient_norm(grads)
    if norm > theta:
        for g in grads.values():
            g *= theta / norm
    return grads, norm


def _all_norms(grads, ord=None):
    return [np.linalg.norm(g, ord) for g in grads.values()]


TASK = Task(
    name="clip_by_norm", assignment=ASSIGNMENT, points=2, section=CLIPPING,
    arguments={"grads": None, "theta": None},
    outputs=(
        Output("clipped", "dict", items=tuple(Output(name, "array", axes) for name, axes in SHAPES.items())),
        Output("norm", "float"),
    ),
    form_case=lambda rng: _clip_case("a norm above theta", rng, norm=5.0, theta=1.0),
    value_cases=_clip_values, measure=_clip_sizes,
    reference=reference.clip_by_norm, solution=training.clip_by_norm,
    mistakes=(
        Mistake("each-array-apart", "clipping of each array by a norm of its own, which turns the direction: one norm over all arrays, one "
                "factor for all", _each_array, section=DIRECTION),
        Mistake("by-value", "clipping of each entry to the range from -theta to theta, which turns the direction: scale all entries by one "
                "factor", lambda grads, theta: ({name: np.clip(g, -theta, theta) for name, g in grads.items()},
                                                training.gradient_norm(grads)), section=DIRECTION),
        Mistake("always-scaled", "gradients scaled to the norm theta even where it was smaller: scale only when the norm exceeds theta",
                _clip_if(lambda norm, theta: True)),
        Mistake("never-scaled", "gradients that are never scaled", _clip_if(lambda norm, theta: False)),
        Mistake("scaled-where-smaller", "gradients scaled where the norm is below theta, and left alone where it exceeds it",
                _clip_if(lambda norm, theta: norm < theta)),
        Mistake("compared-with-square", "gradients scaled where the squared norm exceeds theta: compare the norm itself",
                _clip_if(lambda norm, theta: norm**2 > theta)),
        Mistake("compared-with-one", "gradients scaled where the norm exceeds 1: compare it with theta",
                _clip_if(lambda norm, theta: norm > 1)),
        Mistake("squared-norm", "clipping by the squared norm: the square root is missing",
                _clip_with(lambda grads: training.gradient_norm(grads) ** 2)),
        Mistake("sum-of-norms", "clipping by the sum of the arrays' norms: add the squares of all entries, then one square root",
                _clip_with(lambda grads: sum(_all_norms(grads)))),
        Mistake("largest-norm", "clipping by the largest of the arrays' norms: one norm over all entries together",
                _clip_with(lambda grads: max(_all_norms(grads)))),
        Mistake("mean-of-norms", "clipping by the mean of the arrays' norms: one norm over all entries together",
                _clip_with(lambda grads: np.mean(_all_norms(grads)))),
        Mistake("last-norm", "clipping by the norm of the last array: the sum starts anew for each array",
                _clip_with(lambda grads: _all_norms(grads)[-1])),
        Mistake("spectral-norm", "clipping by norms with ord=2, which for a matrix is its largest singular value: sum the squares of all "
                "entries", _clip_with(lambda grads: math.sqrt(sum(norm**2 for norm in _all_norms(grads, 2))))),
        Mistake("sum-of-absolutes", "clipping by the sum of absolute values: sum the squares, then one square root",
                _clip_with(lambda grads: sum(np.abs(g).sum() for g in grads.values()))),
        Mistake("largest-entry", "clipping by the largest entry: the norm is the root of the sum of all squares",
                _clip_with(lambda grads: max(np.abs(g).max() for g in grads.values()))),
        Mistake("root-mean-square", "clipping by the root of the mean square: the norm is the root of the sum",
                _clip_with(lambda grads: math.sqrt(np.mean(np.concatenate([g.ravel() ** 2 for g in grads.values()]))))),
        Mistake("matrices-only", "clipping by the norm of the matrices: the biases' gradients count, too",
                _clip_with(lambda grads: math.sqrt(sum((g * g).sum() for g in grads.values() if g.ndim == 2)))),
        Mistake("factor-upside-down", "gradients multiplied by norm / theta: the factor is theta / norm",
                _clip_by(lambda norm, theta: norm / theta)),
        Mistake("factor-theta", "gradients multiplied by theta: the factor is theta / norm", _clip_by(lambda norm, theta: theta)),
        Mistake("factor-one-over-norm", "gradients scaled to the norm 1: scale them to theta", _clip_by(lambda norm, theta: 1 / norm)),
        Mistake("factor-squared", "gradients multiplied by theta over the squared norm", _clip_by(lambda norm, theta: theta / norm**2)),
        Mistake("zeros", "gradients set to zero where the norm exceeds theta: shorten them to theta", _clip_by(lambda norm, theta: 0.0)),
        Mistake("norm-after", "right gradients with the norm after clipping: return the norm before", _norm_after),
        Mistake("norm-squared-returned", "right gradients with the square of the norm", lambda grads, theta: (
            training.clip_by_norm(grads, theta)[0], training.gradient_norm(grads) ** 2)),
        Mistake("factor-returned", "right gradients with the factor in place of the norm", lambda grads, theta: (
            training.clip_by_norm(grads, theta)[0], min(1.0, theta / training.gradient_norm(grads)))),
        *(Mistake(f"epsilon-{epsilon:g}", "a factor theta / (norm + {epsilon}), as in torch: leave the {epsilon} out",
                  _clip_by(lambda norm, theta, epsilon=epsilon: theta / (norm + epsilon)),
                  fills={"epsilon": f"{epsilon:g}"}) for epsilon in (1e-6, 1e-8, 1e-10, 1e-12)),
        Mistake("in-place", "right gradients that were put into the caller's arrays, as by g *= ..., or into the caller's dict: make "
                "new ones", _in_place),
        Mistake("norm-left-out", "right gradients without the norm: return both", lambda grads, theta: (
            training.clip_by_norm(grads, theta)[0])),
        Mistake("swapped", "right results in another order: the gradients come first", lambda grads, theta: (
            training.clip_by_norm(grads, theta)[::-1])),
        Mistake("list", "right gradients in a list: return a dict with the same keys", lambda grads, theta: (
            list(training.clip_by_norm(grads, theta)[0].values()), training.gradient_norm(grads))),
        float32_mistake(training.clip_by_norm),
    ),
)
