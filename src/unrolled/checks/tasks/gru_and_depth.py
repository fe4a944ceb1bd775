"""The five tasks of assignment 06-gru-and-depth: a GRU's step and states, stacked layers, two directions, and a loss under padding."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import cells, metrics, reference
from ..task import Case, Mistake, Output, Section, Task
from .common import float32_mistake, rnn_arguments, sizes, zeroed

ASSIGNMENT = "06-gru-and-depth"

GATES = Section("gates/gru", "gru-gates", "Two gates in place of three")
STEP = Section("gates/gru", "gru-step", "One step")
FORWARD = Section("gates/gru", "gru-scratch", "The forward pass")
VARIANTS = Section("gates/gru", "gru-variants", "Two variants, and two names for one gate")
STACKED = Section("gates/depth", "depth-stacked", "Stacked layers")
BOTH = Section("gates/depth", "depth-bidirectional", "Two directions")
PADDING = Section("gates/depth", "depth-padding", "Padding, masks, and what the mean is taken over")
PACKED = Section("gates/depth", "depth-packed", "Packed sequences")
EQUATIONS = Section("recurrence/rnn", "rnn-two-equations", "Two equations")
STATE = Section("recurrence/rnn", "rnn-hidden-state", "A hidden state is not a hidden layer")
LOSS = Section("recurrence/rnn-scratch", "scratch-loss", "The loss")


# --- gru_step ----------------------------------------------------------------------------------

WEIGHT_AXES = {"W_x": ("D", "3H"), "W_h": ("H", "3H"), "b_x": ("3H",), "b_h": ("3H",)}


def _gru_arguments(rng: np.random.Generator, T: int, N: int, D: int, H: int, scale: float = 1.0) -> dict[str, np.ndarray]:
    """Arguments of `gru_forward`, a start that is not zero among them; gates saturate for a large scale."""
    return {
        "X": scale * rng.normal(size=(T, N, D)),
        "H_0": rng.uniform(-1, 1, size=(N, H)),
        "W_x": rng.normal(size=(D, 3 * H)) / math.sqrt(D),
        "W_h": rng.normal(size=(H, 3 * H)) / math.sqrt(H),
        "b_x": rng.normal(size=3 * H) / 2,
        "b_h": rng.normal(size=3 * H) / 2,
    }


def _step_case(name: str, rng: np.random.Generator, N: int, D: int, H: int, zero=(), scale: float = 1.0) -> Case:
    X, H_0, *weights = _gru_arguments(rng, 1, N, D, H, scale).values()
    return Case(name, zeroed({"X_t": X[0], "H_prev": H_0, **dict(zip(WEIGHT_AXES, weights))}, *zero))


def _wide_open(case: Case) -> Case:
    """The case with biases of about 1000 at the gates r and z, so that each is 0 or 1, unit by unit in another way."""
    b_x = case.arguments["b_x"].reshape(3, -1)  # a view
    signs = np.array([[1, -1], [-1, -1], [1, 1], [-1, 1]])  # r, z
    b_x[:2] += 1000 * np.resize(signs, (b_x.shape[1], 2)).T
    return case


def _step_values(rng: np.random.Generator) -> list[Case]:
    N, D, H = sizes(rng, 3)
    return [
        _step_case("the input alone (H_prev and both biases are zero)", rng, 1, D, H, zero=("H_prev", "b_x", "b_h")),
        _step_case("the state alone (X_t and both biases are zero)", rng, 1, D, H, zero=("X_t", "b_x", "b_h")),
        _step_case("the biases alone (X_t and H_prev are zero)", rng, 1, D, H, zero=("X_t", "H_prev")),
        _step_case("one sequence, one input, one unit (N=D=H=1)", rng, 1, 1, 1),
        _step_case("several sequences", rng, N, D, H),
        _step_case("as many sequences as inputs and units (N=D=H)", rng, H, H, H),
        _step_case("large inputs, where the gates saturate", rng, N, D, H, scale=8.0),
        _wide_open(_step_case("biases so large that exp overflows", rng, N, D, H)),
    ]


def _products(X_t, H_prev, W_x, W_h, b_x, b_h):
    return X_t @ W_x + b_x, H_prev @ W_h + b_h


def _step(*arguments, order="rzn", split=lambda Z: np.split(Z, 3, axis=-1), products=_products, gate=cells.sigmoid,
          candidate=lambda r, z, x_n, h_n: np.tanh(x_n + r * h_n), mix=lambda r, z, n, H_prev: (1 - z) * n + z * H_prev):
    """A right step, but for the order in which the blocks are cut out, or another function at one of its places."""
    x, h = (dict(zip(order, split(Z))) for Z in products(*arguments))
    r, z = (gate(x[name] + h[name]) for name in "rz")
    return mix(r, z, candidate(r, z, x["n"], h["n"]), arguments[1])


def _unstable_sigmoid(a):
    exponentials = np.exp(a)
    return exponentials / (1 + exponentials)


def _reset_before(X_t, H_prev, W_x, W_h, b_x, b_h):
    H = H_prev.shape[1]
    r = cells.sigmoid(X_t @ W_x[:, :H] + b_x[:H] + H_prev @ W_h[:, :H] + b_h[:H])
    h_n = (r * H_prev) @ W_h[:, 2 * H :] + b_h[2 * H :]
    return _step(X_t, H_prev, W_x, W_h, b_x, b_h, candidate=lambda r, z, x_n, _: np.tanh(x_n + h_n))


def _state_into_each_gate_transposed(X_t, H_prev, W_x, W_h, b_x, b_h):
    blocks = [H_prev @ block.T for block in np.split(W_h, 3, axis=1)]
    return X_t @ W_x + b_x, np.concatenate(blocks, axis=1) + b_h


def _gates_without(side: int) -> Callable:
    """Both products, but nothing of the product `side` (0: the input's, 1: the state's) for the gates r and z."""

    def products(*arguments):
        both = [Z.copy() for Z in _products(*arguments)]
        both[side][:, : 2 * arguments[1].shape[1]] = 0
        return both

    return products


def _candidate_without_input(*arguments):
    Z_x, Z_h = _products(*arguments)
    Z_x[:, 2 * arguments[1].shape[1] :] = 0
    return Z_x, Z_h


def _blocks_by_reshape(Z):
    """Three blocks of rows where three blocks of columns are meant: the same for one sequence."""
    return Z.reshape(3, len(Z), -1)


# Mistakes of a step that are mistakes of the forward pass, too: name, the sentence after “a step ”, what differs, section.
STEP_CHANGES: tuple[tuple[str, str, dict[str, Any], Section], ...] = (
    ("order-zrn", "that uses the reset gate for the update gate and the other way round, as with the blocks in the order z, r, n: here and "
     "in torch it is r, z, n", {"order": "zrn"}, STEP),
    *((f"order-{order}", f"with the blocks in the order {', '.join(order)}: here and in torch it is r, z, n", {"order": order}, STEP)
      for order in ("rnz", "znr", "nrz", "nzr")),
    ("blocks-interleaved", "that takes every third column for a block: the blocks lie one after another, H columns each",
     {"split": lambda Z: [Z[..., k::3] for k in range(3)]}, STEP),
    ("blocks-by-reshape", "that cuts the products with reshape(3, N, H), which is right for one sequence only: cut the last axis, as "
     "np.split with axis=-1 does", {"split": _blocks_by_reshape}, STEP),
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
    ("gates-without-state", "whose gates read the input only: both read the old state, too", {"products": _gates_without(1)}, GATES),
    ("gates-without-input", "whose gates read the old state only: both read the input, too", {"products": _gates_without(0)}, GATES),
    ("candidate-without-input", "whose candidate reads the old state only: tanh(x_n + r * h_n)",
     {"products": _candidate_without_input}, STEP),
    ("W_h-blocks-transposed", "with each block of W_h transposed: rows times matrices, H_prev @ W_h",
     {"products": _state_into_each_gate_transposed}, STEP),
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
     {"gate": _unstable_sigmoid}, GATES),
)  # fmt: skip


def _into_H_prev(*arguments):
    H_prev = arguments[1]
    H_prev[:] = _step(*arguments)
    return H_prev


def _reset_in_place(X_t, H_prev, W_x, W_h, b_x, b_h):
    """The reset gate before the product, by `H_prev *= r`, which also spoils what is kept."""
    H = H_prev.shape[1]
    r, z = np.split(cells.sigmoid(X_t @ W_x[:, : 2 * H] + b_x[: 2 * H] + H_prev @ W_h[:, : 2 * H] + b_h[: 2 * H]), 2, axis=-1)
    H_prev *= r
    n = np.tanh(X_t @ W_x[:, 2 * H :] + b_x[2 * H :] + H_prev @ W_h[:, 2 * H :] + b_h[2 * H :])
    return (1 - z) * n + z * H_prev


STEP_TASK = Task(
    name="gru_step", assignment=ASSIGNMENT, points=5, section=STEP,
    arguments={"X_t": ("N", "D"), "H_prev": ("N", "H"), **WEIGHT_AXES},
    outputs=(Output("H_t", "array", ("N", "H")),),
    form_case=lambda rng: _step_case("several sequences", rng, *sizes(rng, 3)),
    value_cases=_step_values,
    reference=reference.gru_step, solution=cells.gru_step,
    mistakes=(
        *(Mistake(name, f"a step {words}", functools.partial(_step, **changes), section=section)
          for name, words, changes, section in STEP_CHANGES),
        Mistake("reset-before-product", "a step whose reset gate multiplies the old state before the product, (r * H_prev) @ W_hn, as in "
                "the published paper: here and in torch it comes after, r * (H_prev @ W_hn + b_hn)", _reset_before, section=VARIANTS),
        Mistake("candidate-returned", "a right step that returns the candidate beside the new state: return H_t alone",
                lambda *arguments: (_step(*arguments), _step(*arguments, mix=lambda r, z, n, H_prev: n))),
        Mistake("first-sequence-only", "a step that gives every sequence the state of the first",
                lambda *arguments: np.repeat(_step(*arguments)[:1], len(arguments[0]), axis=0)),
        Mistake("into-H_prev", "a right step that writes the new state into H_prev: make a new array", _into_H_prev),
        Mistake("reset-in-place", "a step that multiplies H_prev itself by the reset gate, as H_prev *= r does: the update gate still "
                "needs it, and so does the caller", _reset_in_place, section=VARIANTS),
        float32_mistake(cells.gru_step, tolerance=1e-4),
    ),
)


# --- gru_forward -------------------------------------------------------------------------------


def _forward_case(name: str, rng: np.random.Generator, T: int, N: int, D: int, H: int, zero=(), scale: float = 1.0) -> Case:
    return Case(name, zeroed(_gru_arguments(rng, T, N, D, H, scale), *zero))


def _remembering(rng: np.random.Generator, T: int, N: int, D: int, H: int) -> Case:
    """Update gates near 1: what is in the state at the start is still there at the end."""
    case = _forward_case("a long memory: update gates near 1 (T=60)", rng, T, N, D, H)
    case.arguments["b_x"][H : 2 * H] += 8
    return case


def _forward_values(rng: np.random.Generator) -> list[Case]:
    T, N, D, H = sizes(rng, 4)
    return [
        _forward_case("one step (T=1)", rng, 1, N, D, H),
        _forward_case("two steps from a start of zero, one sequence", rng, 2, 1, D, H, zero=("H_0",)),
        _forward_case("two steps, one sequence", rng, 2, 1, D, H),
        _forward_case("no input: the state alone is carried on (X and both biases are zero)", rng, T, N, D, H, zero=("X", "b_x", "b_h")),
        _forward_case("several steps and sequences", rng, T + 2, N, D, H),
        _forward_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, T + 1, T + 1, H, H),
        _forward_case("one unit (H=1)", rng, T, N, D, 1),
        _forward_case("large inputs, where the gates saturate", rng, T, N, D, H, scale=8.0),
        _wide_open(_forward_case("biases so large that exp overflows", rng, T, N, D, H)),
        _remembering(rng, 60, N, D, H),
    ]


def _forward(X, H_0, *weights, step=_step, carry=lambda H_t, H_0: H_t):
    """All states, but for another step, or another state carried from step to step than that which came out."""
    H, H_t = [], H_0
    for X_t in X:
        H_t = step(X_t, H_t, *weights)
        H.append(H_t)
        H_t = carry(H_t, H_0)
    return np.stack(H)


def _carrying(carry: Callable) -> Callable:
    return functools.partial(_forward, carry=carry)


def _returning(change: Callable) -> Callable:
    """The right states, returned as `change(H)`."""
    return lambda *arguments: change(_forward(*arguments))


def _candidate_carried(X, H_0, *weights):
    H, n = [], H_0
    for X_t in X:
        H.append(_step(X_t, n, *weights))
        n = _step(X_t, n, *weights, mix=lambda r, z, n, H_prev: n)
    return np.stack(H)


def _writes_into_H_0(X, H_0, *weights):
    H = []
    for X_t in X:
        H_0[:] = _step(X_t, H_0, *weights)
        H.append(H_0.copy())
    return np.stack(H)


def _first_input_skipped(X, H_0, *weights):
    return np.concatenate([H_0[None], *([_forward(X[1:], H_0, *weights)] if len(X) > 1 else [])])


def _flows_into_next_sequence(X, H_0, *weights):
    H, h = np.empty((*X.shape[:2], H_0.shape[1])), H_0[:1]
    for n in range(X.shape[1]):
        for t in range(len(X)):
            h = _step(X[t, n : n + 1], h, *weights)
            H[t, n] = h[0]
    return H


def _batch_for_time(X, H_0, *weights):
    """The sequences walked through in place of the steps."""
    return np.swapaxes(_forward(np.swapaxes(X, 0, 1), H_0[: len(X)], *weights), 0, 1).copy()


FORWARD_TASK = Task(
    name="gru_forward", assignment=ASSIGNMENT, points=4, section=FORWARD,
    arguments={"X": ("T", "N", "D"), "H_0": ("N", "H"), **WEIGHT_AXES},
    outputs=(Output("H", "array", ("T", "N", "H")),),
    form_case=lambda rng: _forward_case("several steps", rng, *sizes(rng, 4)),
    value_cases=_forward_values,
    reference=reference.gru_forward, solution=lambda *arguments: cells.gru_forward(*arguments)[0],
    mistakes=(
        *(Mistake(name, f"a network {words}", functools.partial(_forward, step=functools.partial(_step, **changes)), section=section)
          for name, words, changes, section in STEP_CHANGES),
        Mistake("reset-before-product", "a network whose reset gate multiplies the old state before the product, (r * H_prev) @ W_hn, as "
                "in the published paper: here and in torch it comes after, r * (H_prev @ W_hn + b_hn)",
                functools.partial(_forward, step=_reset_before), section=VARIANTS),
        Mistake("state-not-carried", "a network whose every step starts from H_0: carry H_t into the next step",
                _carrying(lambda H_t, H_0: H_0), section=STATE),
        Mistake("state-reset", "a network whose state is set to zero after every step: carry H_t into the next step",
                _carrying(lambda H_t, H_0: 0 * H_t), section=STATE),
        Mistake("candidate-carried", "a network that carries the candidate n into the next step: carry H_t", _candidate_carried),
        Mistake("first-sequence's-state", "a network that carries the first sequence's state to all",
                _carrying(lambda H_t, H_0: np.repeat(H_t[:1], len(H_t), axis=0))),
        Mistake("start-left-out", "a network that starts from zeros: start from H_0",
                lambda X, H_0, *weights: _forward(X, 0 * H_0, *weights)),
        Mistake("start-included", "right states with the start before them, T + 1 of them: H_0 is not among the results",
                lambda X, H_0, *weights: np.concatenate([H_0[None], _forward(X, H_0, *weights)])),
        Mistake("one-step-late", "right states one step late, the start among them: H[0] comes after the first input",
                lambda X, H_0, *weights: np.concatenate([H_0[None], _forward(X, H_0, *weights)[:-1]])),
        Mistake("first-input-skipped", "a network that stores H_0 as its first state and never reads X[0]: the first result is the state "
                "after the first input", _first_input_skipped),
        Mistake("input-one-step-late", "a network that reads X[t - 1] at step t; at t = 0 that wraps round to the last input",
                lambda X, *rest: _forward(np.roll(X, 1, axis=0), *rest)),
        Mistake("reversed", "a network that reads from the last step to the first", lambda X, *rest: _forward(X[::-1], *rest)[::-1].copy()),
        Mistake("results-reversed", "right states from the last step to the first", _returning(lambda H: H[::-1].copy())),
        Mistake("last-state-only", "the right state of the last step only: return all of them", _returning(lambda H: H[-1])),
        Mistake("list", "right states in a list: stack them to one array with np.stack", _returning(list)),
        Mistake("last-state-too", "right states, returned with the last one beside them as torch does: return H alone",
                _returning(lambda H: (H, H[-1]))),
        Mistake("batch-first", "right states with the batch before time: keep time first, (T, N, H)",
                _returning(lambda H: np.swapaxes(H, 0, 1).copy())),
        Mistake("batch-for-time", "a network that walks along the batch in place of time, which runs only where T is N or less: the first "
                "axis is time", _batch_for_time),
        Mistake("flows-into-next-sequence", "a network in which the last state of a sequence starts the next one: each sequence of the "
                "batch starts from its own row of H_0", _flows_into_next_sequence),
        Mistake("one-buffer", "a network that keeps one and the same array at every step, so that all show the last state: make a new "
                "array at each step", _returning(lambda H: np.repeat(H[-1:], len(H), axis=0))),
        Mistake("writes-into-H_0", "right states from a network that uses H_0 as its working buffer and so changes the caller's array: "
                "start from a copy", _writes_into_H_0),
        float32_mistake(lambda *arguments: cells.gru_forward(*arguments)[0], tolerance=1e-3),
    ),
)


# --- stacked_forward ---------------------------------------------------------------------------

Layer = tuple[np.ndarray, np.ndarray, np.ndarray]


def _layer(rng: np.random.Generator, D: int, H: int) -> Layer:
    _, _, W_xh, W_hh, b_h = rnn_arguments(rng, 1, 1, D, H).values()
    return W_xh, W_hh, b_h


def _stacked_case(name: str, rng: np.random.Generator, T: int, N: int, widths: list[int], scale: float = 1.0) -> Case:
    """widths: the number of input features, then the number of units in each layer."""
    layers = [_layer(rng, D, H) for D, H in zip(widths, widths[1:])]
    return Case(name, {"X": scale * rng.normal(size=(T, N, widths[0])), "layers": layers})


def _stacked_measure(arguments: dict) -> dict[str, int]:
    """H_1, H_2, ... from the bottom layer upwards; H is the top one's."""
    widths = [len(b_h) for _, _, b_h in arguments["layers"]]
    return {"H": widths[-1], **{f"H_{k}": width for k, width in enumerate(widths, 1)}}


def _stacked_values(rng: np.random.Generator) -> list[Case]:
    T, N, D, H, K = sizes(rng, 5)
    return [
        _stacked_case("one layer, one step (T=1)", rng, 1, N, [D, H]),
        _stacked_case("one layer, several steps", rng, T, N, [D, H]),
        _stacked_case("two layers, one step (T=1)", rng, 1, N, [D, H, H]),
        _stacked_case("two layers, several steps", rng, T, N, [D, H, H]),
        _stacked_case("as many inputs as units (D=H), three layers", rng, T, N, [H, H, H, H]),
        _stacked_case("three layers of different widths", rng, T, N, [D, H, K, H + K]),
        _stacked_case("a top layer narrower than the others, one sequence (N=1)", rng, T, 1, [D, H, K, 1]),
        _stacked_case("as many steps as sequences, inputs and units (T=N=D=H)", rng, H, H, [H, H, H]),
        _stacked_case("large inputs, where the first tanh saturates", rng, T, N, [D, H, K], scale=20.0),
        _stacked_case("four layers, many steps (T=40)", rng, 40, N, [D, H, H, H, H]),
    ]


def _read(X: np.ndarray, layer: Layer, start: np.ndarray | None = None, step: Callable = cells.rnn_step) -> np.ndarray:
    """All states of one layer, from zeros unless a start is given."""
    H_t = np.zeros((X.shape[1], len(layer[2]))) if start is None else start
    states = []
    for X_t in X:
        H_t = step(X_t, H_t, *layer)
        states.append(H_t)
    return np.stack(states)


def _all_layers(X, layers, read: Callable = _read) -> list[np.ndarray]:
    """All states of all layers, the bottom one first."""
    found = []
    for layer in layers:
        X = read(X, layer)
        found.append(X)
    return found


def _stack(X, layers, read: Callable = _read):
    found = _all_layers(X, layers, read)
    return found[-1], [states[-1] for states in found]


def _stack_returning(change: Callable) -> Callable:
    """The right states of all layers, returned as `change(list of (T, N, H))`."""
    return lambda X, layers: change(_all_layers(X, layers))


def _stack_of(choose: Callable) -> Callable:
    """A right stack of other layers: `choose(layers)`."""
    return lambda X, layers: _stack(X, choose(layers))


def _layers_side_by_side(X, layers):
    found = [_read(X, layer) for layer in layers]
    return found[-1], [states[-1] for states in found]


def _first_width_for_all(X, layers):
    return _stack(X, layers, lambda X, layer: _read(X, layer, np.zeros((X.shape[1], len(layers[0][2])))))


def _start_of_layer_below(X, layers):
    last_states, state = [], None
    for layer in layers:
        X = _read(X, layer, state)
        state = X[-1]
        last_states.append(state)
    return X, last_states


def _last_state_as_input(X, layers):
    T, last_states = len(X), []
    for layer in layers:
        states = _read(X, layer)
        last_states.append(states[-1])
        X = np.repeat(states[-1:], T, axis=0)
    return states, last_states


def _step_by_step(X, layers, *, below=lambda new, old: new, shared=False):
    """Step by step through all layers, but for what a layer reads from the one below, or one state that all layers share."""
    states = [np.zeros((X.shape[1], len(b_h))) for _, _, b_h in layers]
    top, H_t = [], states[0]
    for X_t in X:
        old = list(states)
        for k, layer in enumerate(layers):
            inputs = X_t if k == 0 else below(states[k - 1], old[k - 1])
            states[k] = H_t = cells.rnn_step(inputs, H_t if shared else states[k], *layer)
        top.append(states[-1])
    return np.stack(top), states


def _residual(X, layers):
    found = []
    for layer in layers:
        states = _read(X, layer)
        X = X + states
        found.append(states)
    return X, [states[-1] for states in found]


def _layers_emptied(X, layers):
    last_states = []
    while layers:
        X = _read(X, layers.pop(0))
        last_states.append(X[-1])
    return X, last_states


def _linear_top(X, layers):
    found = _all_layers(X, layers[:-1])
    found.append(_read(found[-1] if found else X, layers[-1], step=lambda X_t, H_t, W_xh, W_hh, b_h: X_t @ W_xh + H_t @ W_hh + b_h))
    return found[-1], [states[-1] for states in found]


def _stack_with(step: Callable) -> Callable:
    """The stack with another step in every layer."""
    return functools.partial(_stack, read=functools.partial(_read, step=step))


def _each_sequence_after_another(X, layer):
    """Time and batch exchanged."""
    return np.swapaxes(_read(np.swapaxes(X, 0, 1), layer), 0, 1)


STACKED_TASK = Task(
    name="stacked_forward", assignment=ASSIGNMENT, points=4, section=STACKED,
    arguments={"X": ("T", "N", "D"), "layers": None},
    outputs=(Output("H", "array", ("T", "N", "H")), Output("last_states", "list", items=(Output("last_state", "array", ("N", "H_k")),))),
    form_case=lambda rng: _stacked_case("two layers", rng, *(s := sizes(rng, 4))[:2], [s[2], s[3], s[3]]),
    value_cases=_stacked_values, measure=_stacked_measure,
    reference=reference.stacked_forward, solution=_stack,
    mistakes=(
        Mistake("layers-side-by-side", "a network whose layers all read X, which runs only where they fit: the states of a layer are the "
                "inputs of the next", _layers_side_by_side),
        Mistake("last-layer-only", "a network of the last layer alone, on X, which runs only where it fits: go through all layers",
                _stack_of(lambda layers: layers[-1:])),
        Mistake("first-layer-only", "a network of the first layer alone: go through all layers", _stack_of(lambda layers: layers[:1])),
        Mistake("layers-reversed", "a network that goes through the layers from the last to the first: layers[0] reads X",
                _stack_of(lambda layers: layers[::-1])),
        Mistake("first-weights-everywhere", "a network that uses the first layer's weights in every layer",
                _stack_of(lambda layers: [layers[0]] * len(layers))),
        Mistake("last-layer-left-out", "a network that stops one layer short", _stack_of(lambda layers: layers[:-1] or layers)),
        Mistake("start-of-layer-below", "a network in which a layer starts from the last state of the layer below it: every layer starts "
                "from zeros", _start_of_layer_below),
        Mistake("one-state-for-all-layers", "a network that goes step by step and keeps one state for all layers: each layer has its own",
                functools.partial(_step_by_step, shared=True)),
        Mistake("one-step-late-at-each-layer", "a network in which a layer reads the state that the layer below had one step before: at "
                "step t it reads the new one", functools.partial(_step_by_step, below=lambda new, old: old)),
        Mistake("bottom-states-returned", "a network that returns the states of the first layer as H: return those of the top one",
                _stack_returning(lambda found: (found[0], [states[-1] for states in found]))),
        Mistake("last-state-as-input", "a network in which a layer reads the last state of the layer below at every step: it reads the "
                "state of the same step", _last_state_as_input),
        Mistake("residual", "a network that adds a layer's input to its states, which runs only where D = H: here only the states go up",
                _residual),
        Mistake("all-layers-joined", "right states of all layers side by side as H: return the top layer's",
                _stack_returning(lambda found: (np.concatenate(found, axis=-1), [states[-1] for states in found]))),
        Mistake("all-states-returned", "right states whose list holds all states of each layer: only the last of each, (N, H)",
                _stack_returning(lambda found: (found[-1], found))),
        Mistake("first-states-returned", "right states whose list holds the first state of each layer: the last one, states[-1]",
                _stack_returning(lambda found: (found[-1], [states[0] for states in found]))),
        Mistake("last-sequence-returned", "right states whose list holds all states of the last sequence, states[:, -1]: the last step of "
                "all sequences, states[-1]", _stack_returning(lambda found: (found[-1], [states[:, -1] for states in found]))),
        Mistake("top-last-state-only", "right states whose list holds the top layer's last state only: one of each layer",
                _stack_returning(lambda found: (found[-1], [found[-1][-1]]))),
        Mistake("top-last-state-alone", "right states with the top layer's last state alone, which is no list: return a list with one of "
                "each layer", _stack_returning(lambda found: (found[-1], found[-1][-1]))),
        Mistake("top-last-state-everywhere", "right states whose list shows the top layer's last state for every layer, as when one array "
                "is overwritten and appended again and again", _stack_returning(lambda found: (found[-1], [found[-1][-1]] * len(found)))),
        Mistake("top-first", "right states whose list begins with the top layer: the bottom one comes first",
                _stack_returning(lambda found: (found[-1], [states[-1] for states in found][::-1]))),
        Mistake("top-left-out", "right states whose list lacks the top layer's last state",
                _stack_returning(lambda found: (found[-1], [states[-1] for states in found[:-1]]))),
        Mistake("start-states-too", "right states whose list begins with a start state: one last state of each layer, no more",
                _stack_returning(lambda found: (found[-1], [0 * found[0][-1], *(states[-1] for states in found)]))),
        Mistake("last-states-as-array", "right states with the last states as one array, as torch's h_n: return a list, since layers may "
                "differ in width", _stack_returning(lambda found: (found[-1], np.stack([states[-1] for states in found])))),
        Mistake("last-states-joined", "right states with the last states joined to one array: return a list",
                _stack_returning(lambda found: (found[-1], np.concatenate([states[-1] for states in found], axis=-1)))),
        Mistake("last-states-with-time", "right states whose list holds arrays (1, N, H), as states[-1:] gives: (N, H), states[-1]",
                _stack_returning(lambda found: (found[-1], [states[-1:] for states in found]))),
        Mistake("last-states-unpacked", "right states, returned as (H, first, second, ...): return a pair, H and one list",
                _stack_returning(lambda found: (found[-1], *(states[-1] for states in found)))),
        Mistake("swapped", "right states with the list before H", _stack_returning(lambda found: ([s[-1] for s in found], found[-1]))),
        Mistake("H-only", "right states without the list of last states: return both", _stack_returning(lambda found: found[-1])),
        Mistake("top-last-state-as-H", "right last states, but H of the last step only: return the top layer's states of all steps",
                _stack_returning(lambda found: (found[-1][-1], [states[-1] for states in found]))),
        Mistake("H-as-list", "right states with H as a list of steps: stack them to one array",
                _stack_returning(lambda found: (list(found[-1]), [states[-1] for states in found]))),
        Mistake("batch-first", "right states with the batch before time: keep time first, (T, N, H)",
                _stack_returning(lambda found: (np.swapaxes(found[-1], 0, 1).copy(), [states[-1] for states in found]))),
        Mistake("layers-emptied", "right states from a loop that takes the layers out of the caller's list, as layers.pop(0) does: go "
                "through it with for", _layers_emptied),
        Mistake("batch-for-time", "a network that walks along the batch in place of time: the first axis is time",
                functools.partial(_stack, read=_each_sequence_after_another), section=STATE),
        Mistake("state-not-carried", "a network whose layers set their state to zero before every step: each layer carries its own on",
                _stack_with(lambda X_t, H_t, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + b_h)), section=STATE),
        Mistake("backwards", "a network that reads the sequence from its end", lambda X, layers: (
            lambda H, last_states: (H[::-1].copy(), last_states))(*_stack(X[::-1], layers)), section=STATE),
        Mistake("first-width-for-all", "a network whose start states all have the first layer's width: each layer has its own, len(b_h)",
                _first_width_for_all),
        Mistake("start-of-ones", "a network whose layers start from ones: every layer starts from zeros", functools.partial(
            _stack, read=lambda X, layer: _read(X, layer, np.ones((X.shape[1], len(layer[2])))))),
        Mistake("bias-left-out", "a network whose biases are left out",
                _stack_with(lambda X_t, H_t, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_t @ W_hh)), section=EQUATIONS),
        Mistake("W_hh-transposed", "a network with W_hh transposed: H_t @ W_hh, not H_t @ W_hh.T",
                _stack_with(lambda X_t, H_t, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_t @ W_hh.T + b_h)), section=EQUATIONS),
        Mistake("tanh-left-out", "a network without the tanh",
                _stack_with(lambda X_t, H_t, W_xh, W_hh, b_h: X_t @ W_xh + H_t @ W_hh + b_h), section=EQUATIONS),
        Mistake("linear-top", "a network whose top layer has no tanh: it is a layer like the others", _linear_top, section=EQUATIONS),
        float32_mistake(_stack, tolerance=1e-5),
    ),
)


# --- bidirectional_forward ---------------------------------------------------------------------


def _both_case(name: str, rng: np.random.Generator, T: int, D: int, H: int, lengths: list[int], padding: float = 0.0, scale: float = 1.0,
               silent: str = "") -> Case:
    """padding: what X holds there at most, 0 for zeros. silent: the direction whose weights are all zero."""
    lengths = np.array(lengths)
    real = np.arange(T)[:, None] < lengths
    X = scale * rng.normal(size=(T, len(lengths), D))
    X[~real] = padding * rng.uniform(-1, 1, size=(T, len(lengths), D))[~real]
    arguments = {"X": X, "lengths": lengths, "forward": _layer(rng, D, H), "backward": _layer(rng, D, H)}
    if silent:
        arguments[silent] = tuple(np.zeros_like(weights) for weights in arguments[silent])
    return Case(name, arguments)


def _lengths(rng: np.random.Generator, N: int, longest: int) -> list[int]:
    """Lengths of N sequences in no order, the shortest ones first: a batch sorted by length hides mistakes."""
    return [*map(int, rng.permutation([1, 2])), longest, *map(int, rng.integers(1, longest, size=N - 3))]


def _both_values(rng: np.random.Generator) -> list[Case]:
    D, H = sizes(rng, 2)
    T, N = int(rng.integers(6, 9)), int(rng.integers(3, 6))
    mixed = functools.partial(_lengths, rng, N)
    return [
        _both_case("the forward direction alone, no padding (the backward weights are zero)", rng, T, D, H, [T] * N, silent="backward"),
        _both_case("the backward direction alone, no padding (the forward weights are zero)", rng, T, D, H, [T] * N, silent="forward"),
        _both_case("both directions, no padding", rng, T, D, H, [T] * N),
        _both_case("one step, one sequence (T=1, N=1)", rng, 1, D, H, [1]),
        _both_case("one sequence with padding behind it", rng, T, D, H, [T - 3]),
        _both_case("several sequences of different lengths", rng, T, D, H, mixed(T)),
        _both_case("padding that holds other numbers", rng, T, D, H, mixed(T), padding=99.0),
        _both_case("no sequence as long as the array", rng, T, D, H, mixed(T - 2), padding=1.0),
        _both_case("every sequence of one step", rng, T, D, H, [1] * N, padding=1.0),
        _both_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, T, H, H, _lengths(rng, T, T), padding=1.0),
        _both_case("large inputs, where tanh saturates", rng, T, D, H, mixed(T), padding=99.0, scale=20.0),
        _both_case("many steps (T=40)", rng, 40, D, H, _lengths(rng, N, 40), padding=1.0),
    ]


def _real(T: int, lengths: np.ndarray) -> np.ndarray:
    """(T, N): True at real tokens."""
    return np.arange(T)[:, None] < lengths


def _reverse_each(X, lengths):
    """Each sequence backwards within its length; padding stays where it is."""
    steps = np.arange(len(X))[:, None]
    return X[np.where(steps < lengths, lengths - 1 - steps, steps), np.arange(X.shape[1])]


def _right(X, lengths, layer):
    return _read(X, layer)


def _left(X, lengths, layer):
    return _reverse_each(_read(_reverse_each(X, lengths), layer), lengths)


def _join(right, left, lengths):
    return np.concatenate([right, left], axis=-1) * _real(len(right), lengths)[..., None]


def _both(X, lengths, forward, backward, *, right=_right, left=_left, join=_join):
    """Right, but for what is passed: states of one direction `right(X, lengths, layer)`, or how the two are joined."""
    return join(right(X, lengths, forward), left(X, lengths, backward), lengths)


def _both_with(**changes) -> Callable:
    return functools.partial(_both, **changes)


def _both_returning(change: Callable) -> Callable:
    """The right states, returned as `change(states, lengths)`."""
    return lambda X, lengths, forward, backward: change(_both(X, lengths, forward, backward), lengths)


def _both_of(step: Callable) -> Callable:
    """Both directions with another step."""
    read = functools.partial(_read, step=step)
    return _both_with(right=lambda X, lengths, layer: read(X, layer),
                      left=lambda X, lengths, layer: _reverse_each(read(_reverse_each(X, lengths), layer), lengths))


def _whole_array_reversed(X, lengths, layer):
    return _read(X[::-1], layer)[::-1]


def _reversed_from_the_longest(X, lengths, layer):
    states = np.zeros((*X.shape[:2], len(layer[2])))
    states[: lengths.max()] = _read(X[: lengths.max()][::-1], layer)[::-1]
    return states


def _padding_zeroed_but_read(X, lengths, layer):
    return _whole_array_reversed(X * _real(len(X), lengths)[..., None], lengths, layer)


def _first_token_skipped(X, lengths, layer):
    states = _left(X, lengths, layer)
    states[0] = 0
    return states


def _last_token_skipped(X, lengths, layer):
    states = np.zeros((*X.shape[:2], len(layer[2])))
    for n, length in enumerate(lengths):
        if length > 1:
            states[: length - 1, n] = _read(X[: length - 1, n : n + 1][::-1], layer)[::-1, 0]
    return states


def _starts_from_forward_end(X, lengths, forward, backward):
    right = _read(X, forward)
    start = right[lengths - 1, np.arange(len(lengths))]
    return _join(right, _reverse_each(_read(_reverse_each(X, lengths), backward, start), lengths), lengths)


def _each_starts_from_the_one_before(X, lengths, forward, backward):
    """One state over all sequences: what ended one starts the next."""
    H = np.zeros((*X.shape[:2], 2 * len(forward[2])))
    right = left = np.zeros((1, len(forward[2])))
    for n, length in enumerate(lengths):
        one = X[:length, n : n + 1]
        rights, lefts = _read(one, forward, right), _read(one[::-1], backward, left)
        right, left = rights[-1], lefts[-1]
        H[:length, n] = np.concatenate([rights, lefts[::-1]], axis=-1)[:, 0]
    return H


def _mask_off_by(k: int) -> Callable:
    return _both_with(join=lambda right, left, lengths: _join(right, left, lengths + k))


def _holds_the_last_state(right, left, lengths):
    """The forward half goes on showing a sequence's last state."""
    steps = np.minimum(np.arange(len(right))[:, None], lengths - 1)
    return np.concatenate([right[steps, np.arange(len(lengths))], left * _real(len(left), lengths)[..., None]], axis=-1)


def _sorted_by_length(states, lengths):
    return states[:, np.argsort(-lengths, kind="stable")]


def _padding_of_X_zeroed(X, lengths, forward, backward):
    X[~_real(len(X), lengths)] = 0
    return _both(X, lengths, forward, backward)


def _reversed_inside_X(X, lengths, forward, backward):
    right = _read(X, forward)
    for n, length in enumerate(lengths):
        X[:length, n] = X[:length, n][::-1].copy()
    return _join(right, _reverse_each(_read(X, backward), lengths), lengths)


BOTH_TASK = Task(
    name="bidirectional_forward", assignment=ASSIGNMENT, points=4, section=BOTH,
    arguments={"X": ("T", "N", "D"), "lengths": ("N",), "forward": None, "backward": None},
    outputs=(Output("H", "array", ("T", "N", "2H")),),
    form_case=lambda rng: _both_case("several sequences of different lengths", rng, 6, *sizes(rng, 2), [6, 2, 4], padding=1.0),
    value_cases=_both_values, measure=lambda arguments: {"H": len(arguments["forward"][2])},
    reference=reference.bidirectional_forward, solution=_both,
    mistakes=(
        Mistake("padding-read-first", "a network whose backward direction begins with the padding, as X[::-1] does: turn each sequence "
                "round within its own length", _both_with(left=_whole_array_reversed)),
        Mistake("longest-read-first", "a network whose backward direction starts at the longest sequence's last step for all: each starts "
                "at its own", _both_with(left=_reversed_from_the_longest)),
        Mistake("padding-zeroed-but-read", "a network whose backward direction begins with padding that was set to zero: the bias moves "
                "the state there, too, so begin at the sequence's own last step", _both_with(left=_padding_zeroed_but_read)),
        Mistake("padding-read-and-kept", "a network whose backward direction begins with the padding, and whose states there are not zero",
                _both_with(left=_whole_array_reversed, join=lambda right, left, lengths: np.concatenate([right, left], axis=-1))),
        Mistake("padding-not-zeroed", "states that are right on every sequence and go on into the padding: from lengths[n] on they are "
                "zero",
                _both_with(join=lambda right, left, lengths: np.concatenate([right, left], axis=-1)), section=PADDING),
        Mistake("forward-padding-not-zeroed", "states whose forward half goes on into the padding: both halves are zero from lengths[n] on",
                _both_with(join=lambda right, left, lengths: np.concatenate(
                    [right, left * _real(len(left), lengths)[..., None]], axis=-1)), section=PADDING),
        Mistake("only-inputs-zeroed", "a network whose inputs are set to zero in the padding, and not its states: the bias moves them on",
                lambda X, lengths, forward, backward: np.concatenate(
                    [_read(X * _real(len(X), lengths)[..., None], forward),
                     _left(X * _real(len(X), lengths)[..., None], lengths, backward)], axis=-1), section=PADDING),
        Mistake("last-state-held", "states whose forward half repeats a sequence's last state in the padding: zero from lengths[n] on",
                _both_with(join=_holds_the_last_state), section=PADDING),
        Mistake("zero-one-too-late", "states that are zero from lengths[n] + 1 on: the last real step is lengths[n] - 1", _mask_off_by(1),
                section=PADDING),
        Mistake("zero-one-too-early", "states that are zero from lengths[n] - 1 on, which is the last real step", _mask_off_by(-1),
                section=PADDING),
        Mistake("one-padding-read", "a network whose backward direction starts at step lengths[n], one too far: in code the last token is "
                "X[lengths[n] - 1, n]", _both_with(left=lambda X, lengths, layer: _left(X, np.minimum(lengths + 1, len(X)), layer))),
        Mistake("last-token-skipped", "a network whose backward direction starts one step too early and never reads the last token, "
                "X[lengths[n] - 1, n]", _both_with(left=_last_token_skipped)),
        Mistake("first-token-skipped", "a network whose backward direction stops before the first token, as range(length - 1, 0, -1) does: "
                "its last step is 0", _both_with(left=_first_token_skipped)),
        Mistake("not-turned-back", "a network whose backward states are left in the order in which they were read: turn them round again, "
                "so that both halves belong to the same token", _both_with(
                    left=lambda X, lengths, layer: _read(_reverse_each(X, lengths), layer))),
        Mistake("both-forwards", "a network whose second direction reads forwards, too", _both_with(left=_right)),
        Mistake("both-backwards", "a network whose first direction reads backwards, too", _both_with(right=_left)),
        Mistake("halves-swapped", "states with the backward half first: [forward, backward]",
                _both_with(join=lambda right, left, lengths: _join(left, right, lengths))),
        Mistake("weights-swapped", "a network that reads forwards with the backward weights and backwards with the forward ones",
                lambda X, lengths, forward, backward: _both(X, lengths, backward, forward)),
        Mistake("forward-weights-twice", "a network that uses the forward weights in both directions",
                lambda X, lengths, forward, backward: _both(X, lengths, forward, forward)),
        Mistake("backward-reads-states", "a network whose backward direction reads the forward states, which runs only where D = H: both "
                "read X",
                lambda X, lengths, forward, backward: _join(
                    _read(X, forward), _left(_read(X, forward), lengths, backward), lengths)),
        Mistake("starts-from-forward-end", "a network whose backward direction starts from the last forward state: both start from zero",
                _starts_from_forward_end),
        Mistake("flows-into-next-sequence", "a network in which the last state of a sequence starts the next one: every sequence starts "
                "from zero", _each_starts_from_the_one_before, section=STATE),
        Mistake("added", "the two directions added: put them side by side, (T, N, 2H)",
                _both_with(join=lambda right, left, lengths: (right + left) * _real(len(right), lengths)[..., None])),
        Mistake("joined-in-time", "the two directions one after the other in time: put them side by side along the last axis",
                _both_with(join=lambda right, left, lengths: np.concatenate(
                    np.split(_join(right, left, lengths), 2, axis=-1), axis=0))),
        Mistake("stacked", "the two directions along an axis of their own: put them side by side along the last axis, (T, N, 2H)",
                _both_with(join=lambda right, left, lengths: np.stack(np.split(_join(right, left, lengths), 2, axis=-1)))),
        Mistake("a-pair", "the two directions as a pair: join them with np.concatenate along the last axis",
                _both_returning(lambda states, lengths: tuple(np.split(states, 2, axis=-1)))),
        Mistake("interleaved", "the two directions unit by unit in turn: first all of forward, then all of backward",
                _both_returning(lambda states, lengths: np.stack(np.split(states, 2, axis=-1), axis=-1).reshape(states.shape))),
        Mistake("forward-only", "the forward direction alone",
                _both_returning(lambda states, lengths: np.split(states, 2, axis=-1)[0].copy())),
        Mistake("sorted-by-length", "right states with the longest sequence first: put them back into the order in which they came",
                _both_returning(_sorted_by_length), section=PACKED),
        Mistake("cut-at-the-longest", "right states, cut off after the longest sequence, as torch's unpacking does: keep all T steps of "
                "the array",
                _both_returning(lambda states, lengths: states[: lengths.max()]), section=PACKED),
        Mistake("as-list", "right states as a list of steps: stack them to one array",
                _both_returning(lambda states, lengths: list(states))),
        Mistake("batch-first", "right states with the batch before time: keep time first, (T, N, 2H)",
                _both_returning(lambda states, lengths: np.swapaxes(states, 0, 1).copy())),
        Mistake("padding-of-X-zeroed", "right states from a network that sets the padding to zero in the caller's X: work on a copy",
                _padding_of_X_zeroed),
        Mistake("reversed-inside-X", "right states from a network that turns the sequences round in the caller's X: work on a copy",
                _reversed_inside_X),
        Mistake("state-not-carried", "a network that sets its state to zero before every step",
                _both_of(lambda X_t, H_t, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + b_h)), section=STATE),
        Mistake("bias-left-out", "a network whose biases are left out",
                _both_of(lambda X_t, H_t, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_t @ W_hh)), section=EQUATIONS),
        Mistake("W_hh-transposed", "a network with W_hh transposed: H_t @ W_hh, not H_t @ W_hh.T",
                _both_of(lambda X_t, H_t, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_t @ W_hh.T + b_h)), section=EQUATIONS),
        Mistake("tanh-left-out", "a network without the tanh",
                _both_of(lambda X_t, H_t, W_xh, W_hh, b_h: X_t @ W_xh + H_t @ W_hh + b_h), section=EQUATIONS),
        float32_mistake(_both, tolerance=1e-5),
    ),
)


# --- masked_cross_entropy ----------------------------------------------------------------------


def _loss_case(name: str, rng: np.random.Generator, T: int, V: int, lengths: list[int], padding: Callable | None = None) -> Case:
    """padding: the logits there, made from those that were drawn, `(tokens, V)`, and the targets, `(tokens,)`."""
    lengths = np.array(lengths)
    logits, Y = 2 * rng.normal(size=(T, len(lengths), V)), rng.integers(0, V, size=(T, len(lengths)))
    if padding:
        outside = ~_real(T, lengths)
        logits[outside] = padding(logits[outside], Y[outside])
    return Case(name, {"logits": logits, "Y": Y, "lengths": lengths})


def _with_logits(case: Case, change: Callable) -> Case:
    """The case with the logits `change(logits, one-hot rows of Y)`."""
    logits, Y, lengths = case.arguments.values()
    return Case(case.name, {"logits": change(logits, np.eye(logits.shape[-1])[Y]), "Y": Y, "lengths": lengths})


def _loss_values(rng: np.random.Generator) -> list[Case]:
    V = sizes(rng, 1)[0]
    T, N = int(rng.integers(6, 9)), int(rng.integers(3, 6))
    mixed = functools.partial(_lengths, rng, N)
    gaps = np.linspace(10, 45, T * N).reshape(T, N, 1)  # probabilities from 1e-4 down to 1e-19
    sizes_apart = np.where(np.arange(N) % 2, 900.0, -900.0)[:, None]
    return [
        _loss_case("one token (T=1, N=1)", rng, 1, V, [1]),
        _loss_case("several sequences without padding", rng, T, V, [T] * N),
        _loss_case("one sequence with padding behind it", rng, T, V, [T - 3]),
        _loss_case("several sequences of different lengths", rng, T, V, mixed(T)),
        _loss_case("no sequence as long as the array", rng, T, V, mixed(T - 2)),
        _loss_case("as many steps as sequences and tokens (T=N=V)", rng, T, T, _lengths(rng, T, T)),
        _loss_case("padding whose targets are very unlikely", rng, T, V, mixed(T), lambda logits, Y: logits - 900 * np.eye(V)[Y]),
        _with_logits(_loss_case("large logits, where exp alone overflows", rng, T, V, mixed(T)), lambda logits, rows: logits + 1000.0),
        _with_logits(_loss_case("very unlikely tokens", rng, T, V, mixed(T)), lambda logits, rows: logits - gaps * rows),
        _with_logits(_loss_case("tokens so unlikely that their probability underflows to 0", rng, T, V, mixed(T)),
                     lambda logits, rows: logits - 900 * rows),
        _with_logits(_loss_case("logits of different size from sequence to sequence", rng, T, V, mixed(T)),
                     lambda logits, rows: logits + sizes_apart),
        _loss_case("padding whose logits are infinite", rng, T, V, mixed(T), lambda logits, Y: np.full_like(logits, -np.inf)),
    ]


def _nats(logits, Y):
    """(T, N): the loss at each place of the array."""
    with np.errstate(all="ignore"):
        return -np.take_along_axis(metrics.log_softmax(logits), Y[..., None], axis=-1)[..., 0]


def _masked(logits, Y, lengths, *, nats=_nats, real=_real, mean=lambda nats, real: nats[real].mean()):
    """Right, but for other losses `(T, N)`, another mask `real(T, lengths)`, or another mean over the two."""
    with np.errstate(all="ignore"):
        return float(mean(nats(logits, Y), real(len(Y), lengths)))


def _masked_with(**changes) -> Callable:
    return functools.partial(_masked, **changes)


def _from_probs(loss: Callable, axis: int | tuple[int, ...] = -1) -> Callable:
    """The masked mean of `loss(probability of the token that came)`, from a softmax over the axis."""

    def nats(logits, Y):
        with np.errstate(all="ignore"):
            exponentials = np.exp(logits - logits.max(axis=axis, keepdims=True))
            probs = exponentials / exponentials.sum(axis=axis, keepdims=True)
            return loss(np.take_along_axis(probs, Y[..., None], axis=-1)[..., 0])

    return _masked_with(nats=nats)


def _from_exponentials(shift: Callable) -> Callable:
    """Losses from exp(logits - shift(logits)) over its sum."""

    def nats(logits, Y):
        with np.errstate(all="ignore"):
            exponentials = np.exp(logits - shift(logits))
            probs = exponentials / exponentials.sum(axis=-1, keepdims=True)
            return -np.log(np.take_along_axis(probs, Y[..., None], axis=-1)[..., 0])

    return _masked_with(nats=nats)


def _logits_zeroed(logits, Y, lengths):
    zeroed_logits = np.where(_real(len(Y), lengths)[..., None], logits, 0)
    return float(_nats(zeroed_logits, Y).mean())


def _targets_zeroed(logits, Y, lengths):
    return float(_nats(logits, Y * _real(len(Y), lengths)).mean())


def _padding_by_id(logits, Y, lengths):
    return _masked(logits, Y, lengths, real=lambda T, lengths: Y != 0)


def _maximum_taken_from_logits(logits, Y, lengths):
    with np.errstate(all="ignore"):
        logits -= logits.max(axis=-1, keepdims=True)
    return _masked(logits, Y, lengths)


def _padding_of_logits_zeroed(logits, Y, lengths):
    logits[~_real(len(Y), lengths)] = 0
    return _masked(logits, Y, lengths)


# Means over losses that are 0 in the padding: name, the sentence after “a ”, and the mean of these losses and the mask, (T, N) each.
WRONG_MEANS: tuple[tuple[str, str, Callable], ...] = (
    ("divided-by-all-places", "sum over the real tokens that is divided by T * N: divide by the number of real tokens, lengths.sum()",
     lambda nats, real: nats.sum() / nats.size),
    ("divided-by-longest", "sum over the real tokens that is divided by N times the longest length: divide by the number of real tokens, "
     "lengths.sum()", lambda nats, real: nats.sum() / (real.sum(axis=0).max() * real.shape[1])),
    ("mean-of-sequence-means", "mean of the sequences' own means, in which a token of a short sequence counts for more: one mean over all "
     "real tokens together", lambda nats, real: (nats.sum(axis=0) / real.sum(axis=0)).mean()),
    ("mean-of-step-means", "mean of the steps' own means, in which a token of a long sequence counts for more: one mean over all real "
     "tokens together", lambda nats, real: (nats.sum(axis=1) / real.sum(axis=1))[real.any(axis=1)].mean()),
    ("mean-of-all-step-means", "mean over T steps of each step's own mean, in which steps that no sequence reaches count as 0: one mean "
     "over all real tokens together", lambda nats, real: (nats.sum(axis=1) / np.maximum(real.sum(axis=1), 1)).mean()),
    ("sum", "sum over the real tokens: divide by their number", lambda nats, real: nats.sum()),
    ("divided-by-N", "sum over the real tokens that is divided by N: divide by the number of real tokens, lengths.sum()",
     lambda nats, real: nats.sum() / nats.shape[1]),
    ("divided-by-T", "sum over the real tokens that is divided by T: divide by the number of real tokens, lengths.sum()",
     lambda nats, real: nats.sum() / nats.shape[0]),
    ("mask-one-too-few", "mean that leaves out the last token of each sequence: real are the steps t < lengths[n], counted from 0",
     lambda nats, real: (nats[:-1] * real[1:]).sum() / real[1:].sum()),
)  # fmt: skip


def _wrong_mean(mean: Callable, pick: Callable) -> Callable:
    """`mean` over the losses that `pick(real, nats, 0)` leaves: by np.where, or by a product, where an infinite one spoils it."""
    return _masked_with(mean=lambda nats, real: mean(pick(real, nats, 0), real))


MASKED_TASK = Task(
    name="masked_cross_entropy", assignment=ASSIGNMENT, points=3, section=PADDING,
    arguments={"logits": ("T", "N", "V"), "Y": ("T", "N"), "lengths": ("N",)},
    outputs=(Output("loss", "float"),),
    form_case=lambda rng: _loss_case("several sequences of different lengths", rng, 6, sizes(rng, 1)[0], [6, 2, 4]),
    value_cases=_loss_values,
    reference=reference.masked_cross_entropy, solution=_masked,
    mistakes=(
        Mistake("padding-counted", "a mean over all places of the array: padding is no prediction, so leave it out",
                _masked_with(mean=lambda nats, real: nats.mean())),
        *(Mistake(f"{name}{by}", f"a {words}{also}", _wrong_mean(mean, pick)) for name, words, mean in WRONG_MEANS
          for by, also, pick in (
              ("", "", np.where),
              ("-by-factor", "; besides, it multiplies the padding by 0, and 0 * inf is not a number", lambda real, nats, _: nats * real))),
        Mistake("mask-as-factor", "a mean that multiplies the padding's losses by 0, where an infinite one gives 0 * inf, not a number: "
                "pick the real tokens, losses[mask], or use np.where",
                _masked_with(mean=lambda nats, real: (nats * real).sum() / real.sum())),
        Mistake("mask-one-too-many", "a mean that counts one token of padding in each sequence: real are the steps t < lengths[n], counted "
                "from 0", _masked_with(real=lambda T, lengths: _real(T, lengths + 1))),
        Mistake("mask-inverted", "a mean over the padding alone: the real tokens are those before lengths[n]",
                _masked_with(mean=lambda nats, real: nats[~real].mean())),
        Mistake("mask-transposed", "a mask (N, T), which runs only where T = N: time is the first axis, np.arange(T)[:, None] < lengths",
                _masked_with(real=lambda T, lengths: _real(T, lengths).T)),
        Mistake("padding-by-id", "a loss that takes every target with the id 0 for padding: 0 may be a real token and padding may hold any "
                "id; what is real is said by lengths", _padding_by_id),
        Mistake("logits-zeroed", "a mean over all places with the padding's logits set to 0: that is a uniform guess, and it costs log(V)",
                _logits_zeroed),
        Mistake("targets-zeroed", "a mean over all places with the padding's targets set to 0: 0 is a token like any other",
                _targets_zeroed),
        Mistake("last-tokens-only", "a loss of the last real token of each sequence only: all real tokens are predicted",
                _masked_with(real=lambda T, lengths: np.arange(T)[:, None] == lengths - 1)),
        Mistake("first-length-for-all", "a mask that gives every sequence the first one's length: lengths[n] is that of sequence n",
                _masked_with(real=lambda T, lengths: _real(T, np.full_like(lengths, lengths[0])))),
        Mistake("shortest-for-all", "a mask that ends with the shortest sequence: each has its own length",
                _masked_with(real=lambda T, lengths: _real(T, np.full_like(lengths, lengths.min())))),
        Mistake("longest-for-all", "a mask that ends with the longest sequence: each has its own length",
                _masked_with(real=lambda T, lengths: _real(T, np.full_like(lengths, lengths.max())))),
        Mistake("tokens", "the losses of all real tokens, not their mean",
                lambda logits, Y, lengths: _nats(logits, Y)[_real(len(Y), lengths)]),
        Mistake("no-minus", "a loss without its minus sign", _masked_with(nats=lambda logits, Y: -_nats(logits, Y)), section=LOSS),
        Mistake("bits", "a loss in bits: use the natural logarithm", _masked_with(nats=lambda logits, Y: _nats(logits, Y) / math.log(2)),
                section=LOSS),
        Mistake("perplexity", "a perplexity, exp of the loss: return the loss itself, in nats",
                lambda *arguments: math.exp(min(_masked(*arguments), 700)), section=LOSS),
        Mistake("no-log", "a mean probability without its logarithm", _from_probs(lambda p: p), section=LOSS),
        Mistake("no-softmax", "a loss on the logits themselves: a softmax turns them into probabilities first", _masked_with(
            nats=lambda logits, Y: -np.take_along_axis(logits, Y[..., None], axis=-1)[..., 0]), section=LOSS),
        Mistake("targets-shifted", "a loss against targets one step further on: Y is already shifted",
                _masked_with(nats=lambda logits, Y: _nats(logits, np.roll(Y, -1, axis=0)))),
        Mistake("best-guess", "a loss of the most likely token in place of the token that came: pick by Y",
                _masked_with(nats=lambda logits, Y: _nats(logits, logits.argmax(axis=-1))), section=LOSS),
        Mistake("softmax-over-time", "a softmax over axis 0, time: it runs over the vocabulary, the last axis",
                _from_probs(lambda p: -np.log(p), axis=0), section=LOSS),
        Mistake("softmax-over-batch", "a softmax over axis 1, the batch: it runs over the vocabulary, the last axis",
                _from_probs(lambda p: -np.log(p), axis=1), section=LOSS),
        Mistake("softmax-over-everything", "a softmax over all axes together: each step and sequence has its own",
                _from_probs(lambda p: -np.log(p), axis=(0, 1, 2)), section=LOSS),
        Mistake("overflow", "a loss that exponentiates the logits as they are: subtract each row's maximum first",
                _from_exponentials(lambda logits: 0), section=LOSS),
        Mistake("global-maximum", "a loss that subtracts one maximum for the whole array: subtract each row's own",
                _from_exponentials(lambda logits: logits.max()), section=LOSS),
        Mistake("log-of-softmax", "a loss that takes the log of a softmax that has underflowed to 0: compute the log-softmax directly, "
                "shifted logits minus the log of the sum", _from_probs(lambda p: -np.log(p)), section=LOSS),
        *(Mistake(f"epsilon-{epsilon:g}", f"a loss with {epsilon:g} added inside the log: compute the log-softmax directly",
                  _from_probs(lambda p, epsilon=epsilon: -np.log(p + epsilon)), section=LOSS)
          for epsilon in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)),
        *(Mistake(f"clipped-{epsilon:g}", f"a loss with probabilities clipped at {epsilon:g}: compute the log-softmax directly",
                  _from_probs(lambda p, epsilon=epsilon: -np.log(np.clip(p, epsilon, 1))), section=LOSS)
          for epsilon in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)),
        Mistake("maximum-taken-from-logits", "a right loss that subtracts the maximum inside the caller's logits: make a new array",
                _maximum_taken_from_logits),
        Mistake("padding-of-logits-zeroed", "a right loss that sets the padding to zero in the caller's logits: make a new array",
                _padding_of_logits_zeroed),
        float32_mistake(_masked, tolerance=1e-5),
    ),
)

TASKS = (STEP_TASK, FORWARD_TASK, STACKED_TASK, BOTH_TASK, MASKED_TASK)
