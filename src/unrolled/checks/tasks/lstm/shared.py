"""What the tasks of assignment 05-lstm share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .... import cells
from ...task import Case, Output, Section
from ..common import zeroed

ASSIGNMENT = "05-lstm"
GATES = Section("gates/lstm", "lstm-gates", "Gates")
CELL = Section("gates/lstm", "lstm-cell", "One step, and the conveyor")
WEIGHTS = (Output("W_x", "array", ("D", "4H")), Output("W_h", "array", ("H", "4H")), Output("b", "array", ("4H",)))
WEIGHT_AXES = {"W_x": ("D", "4H"), "W_h": ("H", "4H"), "b": ("4H",)}


def lstm_arguments(rng: np.random.Generator, T: int, N: int, D: int, H: int, scale: float = 1.0) -> dict[str, np.ndarray]:
    """Arguments of `lstm_forward`, starts that are not zero among them; gates saturate for a large scale."""
    return {
        "X": scale * rng.normal(size=(T, N, D)),
        "H_0": rng.uniform(-1, 1, size=(N, H)),
        "C_0": rng.uniform(-1.5, 1.5, size=(N, H)),
        "W_x": rng.normal(size=(D, 4 * H)) / math.sqrt(D),
        "W_h": rng.normal(size=(H, 4 * H)) / math.sqrt(H),
        "b": rng.normal(size=4 * H) / 2,
    }


def wide_open(case: Case) -> Case:
    """The case with biases of about 1000 at the gates i, f and o, so that each is 0 or 1, unit by unit in another way."""
    b = case.arguments["b"].reshape(4, -1)  # a view
    signs = np.array([[1, -1, 1], [1, 1, 1], [-1, 1, 1], [1, 1, -1]])  # i, f, o
    b[[0, 1, 3]] += 1000 * np.resize(signs, (b.shape[1], 3)).T
    return case


def cell_from(i, f, g, C_prev):
    return f * C_prev + i * g


def hidden_from(o, C_t, C_prev):
    return o * np.tanh(C_t)


def sum_of_terms(X_t, H_prev, C_prev, W_x, W_h, b):
    return X_t @ W_x + H_prev @ W_h + b


def lstm_step_with(X_t, H_prev, C_prev, W_x, W_h, b, *, order="ifgo", split=lambda Z: np.split(Z, 4, axis=-1), gate=cells.sigmoid, candidate=np.tanh,
                   terms=sum_of_terms, cell=cell_from, hidden=hidden_from):
    """A right step, but for the order in which the gates are cut out, or another function at one of its places."""
    parts = dict(zip(order, split(terms(X_t, H_prev, C_prev, W_x, W_h, b))))
    i, f, o = (gate(parts[name]) for name in "ifo")
    C_t = cell(i, f, candidate(parts["g"]), C_prev)
    return hidden(o, C_t, C_prev), C_t


def unstable_sigmoid(z):
    exponentials = np.exp(z)
    return exponentials / (1 + exponentials)


# Mistakes of a step that are mistakes of the forward pass, too: name, the sentence after “a step ”, what differs, section.
STEP_CHANGES: tuple[tuple[str, str, dict[str, Any], Section], ...] = (
    *((f"order-{order}", "with the gates in the order {order}: here and in torch it is i, f, g, o", {"order": order}, GATES)
      for order in ("ifog", "figo", "fiog", "igfo", "iofg", "ofgi", "gifo")),
    ("gates-interleaved", "that takes every fourth column for a gate: the gates lie one after another, H columns each",
     {"split": lambda Z: [Z[..., k::4] for k in range(4)]}, GATES),
    ("candidate-sigmoid", "with a sigmoid for the candidate g: it is a tanh, so that a cell can also fall",
     {"candidate": cells.sigmoid}, GATES),
    ("gates-tanh", "with a tanh for all four: the gates i, f and o are sigmoids, between 0 and 1", {"gate": np.tanh}, GATES),
    ("candidate-linear", "whose candidate g has no tanh", {"candidate": lambda z: z}, GATES),
    ("sigmoid-sign", "with 1 / (1 + exp(z)) for the sigmoid: the sign of z is missing", {"gate": lambda z: cells.sigmoid(-z)}, GATES),
    ("hard-sigmoid", "with a hard sigmoid, straight lines, for the gates", {"gate": lambda z: np.clip(0.2 * z + 0.5, 0, 1)}, GATES),
    ("bias-left-out", "whose biases b are left out", {"terms": lambda X_t, H_prev, C_prev, W_x, W_h, b: X_t @ W_x + H_prev @ W_h}, GATES),
    ("bias-twice", "that adds the biases twice, as if to each product",
     {"terms": lambda X_t, H_prev, C_prev, W_x, W_h, b: X_t @ W_x + H_prev @ W_h + 2 * b}, GATES),
    ("input-left-out", "that leaves out the input, X_t @ W_x", {"terms": lambda X_t, H_prev, C_prev, W_x, W_h, b: H_prev @ W_h + b}, GATES),
    ("state-left-out", "that leaves out the hidden state, H_prev @ W_h",
     {"terms": lambda X_t, H_prev, C_prev, W_x, W_h, b: X_t @ W_x + b}, GATES),
    ("gates-read-the-cell", "whose gates read C_prev: they read the hidden state, H_prev @ W_h",
     {"terms": lambda X_t, H_prev, C_prev, W_x, W_h, b: X_t @ W_x + C_prev @ W_h + b}, GATES),
    ("forget-gate-left-out", "without the forget gate: C_t = f * C_prev + i * g", {"cell": lambda i, f, g, C_prev: C_prev + i * g}, CELL),
    ("input-gate-left-out", "without the input gate: C_t = f * C_prev + i * g", {"cell": lambda i, f, g, C_prev: f * C_prev + g}, CELL),
    ("candidate-left-out", "without the candidate: C_t = f * C_prev + i * g", {"cell": lambda i, f, g, C_prev: f * C_prev + i}, CELL),
    ("cell-left-out", "that forgets C_prev: C_t = f * C_prev + i * g", {"cell": lambda i, f, g, C_prev: i * g}, CELL),
    ("gates-coupled", "that writes with 1 - f: the input gate i is a gate of its own",
     {"cell": lambda i, f, g, C_prev: f * C_prev + (1 - f) * g}, CELL),
    ("forgets-backwards", "whose forget gate keeps at 0 and erases at 1: C_t = f * C_prev + i * g",
     {"cell": lambda i, f, g, C_prev: (1 - f) * C_prev + i * g}, CELL),
    ("cell-squashed", "that squashes the cell state itself: C_t = f * C_prev + i * g, the tanh is only for what H_t shows of it",
     {"cell": lambda i, f, g, C_prev: np.tanh(f * C_prev + i * g)}, CELL),
    ("previous-cell-squashed", "that keeps tanh(C_prev): on the way from C_prev to C_t there is no tanh",
     {"cell": lambda i, f, g, C_prev: f * np.tanh(C_prev) + i * g}, CELL),
    ("tanh-left-out", "whose H_t is o * C_t: it is o * tanh(C_t)", {"hidden": lambda o, C_t, C_prev: o * C_t}, CELL),
    ("output-gate-left-out", "without the output gate: H_t = o * tanh(C_t)", {"hidden": lambda o, C_t, C_prev: np.tanh(C_t)}, CELL),
    ("output-gate-inside", "whose H_t is tanh(o * C_t): it is o * tanh(C_t)", {"hidden": lambda o, C_t, C_prev: np.tanh(o * C_t)}, CELL),
    ("hidden-of-previous-cell", "that shows the cell state before the step: H_t = o * tanh(C_t)",
     {"hidden": lambda o, C_t, C_prev: o * np.tanh(C_prev)}, CELL),
    ("overflow", "with exp(z) / (1 + exp(z)) for the sigmoid, which overflows for large z: 1 / (1 + exp(-z)), or by tanh",
     {"gate": unstable_sigmoid}, GATES),
)  # fmt: skip


def into_C_prev(X_t, H_prev, C_prev, W_x, W_h, b):
    i, f, g, o = np.split(sum_of_terms(X_t, H_prev, C_prev, W_x, W_h, b), 4, axis=-1)
    C_prev *= cells.sigmoid(f)
    C_prev += cells.sigmoid(i) * np.tanh(g)
    return cells.sigmoid(o) * np.tanh(C_prev), C_prev


def forward_case(name: str, rng: np.random.Generator, T: int, N: int, D: int, H: int, zero=(), scale: float = 1.0) -> Case:
    return Case(name, zeroed(lstm_arguments(rng, T, N, D, H, scale), *zero))


def remembering(rng: np.random.Generator, T: int, N: int, D: int, H: int) -> Case:
    """Forget gates near 1: what is in the cell at the start is still there at the end."""
    case = forward_case("a long memory: forget gates near 1 (T=60)", rng, T, N, D, H)
    case.arguments["b"][H : 2 * H] += 8
    return case
