"""The six tasks of assignment 02-rnn-forward: a recurrent network's forward pass, loss and size."""

from __future__ import annotations

import math

import numpy as np

from ... import cells, metrics, reference, text
from ..task import Case, Mistake, Output, Section, Task
from .common import float32_mistake, rnn_arguments, sizes, zeroed

ASSIGNMENT = "02-rnn-forward"

ONE_HOT = Section("recurrence/rnn-scratch", "scratch-one-hot", "Letters as one-hot rows")
STEP = Section("recurrence/rnn", "rnn-two-equations", "Two equations")
STATE = Section("recurrence/rnn", "rnn-hidden-state", "A hidden state is not a hidden layer")
FORWARD = Section("recurrence/rnn-scratch", "scratch-forward", "The forward pass")
OUTPUT = Section("recurrence/rnn-scratch", "scratch-output", "From states to predictions")
LOSS = Section("recurrence/rnn-scratch", "scratch-loss", "The loss")
PARAMETERS = Section("recurrence/rnn", "rnn-parameters", "Why parameters don't grow with T")


# --- one_hot -----------------------------------------------------------------------------------


def _one_hot_case(name: str, rng: np.random.Generator, T: int, N: int, V: int) -> Case:
    return Case(name, {"ids": rng.integers(0, V, size=(T, N)), "V": V})


def _one_hot_form(rng: np.random.Generator) -> Case:
    T, N, V = sizes(rng, 3)
    return _one_hot_case("several sequences", rng, T, N, V)


def _one_hot_values(rng: np.random.Generator) -> list[Case]:
    T, N, V = sizes(rng, 3)
    missing = rng.integers(0, V - 1, size=(T, N))
    missing[0, 0] = 0
    return [
        _one_hot_case("one token (T=1, N=1)", rng, 1, 1, V),
        Case("one sequence, every token once", {"ids": rng.permutation(V)[:, None], "V": V}),
        _one_hot_case("several sequences", rng, T, N, V),
        Case("the last token of the vocabulary does not occur", {"ids": missing, "V": V + 1}),
        _one_hot_case("as many steps as sequences and tokens (T=N=V)", rng, V, V, V),
    ]


def _marks_all_sequences(ids, V):
    X = np.zeros((*ids.shape, V))
    for t in range(len(ids)):
        X[t, :, ids[t]] = 1
    return X


def _marks_everything(ids, V):
    X = np.zeros((*ids.shape, V))
    X[..., ids] = 1
    return X


ONE_HOT_TASK = Task(
    name="one_hot", assignment=ASSIGNMENT, points=2, section=ONE_HOT,
    arguments={"ids": ("T", "N"), "V": None},
    outputs=(Output("X", "array", ("T", "N", "V")),),
    form_case=_one_hot_form, value_cases=_one_hot_values,
    reference=reference.one_hot, solution=text.one_hot,
    mistakes=(
        Mistake("off-by-one", "an encoding that counts tokens from 1: id i marks column i - 1, but ids start at 0",
                lambda ids, V: np.eye(V)[ids - 1]),
        Mistake("marks-all-sequences", "an assignment like X[t, :, ids[t]] = 1, which marks each sequence's token in every "
                "sequence's row: pair the sequence index with its own id", _marks_all_sequences),
        Mistake("marks-everything", "an assignment like X[..., ids] = 1, which marks every token of the batch in every row: each row gets "
                "a single 1, at its own id", _marks_everything),
        Mistake("width-from-ids", "an encoding whose width is the largest id + 1: the width is V, also when the last tokens do "
                "not occur", lambda ids, V: np.eye(ids.max() + 1)[ids]),
        Mistake("sequences-first", "an array (N, T, V): time is the first axis",
                lambda ids, V: np.eye(V)[ids.T]),
        Mistake("vocabulary-first", "an array whose first axis is the vocabulary: V is the last axis",
                lambda ids, V: np.moveaxis(np.eye(V)[ids], -1, 0).copy()),
        Mistake("vocabulary-in-the-middle", "an array (T, V, N): V is the last axis",
                lambda ids, V: np.swapaxes(np.eye(V)[ids], 1, 2).copy()),
        Mistake("flattened", "an array (T*N, V): keep the two axes of ids apart",
                lambda ids, V: np.eye(V)[ids.reshape(-1)]),
        Mistake("integers", "a right encoding in an integer dtype: ask for float64 where the array is made",
                lambda ids, V: np.eye(V, dtype=int)[ids]),
        Mistake("booleans", "a right encoding that is a bool array, as from a comparison: convert it to float64",
                lambda ids, V: ids[..., None] == np.arange(V)),
    ),
)


# --- rnn_step ----------------------------------------------------------------------------------


def _step_case(name: str, rng: np.random.Generator, N: int, D: int, H: int, zero=(), scale: float = 1.0) -> Case:
    sequence = rnn_arguments(rng, 1, N, D, H)
    arguments = {"X_t": scale * sequence["X"][0], "H_prev": sequence["H_0"],
                 **{name: sequence[name] for name in ("W_xh", "W_hh", "b_h")}}
    return Case(name, zeroed(arguments, *zero))


def _step_form(rng: np.random.Generator) -> Case:
    return _step_case("all terms", rng, *sizes(rng, 3))


def _step_values(rng: np.random.Generator) -> list[Case]:
    N, D, H = sizes(rng, 3)
    return [
        _step_case("the input term alone (H_prev and b_h are zero)", rng, N, D, H, zero=("H_prev", "b_h")),
        _step_case("the recurrent term alone (X_t and b_h are zero)", rng, N, D, H, zero=("X_t", "b_h")),
        _step_case("the bias alone (X_t and H_prev are zero)", rng, N, D, H, zero=("X_t", "H_prev")),
        _step_case("all terms", rng, N, D, H),
        _step_case("as many inputs as units (D=H)", rng, N, H, H),
        _step_case("one sequence (N=1)", rng, 1, D, H),
        _step_case("large inputs, where tanh saturates", rng, N, D, H, scale=20.0),
    ]


def _step_in_place(X_t, H_prev, W_xh, W_hh, b_h):
    H_prev[:] = cells.rnn_step(X_t, H_prev, W_xh, W_hh, b_h)
    return H_prev


STEP_TASK = Task(
    name="rnn_step", assignment=ASSIGNMENT, points=4, section=STEP,
    arguments={"X_t": ("N", "D"), "H_prev": ("N", "H"), "W_xh": ("D", "H"), "W_hh": ("H", "H"), "b_h": ("H",)},
    outputs=(Output("H_t", "array", ("N", "H")),),
    form_case=_step_form, value_cases=_step_values,
    reference=reference.rnn_step, solution=cells.rnn_step,
    mistakes=(
        Mistake("bias-left-out", "a step whose bias b_h is left out",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_prev @ W_hh)),
        Mistake("bias-twice", "a step that adds the bias twice: torch keeps two biases, this network has one",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + b_h + H_prev @ W_hh + b_h)),
        Mistake("bias-after-tanh", "a step that adds the bias after the tanh: it belongs inside",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_prev @ W_hh) + b_h),
        Mistake("state-left-out", "a step that leaves out the previous state: without H_prev W_hh there is no recurrence",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + b_h), section=STATE),
        Mistake("input-left-out", "a step that leaves out the input term X_t W_xh",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(H_prev @ W_hh + b_h)),
        Mistake("W_hh-transposed", "a step with W_hh transposed: rows times matrices, H_prev @ W_hh, not H_prev @ W_hh.T",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + H_prev @ W_hh.T + b_h)),
        Mistake("W_xh-transposed", "a step with W_xh transposed, which runs only where D = H",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh.T + H_prev @ W_hh + b_h)),
        Mistake("tanh-left-out", "a step without the tanh",
                lambda X_t, H_prev, W_xh, W_hh, b_h: X_t @ W_xh + H_prev @ W_hh + b_h),
        Mistake("tanh-of-each-term", "a step that takes the tanh of each term apart: sum first, then one tanh",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh) + np.tanh(H_prev @ W_hh) + np.tanh(b_h)),
        Mistake("tanh-of-input-and-of-state", "a step that takes one tanh of the input term and another of state and bias: sum first, then "
                "one tanh",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh) + np.tanh(H_prev @ W_hh + b_h)),
        Mistake("stacked-in-another-order", "a step that puts [H_prev, X_t] side by side but W_xh above W_hh: the order must be the same",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(
                    np.concatenate([H_prev, X_t], axis=1) @ np.concatenate([W_xh, W_hh]) + b_h)),
        Mistake("tanh-of-input-only", "a step that puts only the input inside the tanh and adds the recurrent term outside",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + b_h) + H_prev @ W_hh),
        Mistake("sigmoid", "a step with the logistic sigmoid in place of tanh",
                lambda X_t, H_prev, W_xh, W_hh, b_h: cells.sigmoid(X_t @ W_xh + H_prev @ W_hh + b_h)),
        Mistake("relu", "a step with ReLU in place of tanh",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.maximum(X_t @ W_xh + H_prev @ W_hh + b_h, 0)),
        Mistake("residual", "a step that adds the previous state to the new one: H_prev enters through W_hh only",
                lambda X_t, H_prev, W_xh, W_hh, b_h: H_prev + cells.rnn_step(X_t, H_prev, W_xh, W_hh, b_h)),
        Mistake("overwrites-the-state", "a right step that writes its result into H_prev: the caller still needs the old state",
                _step_in_place),
        Mistake("tanh-of-mean", "a step that averages over the batch somewhere: each sequence has its own state",
                lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(X_t @ W_xh + (H_prev @ W_hh).mean(axis=0) + b_h)),
        float32_mistake(cells.rnn_step),
    ),
)


# --- rnn_forward -------------------------------------------------------------------------------


def _forward_case(name: str, rng: np.random.Generator, T: int, N: int, D: int, H: int, zero=(), scale=1.0) -> Case:
    arguments = rnn_arguments(rng, T, N, D, H)
    arguments["X"] *= scale
    return Case(name, zeroed(arguments, *zero))


def _forward_form(rng: np.random.Generator) -> Case:
    return _forward_case("several steps", rng, *sizes(rng, 4))


def _forward_values(rng: np.random.Generator) -> list[Case]:
    T, N, D, H = sizes(rng, 4)
    return [
        _forward_case("one step (T=1)", rng, 1, N, D, H),
        _forward_case("two steps", rng, 2, N, D, H),
        _forward_case("no input: the state alone is carried on (X and b_h are zero)", rng, T, N, D, H, zero=("X", "b_h")),
        _forward_case("several steps", rng, T + 2, N, D, H),
        _forward_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, T + 1, T + 1, H, H),
        _forward_case("one sequence (N=1)", rng, T, 1, D, H),
        _forward_case("large inputs, where tanh saturates", rng, T, N, D, H, scale=20.0),
        _forward_case("many steps (T=60)", rng, 60, N, D, H),
    ]


def _stacked(step, X, state):
    """All states of a loop: `step(x, state)` from the given start."""
    states = []
    for X_t in X:
        state = step(X_t, state)
        states.append(state)
    return np.stack(states)


def _without_carrying(X, H_0, W_xh, W_hh, b_h):
    return np.stack([cells.rnn_step(X_t, H_0, W_xh, W_hh, b_h) for X_t in X])


def _reset_each_step(X, H_0, W_xh, W_hh, b_h):
    return np.tanh(X @ W_xh + b_h)


def _same_buffer(X, H_0, W_xh, W_hh, b_h):
    states, H_t = [], H_0.copy()
    for X_t in X:
        H_t[:] = cells.rnn_step(X_t, H_t, W_xh, W_hh, b_h)
        states.append(H_t)
    return np.stack(states)


def _writes_into_H_0(X, H_0, W_xh, W_hh, b_h):
    H = np.empty((len(X), *H_0.shape))
    for t, X_t in enumerate(X):
        H_0[:] = cells.rnn_step(X_t, H_0, W_xh, W_hh, b_h)
        H[t] = H_0
    return H


def _batch_for_time(X, H_0, W_xh, W_hh, b_h):
    start = np.zeros((X.shape[0], W_hh.shape[0]))
    states = _stacked(lambda x, h: cells.rnn_step(x, h, W_xh, W_hh, b_h), np.swapaxes(X, 0, 1), start)
    return np.swapaxes(states, 0, 1).copy()


def _first_input_skipped(X, H_0, W_xh, W_hh, b_h):
    H = np.empty((len(X), *H_0.shape))
    H[0] = H_0
    for t in range(1, len(X)):
        H[t] = cells.rnn_step(X[t], H[t - 1], W_xh, W_hh, b_h)
    return H


def _flows_into_next_sequence(X, H_0, W_xh, W_hh, b_h):
    H, h = np.empty((*X.shape[:2], W_hh.shape[0])), H_0[0]
    for n in range(X.shape[1]):
        for t in range(len(X)):
            h = H[t, n] = cells.rnn_step(X[t, n], h, W_xh, W_hh, b_h)
    return H


def _carries_before_tanh(X, H_0, W_xh, W_hh, b_h):
    return np.tanh(_stacked(lambda x, z: x @ W_xh + z @ W_hh + b_h, X, H_0))


def _bias_once(X, H_0, W_xh, W_hh, b_h):
    H_0 = cells.rnn_step(X[0], H_0, W_xh, W_hh, b_h)
    rest = cells.rnn_forward(X[1:], H_0, W_xh, W_hh, 0 * b_h) if len(X) > 1 else np.empty((0, *H_0.shape))
    return np.concatenate([H_0[None], rest])


FORWARD_TASK = Task(
    name="rnn_forward", assignment=ASSIGNMENT, points=5, section=FORWARD,
    arguments={"X": ("T", "N", "D"), "H_0": ("N", "H"), "W_xh": ("D", "H"), "W_hh": ("H", "H"), "b_h": ("H",)},
    outputs=(Output("H", "array", ("T", "N", "H")),),
    form_case=_forward_form, value_cases=_forward_values,
    reference=reference.rnn_forward, solution=cells.rnn_forward,
    mistakes=(
        Mistake("state-not-carried", "a network whose state is not carried from step to step: every step starts from H_0",
                _without_carrying, section=STATE),
        Mistake("state-reset", "a network whose state is set to zero before every step", _reset_each_step, section=STATE),
        Mistake("start-state-ignored", "a network that starts from zeros and ignores H_0",
                lambda X, H_0, W_xh, W_hh, b_h: cells.rnn_forward(X, 0 * H_0, W_xh, W_hh, b_h)),
        Mistake("one-step-late", "a network whose states are stored one step late: H_0 comes first and the last state is lost",
                lambda X, H_0, W_xh, W_hh, b_h: np.concatenate(
                    [H_0[None], cells.rnn_forward(X, H_0, W_xh, W_hh, b_h)[:-1]])),
        Mistake("first-input-skipped", "a network that stores H_0 as its first state and never reads X[0]: the first result is the state "
                "after the first input", _first_input_skipped),
        Mistake("flows-into-next-sequence", "a network in which the last state of a sequence starts the next one: each sequence of the "
                "batch starts from its own row of H_0", _flows_into_next_sequence),
        Mistake("start-state-included", "a right network that returns H_0 as well, T + 1 states: H_0 is not among the results",
                lambda X, H_0, W_xh, W_hh, b_h: np.concatenate(
                    [H_0[None], cells.rnn_forward(X, H_0, W_xh, W_hh, b_h)])),
        Mistake("last-state-only", "a right network that returns the last state only: keep the state of every step",
                lambda X, H_0, W_xh, W_hh, b_h: cells.rnn_forward(X, H_0, W_xh, W_hh, b_h)[-1]),
        Mistake("list-not-stacked", "a right network that returns a list of states: stack them to one array with np.stack",
                lambda X, H_0, W_xh, W_hh, b_h: list(cells.rnn_forward(X, H_0, W_xh, W_hh, b_h))),
        Mistake("sequences-first", "a right network that returns (N, T, H): time is the first axis",
                lambda X, H_0, W_xh, W_hh, b_h: np.swapaxes(cells.rnn_forward(X, H_0, W_xh, W_hh, b_h), 0, 1).copy()),
        Mistake("batch-for-time", "a network that walks along axis 1, the batch, and so lets one sequence flow into the next: "
                "time is axis 0", _batch_for_time),
        Mistake("backwards", "a network that reads the sequence from its end",
                lambda X, H_0, W_xh, W_hh, b_h: cells.rnn_forward(X[::-1], H_0, W_xh, W_hh, b_h)[::-1].copy()),
        Mistake("input-one-step-late", "a network that uses X[t-1] for the state of code index t; at t=0 that wraps round to "
                "the last input",
                lambda X, H_0, W_xh, W_hh, b_h: cells.rnn_forward(np.roll(X, 1, axis=0), H_0, W_xh, W_hh, b_h)),
        Mistake("same-buffer", "a list that holds the same array T times: each step overwrote it, so that all entries show the "
                "last state; make a new array at each step", _same_buffer),
        Mistake("writes-into-H_0", "a right network that uses H_0 as its working buffer and so changes the caller's array: start "
                "from a copy", _writes_into_H_0),
        Mistake("W_hh-transposed", "a network with W_hh transposed: H_prev @ W_hh, not H_prev @ W_hh.T",
                lambda X, H_0, W_xh, W_hh, b_h: cells.rnn_forward(X, H_0, W_xh, W_hh.T, b_h), section=STEP),
        Mistake("bias-left-out", "a network whose bias b_h is left out",
                lambda X, H_0, W_xh, W_hh, b_h: cells.rnn_forward(X, H_0, W_xh, W_hh, 0 * b_h), section=STEP),
        Mistake("bias-at-first-step-only", "a network that adds the bias at the first step only: it belongs to every step",
                _bias_once, section=STEP),
        Mistake("tanh-left-out", "a network without the tanh",
                lambda X, H_0, W_xh, W_hh, b_h: _stacked(lambda x, h: x @ W_xh + h @ W_hh + b_h, X, H_0), section=STEP),
        Mistake("carries-before-tanh", "a network that carries on the sum before the tanh: the state is what comes out of the tanh",
                _carries_before_tanh, section=STEP),
        float32_mistake(cells.rnn_forward),
    ),
)


# --- output_logits -----------------------------------------------------------------------------


def _logits_case(name: str, rng: np.random.Generator, T: int, N: int, H: int, V: int, zero=()) -> Case:
    arguments = {
        "H": rng.uniform(-1, 1, size=(T, N, H)),
        "W_hq": rng.normal(size=(H, V)),
        "b_q": rng.normal(size=V),
    }
    return Case(name, zeroed(arguments, *zero))


def _logits_form(rng: np.random.Generator) -> Case:
    return _logits_case("several steps", rng, *sizes(rng, 4))


def _logits_values(rng: np.random.Generator) -> list[Case]:
    T, N, H, V = sizes(rng, 4)
    return [
        _logits_case("the product alone (b_q is zero)", rng, T, N, H, V, zero=("b_q",)),
        _logits_case("the bias alone (H is zero)", rng, T, N, H, V, zero=("H",)),
        _logits_case("several steps", rng, T, N, H, V),
        _logits_case("as many units as tokens (H=V)", rng, T, N, V, V),
        _logits_case("one step, one sequence (T=1, N=1)", rng, 1, 1, H, V),
    ]


OUTPUT_TASK = Task(
    name="output_logits", assignment=ASSIGNMENT, points=2, section=OUTPUT,
    arguments={"H": ("T", "N", "H"), "W_hq": ("H", "V"), "b_q": ("V",)},
    outputs=(Output("logits", "array", ("T", "N", "V")),),
    form_case=_logits_form, value_cases=_logits_values,
    reference=reference.output_logits, solution=cells.output_logits,
    mistakes=(
        Mistake("bias-left-out", "an output layer whose bias b_q is left out", lambda H, W_hq, b_q: H @ W_hq),
        Mistake("bias-twice", "an output layer that adds the bias twice", lambda H, W_hq, b_q: H @ W_hq + 2 * b_q),
        Mistake("softmax", "probabilities: logits are what goes into the softmax, which belongs to the loss",
                lambda H, W_hq, b_q: metrics.softmax(H @ W_hq + b_q), section=LOSS),
        Mistake("log-softmax", "log-probabilities: logits are what goes into the softmax, which belongs to the loss",
                lambda H, W_hq, b_q: metrics.log_softmax(H @ W_hq + b_q), section=LOSS),
        Mistake("tanh", "an output layer with a tanh: logits are not squashed",
                lambda H, W_hq, b_q: np.tanh(H @ W_hq + b_q)),
        Mistake("last-step-only", "an output layer that uses the last state only: every step makes a prediction",
                lambda H, W_hq, b_q: H[-1] @ W_hq + b_q),
        Mistake("last-step-repeated", "an output layer that gives every step the prediction of the last one",
                lambda H, W_hq, b_q: np.repeat((H[-1] @ W_hq + b_q)[None], len(H), axis=0)),
        Mistake("flattened", "an output layer that joins the time and batch axes: keep them apart, (T, N, V)",
                lambda H, W_hq, b_q: H.reshape(-1, H.shape[-1]) @ W_hq + b_q),
        Mistake("W_hq-transposed", "an output layer with W_hq transposed, which runs only where H = V",
                lambda H, W_hq, b_q: H @ W_hq.T + b_q),
        float32_mistake(cells.output_logits),
    ),
)


# --- cross_entropy -----------------------------------------------------------------------------


def _loss_case(name: str, rng: np.random.Generator, T: int, N: int, V: int) -> Case:
    return Case(name, {"logits": 2 * rng.normal(size=(T, N, V)), "Y": rng.integers(0, V, size=(T, N))})


def _loss_form(rng: np.random.Generator) -> Case:
    return _loss_case("several steps and sequences", rng, *sizes(rng, 3))


def _loss_values(rng: np.random.Generator) -> list[Case]:
    T, N, V = sizes(rng, 3)
    unlikely = _loss_case("", rng, T, N, V).arguments
    # Lower the logit of the token that came, from token to token further: probabilities from 1e-4 down to 1e-19.
    gaps = np.linspace(10, 45, T * N).reshape(T, N, 1)
    unlikely["logits"] = unlikely["logits"] - gaps * text.one_hot(unlikely["Y"], V)
    underflow = _loss_case("", rng, T, N, V).arguments
    underflow["logits"] = underflow["logits"] - 900 * text.one_hot(underflow["Y"], V)
    large = _loss_case("", rng, T, N, V).arguments
    large["logits"] = large["logits"] + 1000.0
    apart = _loss_case("", rng, T, N, V).arguments
    apart["logits"] = apart["logits"] + np.where(np.arange(N) % 2, 900.0, -900.0)[:, None]
    return [
        _loss_case("one token (T=1, N=1)", rng, 1, 1, V),
        _loss_case("one step, several sequences (T=1)", rng, 1, N, V),
        _loss_case("one sequence (N=1)", rng, T, 1, V),
        _loss_case("several steps and sequences", rng, T, N, V),
        _loss_case("as many steps as sequences and tokens (T=N=V)", rng, V, V, V),
        Case("large logits, where exp alone overflows", large),
        Case("very unlikely tokens", unlikely),
        Case("tokens so unlikely that their probability underflows to 0", underflow),
        Case("logits of different size from sequence to sequence", apart),
    ]


def _picked(log_probs, Y):
    return np.take_along_axis(log_probs, Y[..., None], axis=-1)[..., 0]


def _unstable(logits, Y):
    exponentials = np.exp(logits)
    return float(-np.log(_picked(exponentials / exponentials.sum(axis=-1, keepdims=True), Y)).mean())


def _global_max(logits, Y):
    exponentials = np.exp(logits - logits.max())
    return float(-np.log(_picked(exponentials / exponentials.sum(axis=-1, keepdims=True), Y)).mean())


def _log_of_softmax(logits, Y):
    return float(-np.log(_picked(metrics.softmax(logits), Y)).mean())


def _softmax_over(axis):
    def loss(logits, Y):
        exponentials = np.exp(logits - logits.max(axis=axis, keepdims=True))
        with np.errstate(all="ignore"):
            return float(-np.log(_picked(exponentials / exponentials.sum(axis=axis, keepdims=True), Y)).mean())

    return loss


def _with_epsilon(epsilon: float):
    return lambda logits, Y: float(-np.log(_picked(metrics.softmax(logits), Y) + epsilon).mean())


def _clipped(epsilon: float):
    return lambda logits, Y: float(-np.log(np.clip(_picked(metrics.softmax(logits), Y), epsilon, 1.0)).mean())


def _maximum_in_sum_only(logits, Y):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_sums = np.log(np.exp(shifted).sum(axis=-1))
    return float((log_sums - _picked(logits, Y)).mean())


def _nats(logits, Y):
    return -_picked(metrics.log_softmax(logits), Y)  # (T, N)


LOSS_TASK = Task(
    name="cross_entropy", assignment=ASSIGNMENT, points=5, section=LOSS,
    arguments={"logits": ("T", "N", "V"), "Y": ("T", "N")},
    outputs=(Output("loss", "float"),),
    form_case=_loss_form, value_cases=_loss_values,
    reference=reference.cross_entropy, solution=metrics.cross_entropy,
    mistakes=(
        Mistake("sum", "a sum over all tokens: take the mean over T and N",
                lambda logits, Y: float(_nats(logits, Y).sum())),
        Mistake("sum-over-time", "a sum over time and a mean over sequences: take the mean over both",
                lambda logits, Y: float(_nats(logits, Y).sum(axis=0).mean())),
        Mistake("sum-over-batch", "a mean over time and a sum over sequences: take the mean over both",
                lambda logits, Y: float(_nats(logits, Y).mean(axis=0).sum())),
        Mistake("mean-over-vocabulary", "a mean over T, N and V: the one-hot rows' zeros must not be counted",
                lambda logits, Y: float(_nats(logits, Y).mean() / logits.shape[-1])),
        Mistake("last-step-only", "a loss of the last step only: every step is predicted",
                lambda logits, Y: float(_nats(logits, Y)[-1].mean())),
        Mistake("no-minus", "a loss without its minus sign", lambda logits, Y: -metrics.cross_entropy(logits, Y)),
        Mistake("bits", "a loss in bits: use the natural logarithm",
                lambda logits, Y: metrics.cross_entropy(logits, Y) / math.log(2)),
        Mistake("perplexity", "a perplexity, exp of the loss: return the loss itself, in nats",
                lambda logits, Y: float(np.exp(metrics.cross_entropy(logits, Y)))),
        Mistake("no-softmax", "a loss on the logits themselves: softmax turns them into probabilities first",
                lambda logits, Y: float(-_picked(logits, Y).mean())),
        Mistake("no-log", "a mean probability without its logarithm",
                lambda logits, Y: float(-_picked(metrics.softmax(logits), Y).mean())),
        Mistake("softmax-over-time", "a softmax over axis 0, time: it runs over the vocabulary, the last axis", _softmax_over(0)),
        Mistake("softmax-over-batch", "a softmax over axis 1, the batch: it runs over the vocabulary, the last axis",
                _softmax_over(1)),
        Mistake("softmax-over-everything", "a softmax over all axes together: each step and sequence has its own",
                _softmax_over((0, 1, 2))),
        Mistake("best-guess", "a loss of the most likely token in place of the token that came: pick by Y",
                lambda logits, Y: metrics.cross_entropy(logits, logits.argmax(axis=-1))),
        Mistake("every-pair", "a mean over every pair of a row and a target, as from log_probs[:, :, Y]: pair each row with its own "
                "target, by np.take_along_axis", lambda logits, Y: float(-metrics.log_softmax(logits)[:, :, Y].mean())),
        Mistake("maximum-in-sum-only", "a log-softmax that subtracts the maximum inside the sum only: subtract it from the logit, too",
                _maximum_in_sum_only),
        Mistake("targets-shifted", "a loss against targets one step further on: Y is already shifted",
                lambda logits, Y: metrics.cross_entropy(logits, np.roll(Y, -1, axis=0))),
        Mistake("overflow", "a loss that exponentiates the logits as they are: subtract each row's maximum first", _unstable),
        Mistake("global-maximum", "a loss that subtracts one maximum for the whole array: subtract each row's own", _global_max),
        Mistake("log-of-softmax", "a loss that takes the log of a softmax that has underflowed to 0: compute the log-softmax "
                "directly, shifted logits minus the log of the sum", _log_of_softmax),
        *(Mistake(f"epsilon-{epsilon:g}", f"a loss with {epsilon:g} added inside the log: compute the log-softmax directly",
                  _with_epsilon(epsilon)) for epsilon in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)),
        *(Mistake(f"clipped-{epsilon:g}", f"a loss with probabilities clipped at {epsilon:g}: compute the log-softmax directly",
                  _clipped(epsilon)) for epsilon in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)),
        Mistake("per-token", "the losses of all tokens, not their mean", lambda logits, Y: _nats(logits, Y)),
        float32_mistake(metrics.cross_entropy),
    ),
)


# --- num_parameters ----------------------------------------------------------------------------


def _size_case(name: str, D: int, H: int, V: int) -> Case:
    return Case(name, {"D": D, "H": H, "V": V})


def _parameters_form(rng: np.random.Generator) -> Case:
    return _size_case("small sizes", *sizes(rng, 3))


def _parameters_values(rng: np.random.Generator) -> list[Case]:
    D, H, V = sizes(rng, 3)
    return [
        _size_case("every size 1", 1, 1, 1),
        _size_case("different sizes", D, H, V),
        _size_case("characters in, characters out (D=V)", 28, int(rng.integers(100, 300)), 28),
        _size_case("a large vocabulary", 300, 512, int(rng.integers(20_000, 90_000))),
    ]


PARAMETERS_TASK = Task(
    name="num_parameters", assignment=ASSIGNMENT, points=2, section=PARAMETERS,
    arguments={"D": None, "H": None, "V": None},
    outputs=(Output("count", "int"),),
    form_case=_parameters_form, value_cases=_parameters_values,
    reference=reference.num_parameters, solution=lambda D, H, V: D * H + H * H + H + H * V + V,
    mistakes=(
        Mistake("no-biases", "a count without the biases b_h and b_q", lambda D, H, V: D * H + H * H + H * V),
        Mistake("no-hidden-bias", "a count without the bias b_h", lambda D, H, V: D * H + H * H + H * V + V),
        Mistake("no-output-bias", "a count without the bias b_q", lambda D, H, V: D * H + H * H + H + H * V),
        Mistake("no-output-layer", "a count without the output layer, W_hq and b_q", lambda D, H, V: D * H + H * H + H),
        Mistake("no-recurrent-weights", "a count without W_hh", lambda D, H, V: D * H + H + H * V + V),
        Mistake("two-biases", "a count with H too many: there is one b_h (torch's nn.RNN keeps two biases), and the state H_0 is no "
                "parameter",
                lambda D, H, V: D * H + H * H + 2 * H + H * V + V),
        Mistake("recurrent-weights-diagonal", "a count with H recurrent weights: W_hh connects every unit with every unit, H * H",
                lambda D, H, V: D * H + H + H + H * V + V),
        Mistake("output-bias-of-size-H", "a count with an output bias of size H: b_q has one entry a token, V",
                lambda D, H, V: D * H + H * H + H + H * V + H),
        Mistake("hidden-bias-of-size-D", "a count with a hidden bias of size D: b_h has one entry a unit, H",
                lambda D, H, V: D * H + H * H + D + H * V + V),
        Mistake("V-for-D", "a count with V in place of D: W_xh has a row for each input feature",
                lambda D, H, V: V * H + H * H + H + H * V + V),
        Mistake("D-for-V", "a count with D in place of V: the output layer has a column for each token",
                lambda D, H, V: D * H + H * H + H + H * D + D),
        Mistake("float", "the right count as a float: return a whole number",
                lambda D, H, V: float(D * H + H * H + H + H * V + V)),
    ),
)

TASKS = (ONE_HOT_TASK, STEP_TASK, FORWARD_TASK, OUTPUT_TASK, LOSS_TASK, PARAMETERS_TASK)
