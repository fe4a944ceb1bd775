"""`lstm_from_torch`: torch's weights in our layout."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from .... import reference
from ...task import Case, Mistake, Section, Task
from ..common import float32_mistake, sizes, zeroed
from .shared import ASSIGNMENT, GATES, WEIGHTS

FROM_TORCH = Section("gates/lstm", "lstm-torch", "Weights to and from torch")


def _torch_case(name: str, rng: np.random.Generator, D: int, H: int, zero=()) -> Case:
    bound = 1 / math.sqrt(H)  # as torch draws them
    shapes = {"weight_ih": (4 * H, D), "weight_hh": (4 * H, H), "bias_ih": (4 * H,), "bias_hh": (4 * H,)}
    return Case(name, zeroed({name: rng.uniform(-bound, bound, shape) for name, shape in shapes.items()}, *zero))


def _torch_values(rng: np.random.Generator) -> list[Case]:
    D, H = sizes(rng, 2)
    return [
        _torch_case("the matrices (both biases are zero)", rng, D, H, zero=("bias_ih", "bias_hh")),
        _torch_case("the first bias (bias_hh is zero)", rng, D, H, zero=("bias_hh",)),
        _torch_case("the second bias (bias_ih is zero)", rng, D, H, zero=("bias_ih",)),
        _torch_case("both biases", rng, D, H),
        _torch_case("as many inputs as units (D=H)", rng, H, H),
        _torch_case("four times as many inputs as units (D=4H)", rng, 4 * H, H),
        _torch_case("one input, one unit (D=H=1)", rng, 1, 1),
    ]


def _from_torch(weight_ih, weight_hh, bias_ih, bias_hh, *, matrix=lambda w: w.T, bias=lambda ih, hh: ih + hh):
    return matrix(weight_ih), matrix(weight_hh), bias(bias_ih, bias_hh)


def _torch_with(**changes) -> Callable:
    return functools.partial(_from_torch, **changes)


def _torch_order(*places: int) -> Callable:
    """Right but for the order of the four gates."""
    def convert(*arguments):
        return tuple(np.concatenate([np.split(w, 4, axis=-1)[k] for k in places], axis=-1) for w in _from_torch(*arguments))

    return convert


def _gates_transposed_apart(w):
    """Each gate's block transposed, and the blocks stacked below one another."""
    return np.concatenate([block.T for block in np.split(w, 4)], axis=0)


def _sum_in_place(weight_ih, weight_hh, bias_ih, bias_hh):
    bias_ih += bias_hh
    return weight_ih.T, weight_hh.T, bias_ih


TASK = Task(
    name="lstm_from_torch", assignment=ASSIGNMENT, points=2, section=FROM_TORCH,
    arguments={"weight_ih": ("4H", "D"), "weight_hh": ("4H", "H"), "bias_ih": ("4H",), "bias_hh": ("4H",)},
    outputs=WEIGHTS,
    form_case=lambda rng: _torch_case("small sizes", rng, *sizes(rng, 2)),
    value_cases=_torch_values,
    reference=reference.lstm_from_torch, solution=_from_torch,
    mistakes=(
        Mistake("not-transposed", "weights as torch keeps them: transpose both matrices, so that rows belong to what comes in",
                _torch_with(matrix=lambda w: w)),
        Mistake("W_h-not-transposed", "weights with only W_x transposed: transpose weight_hh, too",
                lambda *arguments: (_from_torch(*arguments)[0], arguments[1], _from_torch(*arguments)[2])),
        Mistake("W_x-not-transposed", "weights with only W_h transposed, which has the right shape where D = 4H: transpose weight_ih, too",
                lambda *arguments: (arguments[0], *_from_torch(*arguments)[1:])),
        Mistake("reshaped", "weights that are reshaped in place of transposed: the shape is right and every number is elsewhere; use .T",
                _torch_with(matrix=lambda w: w.reshape(w.shape[::-1]))),
        Mistake("gates-apart", "weights whose four gates are transposed one by one and stacked below one another: they lie side by side",
                _torch_with(matrix=_gates_transposed_apart)),
        Mistake("gates-interleaved", "weights whose gates are interleaved, unit by unit: they lie one after another, H columns each",
                _torch_with(matrix=lambda w: w.reshape(4, -1, w.shape[1]).transpose(2, 1, 0).reshape(w.shape[1], -1))),
        *(Mistake(f"order-{order}", "weights with the gates put in the order {order}: our order is torch's, i, f, g, o",
                  _torch_order(*map("ifgo".index, order)), section=GATES,
                  fills={"order": ", ".join(order)}) for order in ("ifog", "figo", "igfo", "ogfi")),
        Mistake("first-bias-only", "weights with the bias bias_ih alone: our b is the sum of torch's two", _torch_with(bias=lambda ih, hh: ih)),
        Mistake("second-bias-only", "weights with the bias bias_hh alone: our b is the sum of torch's two", _torch_with(bias=lambda ih, hh: hh)),
        Mistake("biases-averaged", "weights with the mean of torch's two biases: both are added in the gate, so b is their sum",
                _torch_with(bias=lambda ih, hh: (ih + hh) / 2)),
        Mistake("biases-subtracted", "weights with the difference of torch's two biases: b is their sum",
                _torch_with(bias=lambda ih, hh: ih - hh)),
        Mistake("biases-joined", "weights with torch's two biases one after the other: b is their sum, (4H,)",
                _torch_with(bias=lambda ih, hh: np.concatenate([ih, hh]))),
        Mistake("both-biases", "weights with both biases: b is their sum", lambda *arguments: (*_from_torch(*arguments)[:2], *arguments[2:])),
        Mistake("swapped", "weights with W_h before W_x", lambda *arguments: (lambda W_x, W_h, b: (W_h, W_x, b))(*_from_torch(*arguments))),
        Mistake("in-bias_ih", "right weights whose bias was added up inside bias_ih: make a new array", _sum_in_place),
        float32_mistake(_from_torch),
    ),
)
