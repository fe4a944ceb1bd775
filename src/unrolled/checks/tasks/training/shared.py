"""What the tasks of assignment 04-training share: a network to make mistakes with, and updates of it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from .... import cells, metrics
from ....training import clip_by_norm, gradient_norm
from ...task import Mistake, Output, Section

ASSIGNMENT = "04-training"
BACKWARD = Section("recurrence/rnn-scratch", "scratch-backward", "The backward pass")
WINDOWS = Section("recurrence/rnn-scratch", "scratch-windows", "Windows: the state carried, the gradient cut")
CLIPPING = Section("recurrence/rnn-scratch", "scratch-clipping", "Clipping")
TRAINING = Section("recurrence/rnn-scratch", "scratch-training", "Training")
RESETTING = Section("recurrence/rnn-scratch", "scratch-reset", "Resetting the state, measured")
SHAPES = {"W_xh": ("V", "H"), "W_hh": ("H", "H"), "b_h": ("H",), "W_hq": ("H", "V"), "b_q": ("V",)}
PARAMS = Output("params", "dict", items=tuple(Output(name, "array", axes) for name, axes in SHAPES.items()))


def some_params(rng: np.random.Generator, V: int, H: int, sharpness: float = 1.0) -> dict[str, np.ndarray]:
    """Weights of a network that remembers; the larger the sharpness, the surer its predictions."""
    named = {"V": V, "H": H}
    params = {name: rng.normal(size=[named[axis] for axis in axes]) for name, axes in SHAPES.items()}
    return {**params, "W_hh": params["W_hh"] / math.sqrt(H), "b_h": params["b_h"] / 2,
            "W_hq": sharpness * params["W_hq"], "b_q": params["b_q"] / 2}


def logits_of(params: dict[str, np.ndarray], ids: np.ndarray) -> np.ndarray:
    """(T, N, V): what a network that starts from zeros predicts after each of the ids (T, N). A test holds it to torch."""
    W_xh, W_hh, b_h, W_hq, b_q = (params[name] for name in SHAPES)
    inputs = W_xh[ids] + b_h  # (T, N, H)
    H_t, states = np.zeros((ids.shape[1], len(b_h))), []
    for x in inputs:
        H_t = np.tanh(x + H_t @ W_hh)
        states.append(H_t)
    return np.stack(states) @ W_hq + b_q


def perplexity_of(params: dict[str, np.ndarray], ids: np.ndarray) -> float:
    """The perplexity of ids[1:]: the network reads the text from its beginning, each token after those before it."""
    with np.errstate(over="ignore"):  # a network that was trained badly may be infinitely surprised
        return float(np.exp(metrics.cross_entropy(logits_of(params, ids[:-1, None]), ids[1:, None])))


def measure_params(arguments: dict) -> dict[str, int]:
    params = arguments["params"]
    return {"V": len(params["b_q"]), "H": len(params["b_h"])}


def updated(params, X, Y, H_0, lr, theta, *, W_back=None, flows=1.0, frozen=(), clip=clip_by_norm, H_start=None, tokens=None):
    """A right update, but for what is passed: the matrix that gradients flow back through, how much of them flows, weights that stay as
    they are, another clipping, the states before each step in dW_hh, and the number that the loss's gradient is divided by.
    """
    W_xh, W_hh, b_h, W_hq, b_q = (params[name] for name in SHAPES)
    H = cells.rnn_forward(X, H_0, W_xh, W_hh, b_h)
    logits = H @ W_hq + b_q
    dlogits = metrics.cross_entropy_backward(logits, Y) * (Y.size / (tokens or Y.size))
    dH, dW_hq, db_q = cells.output_logits_backward(dlogits, H, W_hq)
    dZ, flowing = np.empty_like(H), np.zeros_like(H_0)
    for t in reversed(range(len(H))):
        dZ[t] = (dH[t] + flowing) * (1 - H[t] ** 2)
        flowing = flows * (dZ[t] @ (W_hh if W_back is None else W_back(W_hh)).T)
    H_prev = cells.previous_states(H, H_0 if H_start is None else H_start(H_0))
    _, dW_xh = cells.input_product_backward(dZ, X, W_xh)
    dW_hh = np.tensordot(H_prev, dZ, ([0, 1], [0, 1]))
    grads = dict(zip(SHAPES, (dW_xh, dW_hh, dZ.sum(axis=(0, 1)), dW_hq, db_q)))
    grads, _ = clip(grads, theta)
    new = {name: w if name in frozen else w - lr * grads[name] for name, w in params.items()}
    return new, H[-1], metrics.cross_entropy(logits, Y)


def window_gradients(params, X, Y, H_0, theta):
    """The clipped gradients, by way of an update of length 1."""
    new, _, _ = updated(params, X, Y, H_0, 1.0, theta)
    return {name: params[name] - new[name] for name in params}


def each_array(grads, theta):
    return {name: g * min(1.0, theta / np.linalg.norm(g)) for name, g in grads.items()}, None


def by_value(grads, theta):
    return {name: np.clip(g, -theta, theta) for name, g in grads.items()}, None


def always(grads, theta):
    return {name: g * theta / gradient_norm(grads) for name, g in grads.items()}, None


def unclipped(grads, theta):
    return grads, None


UPDATE_MISTAKES: dict[str, tuple[str, dict, Section]] = {
    "not-clipped": ("{} without clipping", {"clip": unclipped}, CLIPPING),
    "clipped-by-value": ("{} that clips each entry to the range from -theta to theta: scale all gradients by one factor",
                         {"clip": by_value}, CLIPPING),
    "clipped-each-array": ("{} that clips each array by a norm of its own: one norm over all five gradients",
                           {"clip": each_array}, CLIPPING),
    "always-scaled": ("{} that scales the gradient to the norm theta even where it is smaller", {"clip": always}, CLIPPING),
    "W_hh-not-trained": ("{} that leaves W_hh as it is", {"frozen": ("W_hh",)}, BACKWARD),
    "W_xh-not-trained": ("{} that leaves W_xh as it is", {"frozen": ("W_xh",)}, BACKWARD),
    "b_h-not-trained": ("{} that leaves b_h as it is", {"frozen": ("b_h",)}, BACKWARD),
    "biases-not-trained": ("{} that leaves both biases as they are", {"frozen": ("b_h", "b_q")}, BACKWARD),
    "output-layer-not-trained": ("{} that leaves the output layer, W_hq and b_q, as it is", {"frozen": ("W_hq", "b_q")}, BACKWARD),
    "output-layer-only": ("{} that changes the output layer only", {"frozen": ("W_xh", "W_hh", "b_h")}, BACKWARD),
    "gradient-not-carried": ("{} in which no gradient flows from a step to the one before: add dZ_(t+1) @ W_hh.T to step t's own gradient",
                             {"flows": 0.0}, BACKWARD),
    "W_hh-not-transposed": ("{} that sends the gradient back through W_hh: backward, the matrix is transposed, dZ @ W_hh.T",
                            {"W_back": np.transpose}, BACKWARD),
    "H_0-left-out": ("{} whose dW_hh leaves out the start state: step 1 started from H_0, which is not zero once it is carried",
                     {"H_start": np.zeros_like}, WINDOWS),
}


def update_mistakes(kind: str, function: Callable) -> tuple[Mistake, ...]:
    """What may be wrong with an update, as mistakes of `function(*arguments, **options)`."""
    return tuple(
        Mistake(name, sentence.format(kind), functools.partial(function, **options), section=section)
        for name, (sentence, options, section) in UPDATE_MISTAKES.items()
    )
