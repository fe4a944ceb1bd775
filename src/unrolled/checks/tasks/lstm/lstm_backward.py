"""`lstm_backward`: backpropagation through all steps of an LSTM."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from .... import cells, reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import in_float32, sizes
from .shared import ASSIGNMENT, GATES, WEIGHT_AXES, forward_case, remembering, sum_of_terms, unstable_sigmoid, wide_open

BACKWARD = Section("gates/lstm", "lstm-backward", "The backward pass")


def _backward_case(name: str, rng: np.random.Generator, T: int, N: int, D: int, H: int, loss_at=slice(None), of: Callable = forward_case,
                   **options) -> Case:
    """loss_at: the steps whose state the loss sees; dH is zero at the others. of: what makes the arguments of the forward pass."""
    return _with_loss(name, rng, of(name, rng, T, N, D, H, **options), loss_at)


def _with_loss(name: str, rng: np.random.Generator, case: Case, loss_at=slice(None)) -> Case:
    X, H_0, C_0, *weights = case.arguments.values()
    H, C, _ = cells.lstm_forward(X, H_0, C_0, *weights)
    dH = np.zeros_like(H)
    dH[loss_at] = rng.normal(size=dH[loss_at].shape)
    return Case(name, {"dH": dH, "X": X, "H_0": H_0, "C_0": C_0, "H": H, "C": C, **dict(zip(WEIGHT_AXES, weights))})


def _backward_values(rng: np.random.Generator) -> list[Case]:
    T, N, D, H = sizes(rng, 4)
    overflow = "biases so large that exp overflows"
    return [
        _backward_case("one step (T=1), one sequence, one input, one unit", rng, 1, 1, 1, 1),
        _backward_case("one step (T=1)", rng, 1, N, D, H),
        _backward_case("two steps, loss at the last one", rng, 2, N, D, H, loss_at=-1),
        _backward_case("two steps, loss at both", rng, 2, N, D, H),
        _backward_case("several steps, loss at the last one", rng, T + 2, N, D, H, loss_at=-1),
        _backward_case("several steps, loss at all", rng, T + 2, N, D, H),
        _backward_case("starts of zero", rng, T + 2, N, D, H, zero=("H_0", "C_0")),
        _backward_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, T + 1, T + 1, H, H),
        _backward_case("one sequence (N=1)", rng, T, 1, D, H),
        _backward_case("large inputs, where the gates saturate", rng, T, 8, D, 8, scale=3.0),
        _with_loss(overflow, rng, wide_open(forward_case(overflow, rng, T, N, D, H))),
        _with_loss("a long memory: forget gates near 1 (T=60)", rng, remembering(rng, 60, N, D, H)),
    ]


def _sigmoid_slope(gate):
    return gate * (1 - gate)


def _tanh_slope(value):
    return 1 - value * value


# Each part of one step back, from s: dH and dC (all of it), own_C and later_C (its two terms), later_H, i, f, g, o, C_prev, C_t, tanh_C.
PARTS: dict[str, Callable] = {
    "own_C": lambda s: s["dH"] * s["o"] * _tanh_slope(s["tanh_C"]),
    "i": lambda s: s["dC"] * s["g"] * _sigmoid_slope(s["i"]),
    "f": lambda s: s["dC"] * s["C_prev"] * _sigmoid_slope(s["f"]),
    "g": lambda s: s["dC"] * s["i"] * _tanh_slope(s["g"]),
    "o": lambda s: s["dH"] * s["tanh_C"] * _sigmoid_slope(s["o"]),
    "flow_H": lambda s: s["dZ"] @ s["W_h"].T,
    "flow_C": lambda s: s["dC"] * s["f"],
}  # fmt: skip


def _walk(dH, X, H_0, C_0, H, C, W_x, W_h, b, *, order="ifgo", joined=None, split=lambda Z: np.split(Z, 4, axis=-1), terms=sum_of_terms,
          gate=cells.sigmoid, H_prev=None, C_prev=None, times=reversed, **changed):
    """dZ `(T, N, 4H)`, what flows into the starts, and all that arrives at H_t and C_t, `(T, N, H)` each.

    Right but for what is given: the order in which gates are cut out (and joined again), other states before each step, the order of the
    steps, and other PARTS.
    """
    parts = {**PARTS, **changed}
    H_prev = cells.previous_states(H, H_0) if H_prev is None else H_prev
    C_prev = cells.previous_states(C, C_0) if C_prev is None else C_prev
    Z = terms(X, H_prev, C_prev, W_x, W_h, b)
    gates = {name: np.tanh(z) if name == "g" else gate(z) for name, z in zip(order, split(Z))}
    dZ, arrived_H, arrived_C = np.empty_like(Z), np.empty_like(H), np.empty_like(H)
    later_H, later_C = np.zeros_like(H_0), np.zeros_like(C_0)
    for t in times(range(len(X))):
        s = {"dH": dH[t] + later_H, "own_dH": dH[t], "later_H": later_H, "later_C": later_C, "C_prev": C_prev[t], "C_t": C[t],
             "tanh_C": np.tanh(C[t]), "W_h": W_h, **{name: value[t] for name, value in gates.items()}}  # fmt: skip
        s["own_C"] = parts["own_C"](s)
        s["dC"] = s["own_C"] + later_C
        s["dZ"] = np.concatenate([parts[name](s) for name in joined or order], axis=-1)
        dZ[t], arrived_H[t], arrived_C[t] = s["dZ"], s["dH"], s["dC"]
        later_H, later_C = parts["flow_H"](s), parts["flow_C"](s)
    return dZ, later_H, later_C, arrived_H, arrived_C


def _from_dZ(X, H_prev, W_x, dZ, later_H, later_C):
    """The six results from the gates' gradients."""
    dW_x, dW_h = (np.tensordot(rows, dZ, axes=([0, 1], [0, 1])) for rows in (X, H_prev))
    return dZ @ W_x.T, later_H, later_C, dW_x, dW_h, dZ.sum(axis=(0, 1))


def _backward(dH, X, H_0, C_0, H, C, W_x, W_h, b, **changes):
    """The right results, but for the changes of `_walk`."""
    dZ, later_H, later_C, *_ = _walk(dH, X, H_0, C_0, H, C, W_x, W_h, b, **changes)
    return _from_dZ(X, cells.previous_states(H, H_0), W_x, dZ, later_H, later_C)


def _backward_with(**changes) -> Callable:
    return functools.partial(_backward, **changes)


def _gates_read(states: Callable) -> Callable:
    """Right but for the hidden states from which the gates are computed again: `states(H, H_0)`."""
    return lambda dH, X, H_0, C_0, H, C, *weights: _backward(dH, X, H_0, C_0, H, C, *weights, H_prev=states(H, H_0))


def _dW_h_of(states: Callable) -> Callable:
    """Right but for the hidden states that dW_h is taken from: `states(H, H_0)`."""
    def backward(dH, X, H_0, C_0, H, C, W_x, W_h, b):
        dZ, later_H, later_C, *_ = _walk(dH, X, H_0, C_0, H, C, W_x, W_h, b)
        return _from_dZ(X, states(H, H_0), W_x, dZ, later_H, later_C)

    return backward


def _forgets_of(states: Callable) -> Callable:
    """Right but for the cell states that the forget gate's gradient is taken from: `states(C, C_0)`."""
    return lambda dH, X, H_0, C_0, H, C, *weights: _backward(dH, X, H_0, C_0, H, C, *weights, C_prev=states(C, C_0))


def _results(change: Callable) -> Callable:
    """The right results dX, dH_0, dC_0, dW_x, dW_h, db, as `change(*results)`."""
    return lambda *arguments: change(*_backward(*arguments))


def _weights_over(count: Callable) -> Callable:
    """Right but for gradients of the weights that are divided by `count(T, N)`."""
    def backward(dH, X, *rest):
        *states, dW_x, dW_h, db = _backward(dH, X, *rest)
        by = count(*X.shape[:2])
        return *states, dW_x / by, dW_h / by, db / by

    return backward


def _one_step_of_weights(t: int) -> Callable:
    """Right but for gradients of the weights that come from step t alone."""
    def backward(dH, X, H_0, C_0, H, C, W_x, W_h, b):
        dZ, later_H, later_C, *_ = _walk(dH, X, H_0, C_0, H, C, W_x, W_h, b)
        H_prev = cells.previous_states(H, H_0)
        return dZ @ W_x.T, later_H, later_C, X[t].T @ dZ[t], H_prev[t].T @ dZ[t], dZ[t].sum(axis=0)

    return backward


def _starts_one_step_short(*arguments):
    *_, arrived_H, arrived_C = _walk(*arguments)
    dX, _, _, *weights = _backward(*arguments)
    return dX, arrived_H[0], arrived_C[0], *weights


def _last_loss_only(dH, *rest):
    only = np.zeros_like(dH)
    only[-1] = dH[-1]
    return _backward(only, *rest)


def _bias_by_sequence(*arguments):
    return *_backward(*arguments)[:5], _walk(*arguments)[0].sum(axis=0)


def _into_dH(*arguments):
    results, arrived_H = _backward(*arguments), _walk(*arguments)[3]
    arguments[0][:] = arrived_H
    return results


def _into_C(*arguments):
    results = _backward(*arguments)
    np.tanh(arguments[5], out=arguments[5])
    return results


def _own_loss_into_gates(s, part):
    """A gate's gradient without what arrives along the conveyor."""
    return PARTS[part]({**s, "dC": s["own_C"]})


def _first_state_everywhere(states, start):
    return np.broadcast_to(start, states.shape)


TASK = Task(
    name="lstm_backward", assignment=ASSIGNMENT, points=6, section=BACKWARD,
    arguments={"dH": ("T", "N", "H"), "X": ("T", "N", "D"), "H_0": ("N", "H"), "C_0": ("N", "H"), "H": ("T", "N", "H"), "C": ("T", "N", "H"),
               **WEIGHT_AXES},
    outputs=(Output("dX", "array", ("T", "N", "D"), per_step=True), Output("dH_0", "array", ("N", "H")), Output("dC_0", "array", ("N", "H")),
             Output("dW_x", "array", ("D", "4H")), Output("dW_h", "array", ("H", "4H")), Output("db", "array", ("4H",))),
    form_case=lambda rng: _backward_case("several steps", rng, *sizes(rng, 4)),
    value_cases=_backward_values,
    reference=reference.lstm_backward,
    solution=_backward,
    mistakes=(
        Mistake("conveyor-left-out", "a backward pass in which nothing flows back through C: carry dC_t * f to the step before, and add it "
                "to what comes from H there", _backward_with(flow_C=lambda s: 0 * s["dC"])),
        Mistake("conveyor-only", "a backward pass in which nothing flows back through H: carry dZ_t @ W_h.T to the step before, too",
                _backward_with(flow_H=lambda s: 0 * s["dH"])),
        Mistake("nothing-flows", "a backward pass in which nothing flows from a step to the one before: carry both dZ_t @ W_h.T, to H, and "
                "dC_t * f, to C", _backward_with(flow_H=lambda s: 0 * s["dH"], flow_C=lambda s: 0 * s["dC"])),
        Mistake("conveyor-without-gate", "a backward pass in which dC flows back as it is: on the way it is multiplied by the forget gate",
                _backward_with(flow_C=lambda s: s["dC"])),
        Mistake("conveyor-with-input-gate", "a backward pass in which dC is multiplied by i on the way back: the forget gate f is on the "
                "conveyor", _backward_with(flow_C=lambda s: s["dC"] * s["i"])),
        Mistake("conveyor-forgets-later-part", "a backward pass that sends back along C only what came from H_t: dC_t is the sum of both",
                _backward_with(flow_C=lambda s: s["own_C"] * s["f"])),
        Mistake("gates-without-conveyor", "a backward pass whose gates i, f and g use only the part of dC_t that came from H_t: dC_t is the "
                "sum of both, and all of it reaches the gates",
                _backward_with(**{part: functools.partial(_own_loss_into_gates, part=part) for part in "ifg"})),
        Mistake("output-gate-through-cell", "a backward pass whose output gate uses dC_t: it acts on H_t, so dH_t * tanh(C_t)",
                _backward_with(o=lambda s: s["dC"] * s["tanh_C"] * _sigmoid_slope(s["o"]))),
        Mistake("slope-of-tanh-C-left-out", "a backward pass from H_t to C_t without the slope of the tanh, 1 - tanh(C_t) ** 2",
                _backward_with(own_C=lambda s: s["dH"] * s["o"])),
        Mistake("slope-without-tanh", "a backward pass from H_t to C_t with the slope 1 - C_t ** 2: it is 1 - tanh(C_t) ** 2",
                _backward_with(own_C=lambda s: s["dH"] * s["o"] * (1 - s["C_t"] ** 2))),
        Mistake("slope-of-H", "a backward pass from H_t to C_t with the slope 1 - H_t ** 2: it is 1 - tanh(C_t) ** 2",
                _backward_with(own_C=lambda s: s["dH"] * s["o"] * (1 - (s["o"] * s["tanh_C"]) ** 2))),
        Mistake("output-gate-left-out", "a backward pass from H_t to C_t without the output gate: dH_t * o * (1 - tanh(C_t) ** 2)",
                _backward_with(own_C=lambda s: s["dH"] * _tanh_slope(s["tanh_C"]))),
        Mistake("output-gate-sees-C", "a backward pass whose output gate's gradient has C_t: it is multiplied by tanh(C_t)",
                _backward_with(o=lambda s: s["dH"] * s["C_t"] * _sigmoid_slope(s["o"]))),
        Mistake("output-gate-without-cell", "a backward pass whose output gate's gradient lacks the factor tanh(C_t)",
                _backward_with(o=lambda s: s["dH"] * _sigmoid_slope(s["o"]))),
        Mistake("input-gate-without-candidate", "a backward pass whose input gate's gradient lacks the factor g: it stands in i * g",
                _backward_with(i=lambda s: s["dC"] * _sigmoid_slope(s["i"]))),
        Mistake("candidate-without-input-gate", "a backward pass whose candidate's gradient lacks the factor i: it stands in i * g",
                _backward_with(g=lambda s: s["dC"] * _tanh_slope(s["g"]))),
        Mistake("forget-gate-without-cell", "a backward pass whose forget gate's gradient lacks the factor C_prev: it stands in f * C_prev",
                _backward_with(f=lambda s: s["dC"] * _sigmoid_slope(s["f"]))),
        Mistake("gate-slopes-left-out", "a backward pass without the sigmoid's slopes: i * (1 - i), and so for f and o", _backward_with(
            i=lambda s: s["dC"] * s["g"], f=lambda s: s["dC"] * s["C_prev"], o=lambda s: s["dH"] * s["tanh_C"])),
        Mistake("candidate-slope-left-out", "a backward pass without the slope of the candidate's tanh, 1 - g ** 2",
                _backward_with(g=lambda s: s["dC"] * s["i"])),
        Mistake("all-slopes-left-out", "a backward pass without the slopes of the gates and the candidate: i * (1 - i) for a sigmoid, "
                "1 - g ** 2 for the tanh", _backward_with(
                    i=lambda s: s["dC"] * s["g"], f=lambda s: s["dC"] * s["C_prev"], o=lambda s: s["dH"] * s["tanh_C"],
                    g=lambda s: s["dC"] * s["i"])),
        Mistake("candidate-sigmoid-slope", "a backward pass with the sigmoid's slope for the candidate: g came out of a tanh, 1 - g ** 2",
                _backward_with(g=lambda s: s["dC"] * s["i"] * _sigmoid_slope(s["g"]))),
        Mistake("gates-tanh-slope", "a backward pass with the slope of a tanh for the gates i, f and o: they are sigmoids, i * (1 - i)",
                _backward_with(i=lambda s: s["dC"] * s["g"] * _tanh_slope(s["i"]), f=lambda s: s["dC"] * s["C_prev"] * _tanh_slope(s["f"]),
                               o=lambda s: s["dH"] * s["tanh_C"] * _tanh_slope(s["o"]))),
        Mistake("candidate-slope-not-squared", "a backward pass with the slope 1 - g for the candidate: it is 1 - g ** 2",
                _backward_with(g=lambda s: s["dC"] * s["i"] * (1 - s["g"]))),
        Mistake("sigmoid-again", "a backward pass with the slope of sigmoid(i): i is already what came out of the sigmoid, so i * (1 - i)",
                _backward_with(**{part: (lambda s, part=part: PARTS[part]({**s, part: cells.sigmoid(s[part])})) for part in "ifo"})),
        *(Mistake(f"joined-{order}", "a backward pass that joins the gates' gradients in the order {order}: it is i, f, g, o",
                  _backward_with(joined=order),
                  fills={"order": ", ".join(order)}) for order in ("ifog", "figo", "igfo")),
        *(Mistake(f"order-{order}", "a backward pass with the gates in the order {order}: it is i, f, g, o",
                  _backward_with(order=order), section=GATES,
                  fills={"order": ", ".join(order)}) for order in ("ifog", "figo", "igfo")),
        Mistake("bias-left-out", "a backward pass that leaves the biases out when it computes the gates again", _backward_with(
            terms=lambda X, H_prev, C_prev, W_x, W_h, b: X @ W_x + H_prev @ W_h), section=GATES),
        Mistake("gates-of-new-state", "a backward pass that computes the gates of step t again from H[t]: they read the state before, "
                "H[t - 1], and H_0 at first", _gates_read(lambda H, H_0: H)),
        Mistake("gates-wrap-round", "a backward pass that takes H[t - 1] for the gates also at t = 0, where Python wraps round to the last "
                "state: it is H_0", _gates_read(lambda H, H_0: np.roll(H, 1, axis=0))),
        Mistake("gates-without-H_0", "a backward pass whose first gates are computed without H_0, which need not be zero",
                _gates_read(lambda H, H_0: cells.previous_states(H, 0 * H_0))),
        Mistake("dW_h-of-new-state", "a backward pass that takes dW_h from H[t]: the weights met the state before, H[t - 1], and H_0 at "
                "first", _dW_h_of(lambda H, H_0: H)),
        Mistake("dW_h-wraps-round", "a backward pass that takes dW_h from H[t - 1] also at t = 0, where Python wraps round to the last "
                "state: it is H_0", _dW_h_of(lambda H, H_0: np.roll(H, 1, axis=0))),
        Mistake("dW_h-without-H_0", "a backward pass whose dW_h leaves out the first step, where the state before is H_0",
                _dW_h_of(lambda H, H_0: cells.previous_states(H, 0 * H_0))),
        Mistake("dW_h-of-H_0", "a backward pass whose dW_h uses H_0 at every step: step t started from H[t - 1]",
                _dW_h_of(_first_state_everywhere)),
        Mistake("forgets-new-cell", "a backward pass whose forget gate's gradient has C[t]: the gate multiplied C[t - 1]",
                _forgets_of(lambda C, C_0: C)),
        Mistake("forget-wraps-round", "a backward pass whose forget gate's gradient has C[t - 1] also at t = 0, where Python wraps round to "
                "the last state: it is C_0", _forgets_of(lambda C, C_0: np.roll(C, 1, axis=0))),
        Mistake("forget-without-C_0", "a backward pass whose forget gate has no gradient at the first step: there the cell state before is "
                "C_0", _forgets_of(lambda C, C_0: cells.previous_states(C, 0 * C_0))),
        Mistake("both-wrap-round", "a backward pass that takes H[t - 1] and C[t - 1] also at t = 0, where Python wraps round to the last "
                "states: they are H_0 and C_0", lambda dH, X, H_0, C_0, H, C, W_x, W_h, b: _from_dZ(
                    X, np.roll(H, 1, axis=0), W_x, *_walk(dH, X, H_0, C_0, H, C, W_x, W_h, b, H_prev=np.roll(H, 1, axis=0),
                                                          C_prev=np.roll(C, 1, axis=0))[:3])),
        Mistake("not-accumulated", "a backward pass that keeps the weight gradients of the first step only: they are sums over all steps, "
                "+= and not =", _one_step_of_weights(0)),
        Mistake("last-step's-weights", "a backward pass that keeps the weight gradients of the last step only: they are sums over all steps",
                _one_step_of_weights(-1)),
        Mistake("forward-in-time", "a backward pass that walks from the first step to the last: gradients flow from the last to the first",
                _backward_with(times=iter)),
        Mistake("loss-at-last-step-only", "a backward pass that begins with dH[-1] and never adds the other steps' own dH[t]",
                _last_loss_only),
        Mistake("flowing-piles-up", "a backward pass that adds to what flows back through H in place of replacing it: at each step it is "
                "dZ_t @ W_h.T alone", _backward_with(flow_H=lambda s: s["later_H"] + PARTS["flow_H"](s))),
        Mistake("conveyor-piles-up", "a backward pass that adds dC_t * f to what flows back through C in place of replacing it",
                _backward_with(flow_C=lambda s: s["later_C"] + PARTS["flow_C"](s))),
        Mistake("upstream-one-step-late", "a backward pass that adds dH[t - 1] at step t: each step's own gradient is dH[t]",
                lambda dH, *rest: _backward(np.roll(dH, 1, axis=0), *rest)),
        Mistake("starts-one-step-short", "a backward pass that returns the gradients of H[0] and C[0] as dH_0 and dC_0: one step further "
                "back", _starts_one_step_short),
        Mistake("starts-swapped", "right gradients with dC_0 before dH_0: keep the order of the result", _results(
            lambda dX, dH_0, dC_0, *weights: (dX, dC_0, dH_0, *weights))),
        Mistake("dC_0-zero", "a backward pass that returns zeros for dC_0", _results(
            lambda dX, dH_0, dC_0, *weights: (dX, dH_0, 0 * dC_0, *weights))),
        Mistake("dC_0-left-out", "right gradients without dC_0: the cell's start has one, too", _results(
            lambda dX, dH_0, dC_0, *weights: (dX, dH_0, *weights))),
        Mistake("dX-reversed", "a backward pass whose dX runs from the last step to the first: turn the list round before stacking",
                _results(lambda dX, *others: (dX[::-1].copy(), *others))),
        Mistake("dX-as-list", "right gradients with dX as a list: stack it to one array", _results(lambda dX, *others: (list(dX), *others))),
        Mistake("weights-swapped", "right gradients with dW_h before dW_x: keep the order of the result", _results(
            lambda dX, dH_0, dC_0, dW_x, dW_h, db: (dX, dH_0, dC_0, dW_h, dW_x, db))),
        Mistake("weights-transposed", "right gradients with those of the matrices transposed: each has its matrix's shape", _results(
            lambda dX, dH_0, dC_0, dW_x, dW_h, db: (dX, dH_0, dC_0, dW_x.T, dW_h.T, db))),
        Mistake("mean-over-time", "a backward pass that divides the weight gradients by T: sum over all steps",
                _weights_over(lambda T, N: T)),
        Mistake("mean-over-batch", "a backward pass that divides the weight gradients by N: sum over all sequences",
                _weights_over(lambda T, N: N)),
        Mistake("mean-over-tokens", "a backward pass that divides the weight gradients by T * N: sum over all of them",
                _weights_over(lambda T, N: T * N)),
        Mistake("bias-by-sequence", "a backward pass whose db has a row for each sequence: sum over time and over the sequences",
                _bias_by_sequence),
        Mistake("bias-mean", "a backward pass that averages db over the sequences: sum", _results(
            lambda dX, dH_0, dC_0, dW_x, dW_h, db: (dX, dH_0, dC_0, dW_x, dW_h, db / len(dH_0)))),
        Mistake("into-dH", "right gradients from a backward pass that adds what flows back into dH itself: the caller's array may not change",
                _into_dH),
        Mistake("into-C", "right gradients from a backward pass that puts tanh(C) into C: make a new array", _into_C),
        Mistake("overflow", "a backward pass with exp(z) / (1 + exp(z)) for the sigmoid, which overflows for large z: 1 / (1 + exp(-z)), or by "
                "tanh", _backward_with(gate=unstable_sigmoid), section=GATES),
        Mistake("float32", "a right solution that works in float32 somewhere: keep everything float64", in_float32(_backward),
                tolerance=1e-3),
    ),
)
