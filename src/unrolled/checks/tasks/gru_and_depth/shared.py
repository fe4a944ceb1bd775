"""What the tasks of assignment 06-gru-and-depth share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .... import cells
from ...task import Case, Mistake, Section
from ..common import rnn_arguments

ASSIGNMENT = "06-gru-and-depth"
GATES = Section("gates/gru", "gru-gates", "Two gates in place of three")
STEP = Section("gates/gru", "gru-step", "One step")
FORWARD = Section("gates/gru", "gru-scratch", "The forward pass")
VARIANTS = Section("gates/gru", "gru-variants", "Two variants, and two names for one gate")
PADDING = Section("gates/padding", "depth-padding", "Padding, masks, and what the mean is taken over")
EQUATIONS = Section("recurrence/rnn", "rnn-two-equations", "Two equations")
STATE = Section("recurrence/rnn", "rnn-hidden-state", "A hidden state is not a hidden layer")
WEIGHT_AXES = {"W_x": ("D", "3H"), "W_h": ("H", "3H"), "b_x": ("3H",), "b_h": ("3H",)}


def gru_arguments(rng: np.random.Generator, T: int, N: int, D: int, H: int, scale: float = 1.0) -> dict[str, np.ndarray]:
    """Arguments of `gru_forward`, a start that is not zero among them; gates saturate for a large scale."""
    return {
        "X": scale * rng.normal(size=(T, N, D)),
        "H_0": rng.uniform(-1, 1, size=(N, H)),
        "W_x": rng.normal(size=(D, 3 * H)) / math.sqrt(D),
        "W_h": rng.normal(size=(H, 3 * H)) / math.sqrt(H),
        "b_x": rng.normal(size=3 * H) / 2,
        "b_h": rng.normal(size=3 * H) / 2,
    }


def wide_open(case: Case) -> Case:
    """The case with biases of about 1000 at the gates r and z, so that each is 0 or 1, unit by unit in another way."""
    b_x = case.arguments["b_x"].reshape(3, -1)  # a view
    signs = np.array([[1, -1], [-1, -1], [1, 1], [-1, 1]])  # r, z
    b_x[:2] += 1000 * np.resize(signs, (b_x.shape[1], 2)).T
    return case


def gate_products(X_t, H_prev, W_x, W_h, b_x, b_h):
    return X_t @ W_x + b_x, H_prev @ W_h + b_h


def gru_step_with(*arguments, order="rzn", split=lambda Z: np.split(Z, 3, axis=-1), products=gate_products, gate=cells.sigmoid,
                  candidate=lambda r, z, x_n, h_n: np.tanh(x_n + r * h_n), mix=lambda r, z, n, H_prev: (1 - z) * n + z * H_prev):
    """A right step, but for the order in which the blocks are cut out, or another function at one of its places."""
    x, h = (dict(zip(order, split(Z))) for Z in products(*arguments))
    r, z = (gate(x[name] + h[name]) for name in "rz")
    return mix(r, z, candidate(r, z, x["n"], h["n"]), arguments[1])


def unstable_sigmoid(a):
    exponentials = np.exp(a)
    return exponentials / (1 + exponentials)


def reset_before(X_t, H_prev, W_x, W_h, b_x, b_h):
    H = H_prev.shape[1]
    r = cells.sigmoid(X_t @ W_x[:, :H] + b_x[:H] + H_prev @ W_h[:, :H] + b_h[:H])
    h_n = (r * H_prev) @ W_h[:, 2 * H :] + b_h[2 * H :]
    return gru_step_with(X_t, H_prev, W_x, W_h, b_x, b_h, candidate=lambda r, z, x_n, _: np.tanh(x_n + h_n))


def state_into_each_gate_transposed(X_t, H_prev, W_x, W_h, b_x, b_h):
    blocks = [H_prev @ block.T for block in np.split(W_h, 3, axis=1)]
    return X_t @ W_x + b_x, np.concatenate(blocks, axis=1) + b_h


def gates_without(side: int) -> Callable:
    """Both products, but nothing of the product `side` (0: the input's, 1: the state's) for the gates r and z."""

    def products(*arguments):
        both = [Z.copy() for Z in gate_products(*arguments)]
        both[side][:, : 2 * arguments[1].shape[1]] = 0
        return both

    return products


def candidate_without_input(*arguments):
    Z_x, Z_h = gate_products(*arguments)
    Z_x[:, 2 * arguments[1].shape[1] :] = 0
    return Z_x, Z_h


def blocks_by_reshape(Z):
    """Three blocks of rows where three blocks of columns are meant: the same for one sequence."""
    return Z.reshape(3, len(Z), -1)


# Mistakes of a step that are mistakes of the forward pass, too: name, the sentence after “a step ”, what differs, section.
STEP_CHANGES: tuple[tuple[str, str, dict[str, Any], Section], ...] = (
    ("order-zrn", "that uses the reset gate for the update gate and the other way round, as with the blocks in the order z, r, n: here and "
     "in torch it is r, z, n", {"order": "zrn"}, STEP),
    *((f"order-{order}", "with the blocks in the order {order}: here and in torch it is r, z, n", {"order": order}, STEP)
      for order in ("rnz", "znr", "nrz", "nzr")),
    ("blocks-interleaved", "that takes every third column for a block: the blocks lie one after another, H columns each",
     {"split": lambda Z: [Z[..., k::3] for k in range(3)]}, STEP),
    ("blocks-by-reshape", "that cuts the products with reshape(3, N, H), which is right for one sequence only: cut the last axis, as "
     "np.split with axis=-1 does", {"split": blocks_by_reshape}, STEP),
    ("z-writes", "whose update gate writes: z near 1 keeps the old state, (1 - z) * n + z * H_prev",
     {"mix": lambda r, z, n, H_prev: z * n + (1 - z) * H_prev}, VARIANTS),
    ("reset-left-out", "without the reset gate: it multiplies what comes from the old state to the candidate",
     {"candidate": lambda r, z, x_n, h_n: np.tanh(x_n + h_n)}, STEP),
    ("reset-on-everything", "whose reset gate multiplies the input's part of the candidate, too: only r * (H_prev @ W_hn + b_hn)",
     {"candidate": lambda r, z, x_n, h_n: np.tanh(r * (x_n + h_n))}, STEP),
    ("reset-on-the-input", "whose reset gate multiplies the input's part of the candidate: it multiplies the old state's",
     {"candidate": lambda r, z, x_n, h_n: np.tanh(r * x_n + h_n)}, STEP),
    ("reset-outside-the-tanh", "whose reset gate multiplies the whole candidate: it belongs inside the tanh",
     {"candidate": lambda r, z, x_n, h_n: r * np.tanh(x_n + h_n)}, STEP),
    ("reset-backwards", "whose reset gate erases at 1 and lets through at 0: r * (H_prev @ W_hn + b_hn)",
     {"candidate": lambda r, z, x_n, h_n: np.tanh(x_n + (1 - r) * h_n)}, STEP),
    ("candidate-by-z", "with the update gate inside the candidate: the reset gate r belongs there",
     {"candidate": lambda r, z, x_n, h_n: np.tanh(x_n + z * h_n)}, STEP),
    ("mixed-by-r", "that mixes by the reset gate: (1 - z) * n + z * H_prev",
     {"mix": lambda r, z, n, H_prev: (1 - r) * n + r * H_prev}, STEP),
    ("biases-merged", "that adds b_hn outside of the reset gate, as if the two biases could be merged: r * (H_prev @ W_hn + b_hn)",
     {"products": lambda X_t, H_prev, W_x, W_h, b_x, b_h: (X_t @ W_x + b_x + b_h, H_prev @ W_h)}, FORWARD),
    ("both-biases-reset", "whose reset gate multiplies b_xn, too: only r * (H_prev @ W_hn + b_hn)",
     {"products": lambda X_t, H_prev, W_x, W_h, b_x, b_h: (X_t @ W_x, H_prev @ W_h + b_x + b_h)}, FORWARD),
    ("biases-swapped", "with b_h at the input's product and b_x at the state's",
     {"products": lambda X_t, H_prev, W_x, W_h, b_x, b_h: (X_t @ W_x + b_h, H_prev @ W_h + b_x)}, FORWARD),
    ("b_x-left-out", "whose bias b_x is left out",
     {"products": lambda X_t, H_prev, W_x, W_h, b_x, b_h: (X_t @ W_x, H_prev @ W_h + b_h)}, GATES),
    ("b_h-left-out", "whose bias b_h is left out",
     {"products": lambda X_t, H_prev, W_x, W_h, b_x, b_h: (X_t @ W_x + b_x, H_prev @ W_h)}, GATES),
    ("biases-left-out", "whose biases are left out",
     {"products": lambda X_t, H_prev, W_x, W_h, b_x, b_h: (X_t @ W_x, H_prev @ W_h)}, GATES),
    ("b_x-twice", "that adds b_x to both products: the state's has b_h",
     {"products": lambda X_t, H_prev, W_x, W_h, b_x, b_h: (X_t @ W_x + b_x, H_prev @ W_h + b_x)}, GATES),
    ("b_h-twice", "that adds b_h to both products: the input's has b_x",
     {"products": lambda X_t, H_prev, W_x, W_h, b_x, b_h: (X_t @ W_x + b_h, H_prev @ W_h + b_h)}, GATES),
    ("input-left-out", "that leaves out the input, X_t @ W_x + b_x",
     {"products": lambda X_t, H_prev, W_x, W_h, b_x, b_h: (0 * (X_t @ W_x), H_prev @ W_h + b_h)}, GATES),
    ("state-left-out", "that leaves out the state's product, H_prev @ W_h + b_h",
     {"products": lambda X_t, H_prev, W_x, W_h, b_x, b_h: (X_t @ W_x + b_x, 0 * (H_prev @ W_h))}, GATES),
    ("gates-without-state", "whose gates read the input only: both read the old state, too", {"products": gates_without(1)}, GATES),
    ("gates-without-input", "whose gates read the old state only: both read the input, too", {"products": gates_without(0)}, GATES),
    ("candidate-without-input", "whose candidate reads the old state only: tanh(x_n + r * h_n)",
     {"products": candidate_without_input}, STEP),
    ("W_h-blocks-transposed", "with each block of W_h transposed: rows times matrices, H_prev @ W_h",
     {"products": state_into_each_gate_transposed}, STEP),
    ("z-left-out", "without the update gate, which returns the candidate: (1 - z) * n + z * H_prev",
     {"mix": lambda r, z, n, H_prev: n}, STEP),
    ("nothing-kept", "that forgets the old state: (1 - z) * n + z * H_prev", {"mix": lambda r, z, n, H_prev: (1 - z) * n}, STEP),
    ("nothing-written", "that leaves out the candidate: (1 - z) * n + z * H_prev", {"mix": lambda r, z, n, H_prev: z * H_prev}, STEP),
    ("writes-all", "that writes the whole candidate: what z keeps of the old state, 1 - z leaves room for; (1 - z) * n + z * H_prev",
     {"mix": lambda r, z, n, H_prev: n + z * H_prev}, GATES),
    ("keeps-all", "that keeps the whole old state: what 1 - z writes of the candidate, z leaves of the state; (1 - z) * n + z * H_prev",
     {"mix": lambda r, z, n, H_prev: (1 - z) * n + H_prev}, GATES),
    ("z-for-both", "with z for both shares: they are 1 - z and z, which make 1", {"mix": lambda r, z, n, H_prev: z * (n + H_prev)}, GATES),
    ("keeps-what-was-reset", "that keeps z * r * H_prev: the reset gate acts on the candidate only",
     {"mix": lambda r, z, n, H_prev: (1 - z) * n + z * r * H_prev}, STEP),
    ("keeps-tanh", "that keeps z * tanh(H_prev): on the way from the old state to the new one there is no tanh",
     {"mix": lambda r, z, n, H_prev: (1 - z) * n + z * np.tanh(H_prev)}, GATES),
    ("tanh-of-the-mean", "with a second tanh around the new state: a weighted mean needs none",
     {"mix": lambda r, z, n, H_prev: np.tanh((1 - z) * n + z * H_prev)}, GATES),
    ("candidate-linear", "whose candidate has no tanh", {"candidate": lambda r, z, x_n, h_n: x_n + r * h_n}, STEP),
    ("candidate-sigmoid", "with a sigmoid for the candidate: it is a tanh, so that a state can also fall",
     {"candidate": lambda r, z, x_n, h_n: cells.sigmoid(x_n + r * h_n)}, STEP),
    ("gates-tanh", "with a tanh for the gates: r and z are sigmoids, between 0 and 1", {"gate": np.tanh}, GATES),
    ("sigmoid-sign", "with 1 / (1 + exp(a)) for the sigmoid: the sign of a is missing", {"gate": lambda a: cells.sigmoid(-a)}, GATES),
    ("hard-sigmoid", "with a hard sigmoid, straight lines, for the gates", {"gate": lambda a: np.clip(0.2 * a + 0.5, 0, 1)}, GATES),
    ("overflow", "with exp(a) / (1 + exp(a)) for the sigmoid, which overflows for large a: 1 / (1 + exp(-a)), or by tanh",
     {"gate": unstable_sigmoid}, GATES),
)  # fmt: skip

Layer = tuple[np.ndarray, np.ndarray, np.ndarray]


def some_layer(rng: np.random.Generator, D: int, H: int) -> Layer:
    _, _, W_xh, W_hh, b_h = rnn_arguments(rng, 1, 1, D, H).values()
    return W_xh, W_hh, b_h


def read_layer(X: np.ndarray, layer: Layer, start: np.ndarray | None = None, step: Callable = cells.rnn_step) -> np.ndarray:
    """All states of one layer, from zeros unless a start is given."""
    H_t = np.zeros((X.shape[1], len(layer[2]))) if start is None else start
    states = []
    for X_t in X:
        H_t = step(X_t, H_t, *layer)
        states.append(H_t)
    return np.stack(states)


def some_lengths(rng: np.random.Generator, N: int, longest: int) -> list[int]:
    """Lengths of N sequences in no order, the shortest ones first: a batch sorted by length hides mistakes."""
    return [*map(int, rng.permutation([1, 2])), longest, *map(int, rng.integers(1, longest, size=N - 3))]


def real_places(T: int, lengths: np.ndarray) -> np.ndarray:
    """(T, N): True at real tokens."""
    return np.arange(T)[:, None] < lengths


def mistakes_of_the_step(network_with: Callable) -> tuple[Mistake, ...]:
    """What can be wrong in a plain step; `network_with(step)` is the network whose layers take that step."""
    return (
        Mistake("bias-left-out", "a network whose biases are left out",
                network_with(lambda X_t, H_t, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_t @ W_hh)), section=EQUATIONS),
        Mistake("W_hh-transposed", "a network with W_hh transposed: H_t @ W_hh, not H_t @ W_hh.T",
                network_with(lambda X_t, H_t, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_t @ W_hh.T + b_h)), section=EQUATIONS),
        Mistake("tanh-left-out", "a network without the tanh",
                network_with(lambda X_t, H_t, W_xh, W_hh, b_h: X_t @ W_xh + H_t @ W_hh + b_h), section=EQUATIONS),
    )
