"""The four tasks of assignment 04-training: one update, many updates, the perplexity of a text, and drawing from the model."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from ... import cells, metrics, reference
from ...corpora import ALPHABET, toy_english
from ...reference.torch_arrays import torch_module
from ...text import sequential_batches
from ...training import clip_by_norm, gradient_norm
from ..task import Case, Mistake, Output, Section, Task
from .common import float32_mistake, sizes

ASSIGNMENT = "04-training"

BACKWARD = Section("recurrence/rnn-scratch", "scratch-backward", "The backward pass")
WINDOWS = Section("recurrence/rnn-scratch", "scratch-windows", "Windows: the state carried, the gradient cut")
CLIPPING = Section("recurrence/rnn-scratch", "scratch-clipping", "Clipping")
TRAINING = Section("recurrence/rnn-scratch", "scratch-training", "Training")
RESETTING = Section("recurrence/rnn-scratch", "scratch-reset", "Resetting the state, measured")
DECODING = Section("recurrence/rnn-scratch", "scratch-decoding", "Decoding: making it write")
WARM_UP = Section("recurrence/rnn-scratch", "scratch-warm-up", "Warm-up")
PERPLEXITY = Section("sequences/language-models", "lm-perplexity", "What to call the number")

SHAPES = {"W_xh": ("V", "H"), "W_hh": ("H", "H"), "b_h": ("H",), "W_hq": ("H", "V"), "b_q": ("V",)}
PARAMS = Output("params", "dict", items=tuple(Output(name, "array", axes) for name, axes in SHAPES.items()))


def _params(rng: np.random.Generator, V: int, H: int, sharpness: float = 1.0) -> dict[str, np.ndarray]:
    """Weights of a network that remembers; the larger the sharpness, the surer its predictions."""
    named = {"V": V, "H": H}
    params = {name: rng.normal(size=[named[axis] for axis in axes]) for name, axes in SHAPES.items()}
    return {**params, "W_hh": params["W_hh"] / math.sqrt(H), "b_h": params["b_h"] / 2,
            "W_hq": sharpness * params["W_hq"], "b_q": params["b_q"] / 2}


def _measure(arguments: dict) -> dict[str, int]:
    params = arguments["params"]
    return {"V": len(params["b_q"]), "H": len(params["b_h"])}


# --- A network to make mistakes with -----------------------------------------------------------


def _step(params, X, Y, H_0, lr, theta, *, W_back=None, flows=1.0, frozen=(), clip=clip_by_norm, H_start=None, tokens=None):
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
    dW_hh = np.einsum("tnk,tnh->kh", H_prev, dZ)
    grads = dict(zip(SHAPES, (dW_xh, dW_hh, dZ.sum(axis=(0, 1)), dW_hq, db_q)))
    grads, _ = clip(grads, theta)
    new = {name: w if name in frozen else w - lr * grads[name] for name, w in params.items()}
    return new, H[-1], metrics.cross_entropy(logits, Y)


def _gradients(params, X, Y, H_0, theta):
    """The clipped gradients, by way of an update of length 1."""
    new, _, _ = _step(params, X, Y, H_0, 1.0, theta)
    return {name: params[name] - new[name] for name in params}


def _each_array(grads, theta):
    return {name: g * min(1.0, theta / np.linalg.norm(g)) for name, g in grads.items()}, None


def _by_value(grads, theta):
    return {name: np.clip(g, -theta, theta) for name, g in grads.items()}, None


def _always(grads, theta):
    return {name: g * theta / gradient_norm(grads) for name, g in grads.items()}, None


def _unclipped(grads, theta):
    return grads, None


UPDATE_MISTAKES: dict[str, tuple[str, dict, Section]] = {
    "not-clipped": ("{} without clipping", {"clip": _unclipped}, CLIPPING),
    "clipped-by-value": ("{} that clips each entry to the range from -theta to theta: scale all gradients by one factor",
                         {"clip": _by_value}, CLIPPING),
    "clipped-each-array": ("{} that clips each array by a norm of its own: one norm over all five gradients",
                           {"clip": _each_array}, CLIPPING),
    "always-scaled": ("{} that scales the gradient to the norm theta even where it is smaller", {"clip": _always}, CLIPPING),
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


def _update_mistakes(kind: str, function: Callable) -> tuple[Mistake, ...]:
    """What may be wrong with an update, as mistakes of `function(*arguments, **options)`."""
    return tuple(
        Mistake(name, sentence.format(kind), functools.partial(function, **options), section=section)
        for name, (sentence, options, section) in UPDATE_MISTAKES.items()
    )


# --- train_step --------------------------------------------------------------------------------


def _step_case(name: str, rng: np.random.Generator, T: int, N: int, V: int, H: int, lr: float = 0.5, theta: float = 100.0,
               zero_start: bool = False, sharpness: float = 1.0) -> Case:
    X, Y = rng.integers(0, V, size=(2, T, N))
    H_0 = np.zeros((N, H)) if zero_start else rng.uniform(-1, 1, size=(N, H))
    return Case(name, {"params": _params(rng, V, H, sharpness), "X": X, "Y": Y, "H_0": H_0, "lr": lr, "theta": theta})


def _step_values(rng: np.random.Generator) -> list[Case]:
    T, N, V, H = sizes(rng, 4)
    return [
        _step_case("one step, one sequence (T=1, N=1), a zero start state, nothing to clip", rng, 1, 1, V, H, zero_start=True),
        _step_case("one step, several sequences (T=1), nothing to clip", rng, 1, N, V, H),
        _step_case("two steps, nothing to clip", rng, 2, N, V, H),
        _step_case("several steps, nothing to clip", rng, T + 2, N, V, H),
        _step_case("a gradient that is clipped", rng, T + 2, N, V, H, theta=0.05),
        _step_case("a gradient that is clipped to a norm above that of each array", rng, T, N, V, H, theta=0.5, sharpness=3.0),
        _step_case("another learning rate", rng, T, N, V, H, lr=3.0, theta=0.2),
        _step_case("as many steps as sequences, as many tokens as units (T=N, V=H)", rng, T + 1, T + 1, H, H),
        _step_case("one sequence (N=1)", rng, T, 1, V, H, theta=0.1),
        _step_case("sure and wrong predictions", rng, T, N, V, H, sharpness=30.0, theta=1.0),
        _step_case("logits so large that exp alone overflows", rng, T + 2, N, V, H, sharpness=5000.0, theta=1.0),
        _step_case("many steps (T=40)", rng, 40, N, V, H),
    ]


def _loss_after(params, X, Y, H_0, lr, theta):
    new, H_T, _ = _step(params, X, Y, H_0, lr, theta)
    return new, H_T, _step(new, X, Y, H_0, lr, theta)[2]


def _state_after(params, X, Y, H_0, lr, theta):
    new, _, loss = _step(params, X, Y, H_0, lr, theta)
    return new, _step(new, X, Y, H_0, lr, theta)[1], loss


def _in_place(params, X, Y, H_0, lr, theta):
    new, H_T, loss = _step(params, X, Y, H_0, lr, theta)
    for name in params:
        params[name] -= params[name] - new[name]
    return params, H_T, loss


def _moved(move: Callable) -> Callable:
    """The update with `move(w, gradient, lr)` in place of w - lr * gradient."""

    def step(params, X, Y, H_0, lr, theta):
        _, H_T, loss = _step(params, X, Y, H_0, lr, theta)
        grads = _gradients(params, X, Y, H_0, theta)
        return {name: move(params[name], grads[name], lr) for name in params}, H_T, loss

    return step


def _result(change: Callable) -> Callable:
    """The right update with its results passed through `change(params, H_T, loss, N)`."""
    return lambda params, X, *rest: change(*_step(params, X, *rest), X.shape)


def _clips_the_update(params, X, Y, H_0, lr, theta):
    return _step(params, X, Y, H_0, lr, theta / lr)


def _all_states(params, X, Y, H_0, lr, theta):
    new, _, loss = _step(params, X, Y, H_0, lr, theta)
    return new, cells.rnn_forward(X, H_0, params["W_xh"], params["W_hh"], params["b_h"]), loss


def _start_ignored(params, X, Y, H_0, lr, theta):
    return _step(params, X, Y, 0 * H_0, lr, theta)


def _inputs_predicted(params, X, Y, H_0, lr, theta):
    return _step(params, X, X, H_0, lr, theta)


STEP_TASK = Task(
    name="train_step", assignment=ASSIGNMENT, points=6, section=TRAINING,
    arguments={"params": None, "X": ("T", "N"), "Y": ("T", "N"), "H_0": ("N", "H"), "lr": None, "theta": None},
    outputs=(PARAMS, Output("H_T", "array", ("N", "H")), Output("loss", "float")),
    form_case=lambda rng: _step_case("several steps", rng, *sizes(rng, 4)),
    value_cases=_step_values, measure=_measure,
    reference=reference.train_step, solution=_step,
    mistakes=(
        *_update_mistakes("an update", _step),
        Mistake("uphill", "an update that adds the gradient: subtract it", _moved(lambda w, g, lr: w + lr * g)),
        Mistake("no-learning-rate", "an update of one whole gradient: multiply it by lr", _moved(lambda w, g, lr: w - g)),
        Mistake("divided-by-lr", "an update that divides the gradient by lr", _moved(lambda w, g, lr: w - g / lr)),
        Mistake("weights-scaled", "an update that multiplies the weights with the gradient: w - lr * gradient",
                _moved(lambda w, g, lr: w - lr * g * w)),
        Mistake("no-update", "an update that returns the parameters as they were", _moved(lambda w, g, lr: w)),
        Mistake("gradients", "the gradients in place of the new parameters", _moved(lambda w, g, lr: g)),
        Mistake("gradient-of-sum", "an update by the gradient of the summed loss: the loss is a mean over T * N tokens",
                functools.partial(_step, tokens=1)),
        Mistake("clips-the-update", "an update whose length lr * gradient is clipped: clip the gradient, then multiply by lr",
                _clips_the_update, section=CLIPPING),
        Mistake("start-ignored", "an update that starts from zeros and ignores H_0", _start_ignored, section=WINDOWS),
        Mistake("inputs-predicted", "an update that takes the inputs X for the targets, too", _inputs_predicted),
        Mistake("loss-after", "an update that returns the loss after it: return the one before", _loss_after),
        Mistake("state-after", "an update that returns the last state of the new network: return that of the network before the update",
                _state_after),
        Mistake("loss-summed", "an update that returns the loss summed over the tokens: it is a mean",
                _result(lambda params, H_T, loss, shape: (params, H_T, loss * shape[0] * shape[1]))),
        Mistake("perplexity", "an update that returns the perplexity: return the loss itself, in nats",
                _result(lambda params, H_T, loss, shape: (params, H_T, math.exp(loss)))),
        Mistake("bits", "an update that returns the loss in bits: use the natural logarithm",
                _result(lambda params, H_T, loss, shape: (params, H_T, loss / math.log(2)))),
        Mistake("start-returned", "an update that returns H_0: return the state after the last step",
                lambda params, X, Y, H_0, lr, theta: (_step(params, X, Y, H_0, lr, theta)[0], H_0, _step(params, X, Y, H_0, lr, theta)[2])),
        Mistake("all-states", "an update that returns the states of all steps: return the last one", _all_states),
        Mistake("another-order", "right results in another order: params, H_T, loss",
                _result(lambda params, H_T, loss, shape: (loss, params, H_T))),
        Mistake("in-place", "a right update that changes the caller's arrays, as by params[name] -= ...: make new ones", _in_place),
        float32_mistake(_step),
    ),
)


# --- train -------------------------------------------------------------------------------------

# The long run: a recipe on which clipping and the carried state matter, and a limit above what right solutions reach.
# benchmarks/train_threshold.py measures both; smaller mistakes are for the cases before it, which compare update by update.
UNITS, SEQUENCES, STEPS, UPDATES, LEARNING_RATE, THETA = 64, 32, 5, 4000, 2.5, 0.2
TRAINING_CHARACTERS, HELD_OUT_CHARACTERS = 400_000, 10_000
LIMIT = 1.15  # held-out perplexity over the best possible one


def toy_ids(text: str) -> np.ndarray:
    """Toy English as ids, in the order of its alphabet."""
    return np.searchsorted(np.array(list(ALPHABET)), np.array(list(text)))


@functools.lru_cache(maxsize=2)
def long_run(seed: int) -> tuple[dict, np.ndarray, float]:
    """Arguments of `train` for the long run, a held-out text, and the best possible perplexity on that text, by its true probabilities.

    When the text ends the batches begin again.
    """
    rng = np.random.default_rng(seed)
    training_seed, held_out_seed = (int(s) for s in rng.integers(0, 2**31, size=2))
    text, held_out = toy_english(TRAINING_CHARACTERS, training_seed), toy_english(HELD_OUT_CHARACTERS, held_out_seed)
    batches = sequential_batches(toy_ids(text.text), SEQUENCES, STEPS)
    named, bound = {"V": len(ALPHABET), "H": UNITS}, 1 / math.sqrt(UNITS)
    params = {
        name: rng.uniform(-bound, bound, [named[a] for a in axes]) if len(axes) == 2 else np.zeros(named[axes[0]])
        for name, axes in SHAPES.items()
    }
    arguments = {
        "params": params, "batches": [batches[i % len(batches)] for i in range(UPDATES)], "H_0": np.zeros((SEQUENCES, UNITS)),
        "lr": LEARNING_RATE, "theta": THETA,
    }
    return arguments, toy_ids(held_out.text), float(np.exp(-held_out.log_probs[1:].mean()))


def _long_case(rng: np.random.Generator) -> Case:
    arguments, held_out, best = long_run(int(rng.integers(0, 2**31)))

    def judge(value, call) -> str | None:
        params, losses = value
        if len(losses) != UPDATES:
            return f"losses has {len(losses)} entries after {UPDATES} updates: return one loss for each."
        if not all(np.isfinite(w).all() for w in params.values()):
            return f"After {UPDATES} updates some weights are no finite numbers any more: is every update clipped?"
        perplexity = reference.evaluate(params, held_out)
        if perplexity <= LIMIT * best:
            return None
        return (
            f"After {UPDATES} updates the perplexity on a text that the network has not seen is {perplexity:.3g}, {perplexity / best:.3g} "
            f"times the best possible one. Right solutions stay below {LIMIT:g} times."
        )

    return Case(f"{UPDATES} updates on toy English: the perplexity on a text not seen", arguments, judge=judge, costly=True)


def _train_case(name: str, rng: np.random.Generator, count: int, theta: float = 100.0, lr: float = 0.5, same: bool = False,
                T: int | None = None, zero_start: bool = False) -> Case:
    length, N, V, H = sizes(rng, 4)
    T = T or length
    batches = [tuple(rng.integers(0, V, size=(2, T, N))) for _ in range(1 if same else count)]
    H_0 = np.zeros((N, H)) if zero_start else rng.uniform(-1, 1, size=(N, H))
    return Case(name, {"params": _params(rng, V, H), "batches": batches * (count if same else 1), "H_0": H_0, "lr": lr, "theta": theta})


def _train_values(rng: np.random.Generator) -> list[Case]:
    return [
        _train_case("one batch, nothing to clip", rng, 1),
        _train_case("two batches, nothing to clip, a zero start state", rng, 2, zero_start=True),
        _train_case("three batches, nothing to clip", rng, 3),
        _train_case("three batches, gradients that are clipped", rng, 3, theta=0.1),
        _train_case("the same batch four times", rng, 4, same=True),
        _train_case("batches of one step (T=1)", rng, 5, theta=0.2, T=1),
        _train_case("ten batches, another learning rate", rng, 10, theta=0.5, lr=0.1),
        _long_case(rng),
    ]


def _train(params, batches, H_0, lr, theta, *, carried=lambda H_T, H_0: H_T, step=_step, **options):
    """Right training, but for another way to carry the state, or another update."""
    losses, state = [], H_0
    for X, Y in batches:
        params, H_T, loss = step(params, X, Y, state, lr, theta, **options)
        state = carried(H_T, H_0)
        losses.append(loss)
    return params, losses


def _losses(change: Callable) -> Callable:
    """Right training with its losses passed through `change`."""

    def train(*arguments):
        params, losses = _train(*arguments)
        return params, change(losses)

    return train


def _from_the_first(params, batches, H_0, lr, theta):
    """Every update starts from the first parameters."""
    losses, state, new = [], H_0, params
    for X, Y in batches:
        new, state, loss = _step(params, X, Y, state, lr, theta)
        losses.append(loss)
    return new, losses


def _train_in_place(params, batches, H_0, lr, theta):
    new, losses = _train(params, batches, H_0, lr, theta)
    for name in params:
        params[name][...] = new[name]
    return params, losses


def _by_mean_gradient(params, batches, H_0, lr, theta):
    """One update at the end, by the mean of all gradients."""
    losses, state, total = [], H_0, {name: 0.0 for name in params}
    for X, Y in batches:
        _, new_state, loss = _step(params, X, Y, state, lr, theta)
        grads = _gradients(params, X, Y, state, theta)
        total, state = {name: total[name] + grads[name] / len(batches) for name in params}, new_state
        losses.append(loss)
    return {name: params[name] - lr * total[name] for name in params}, losses


TRAIN_TASK = Task(
    name="train", assignment=ASSIGNMENT, points=6, section=TRAINING,
    arguments={"params": None, "batches": None, "H_0": ("N", "H"), "lr": None, "theta": None},
    outputs=(PARAMS, Output("losses", "list", items=(Output("loss", "float"),))),
    form_case=lambda rng: _train_case("two batches", rng, 2),
    value_cases=_train_values, measure=_measure,
    reference=reference.train, solution=_train,
    mistakes=(
        *_update_mistakes("training", _train),
        Mistake("state-reset", "training whose state is set to zero at each batch: the state after one batch is where the next one starts",
                functools.partial(_train, carried=lambda H_T, H_0: 0 * H_0), section=RESETTING),
        Mistake("state-not-carried", "training in which each batch starts from H_0: the state after one batch is where the next one starts",
                functools.partial(_train, carried=lambda H_T, H_0: H_0), section=WINDOWS),
        Mistake("start-ignored", "training that starts from zeros and ignores H_0",
                lambda params, batches, H_0, lr, theta: _train(params, batches, 0 * H_0, lr, theta), section=WINDOWS),
        Mistake("parameters-not-carried", "training in which each update starts from the first parameters: it goes on from those of the "
                "update before", _from_the_first),
        Mistake("parameters-returned-unchanged", "training that returns the parameters it was given: return those of the last update",
                lambda params, *rest: (params, _train(params, *rest)[1])),
        Mistake("one-update", "training by a single update with the mean of all gradients: update after each batch", _by_mean_gradient),
        Mistake("first-batch-only", "training that returns after the first batch: is the return inside the loop?",
                lambda params, batches, *rest: _train(params, batches[:1], *rest)),
        Mistake("last-batch-left-out", "training that leaves out the last batch",
                lambda params, batches, *rest: _train(params, batches[:-1], *rest)),
        Mistake("backwards", "training from the last batch to the first",
                lambda params, batches, *rest: _train(params, batches[::-1], *rest)),
        Mistake("twice", "training that goes through the batches twice: once", lambda params, batches, *rest: _train(
            params, batches * 2, *rest)),
        Mistake("uphill", "training that adds the gradient: subtract it",
                lambda params, batches, H_0, lr, theta: _train(params, batches, H_0, -lr, theta)),
        Mistake("decaying-learning-rate", "training with a learning rate that falls from update to update: lr stays as it is",
                lambda params, batches, H_0, lr, theta: _train(
                    params, batches, H_0, lr, theta, step=_decaying())),
        Mistake("mean-loss", "training that returns the mean loss: return a list with the loss of every batch",
                _losses(lambda losses: sum(losses) / len(losses))),
        Mistake("last-loss", "training that returns the last loss: return a list with the loss of every batch",
                _losses(lambda losses: losses[-1])),
        Mistake("losses-summed", "training whose losses add up from batch to batch: return each batch's own",
                _losses(lambda losses: [float(loss) for loss in np.cumsum(losses)])),
        Mistake("losses-array", "right training with the losses as an array: return a list", _losses(np.array)),
        Mistake("losses-in-reverse", "right training with the last loss first: append them in order", _losses(lambda losses: losses[::-1])),
        Mistake("perplexities", "right training with perplexities in place of losses: they are in nats",
                _losses(lambda losses: [math.exp(loss) for loss in losses])),
        Mistake("another-order", "right results in another order: params first", lambda *arguments: _train(*arguments)[::-1]),
        Mistake("losses-left-out", "right training that returns the parameters only", lambda *arguments: _train(*arguments)[0]),
        Mistake("in-place", "right training that changes the caller's parameters: make new ones", _train_in_place),
        float32_mistake(_train),
    ),
)


def _decaying() -> Callable:
    """An update whose learning rate is divided by the number of calls."""
    count = 0

    def step(params, X, Y, state, lr, theta):
        nonlocal count
        count += 1
        return _step(params, X, Y, state, lr / count, theta)

    return step


# --- evaluate ----------------------------------------------------------------------------------


def _evaluate_case(name: str, rng: np.random.Generator, length: int, sharpness: float = 1.0, V: int | None = None, H: int | None = None) -> Case:
    tokens, units = sizes(rng, 2)
    V, H = V or tokens, H or units
    return Case(name, {"params": _params(rng, V, H, sharpness), "ids": rng.integers(0, V, size=length)})


def _evaluate_values(rng: np.random.Generator) -> list[Case]:
    return [
        _evaluate_case("two tokens, one of them predicted", rng, 2),
        _evaluate_case("three tokens", rng, 3),
        _evaluate_case("several tokens", rng, 12),
        _evaluate_case("as many tokens in the vocabulary as units (V=H)", rng, 10, V=5, H=5),
        _evaluate_case("two tokens in the vocabulary (V=2)", rng, 30, V=2),
        _evaluate_case("sure predictions, with large logits", rng, 25, sharpness=6.0),
        _large_logits(rng),
        _evaluate_case("a longer text", rng, 1500),
    ]


def _large_logits(rng: np.random.Generator) -> Case:
    case = _evaluate_case("logits so large that exp alone overflows", rng, 20)
    case.arguments["params"]["b_q"][1:] += 1000.0
    case.arguments["ids"][case.arguments["ids"] == 0] = 1  # a token so unlikely would make the perplexity overflow
    return case


def _token_log_probs(params, ids, X=None, Y=None, H_0=None, log_softmax=metrics.log_softmax):
    """Log-probabilities of ids[1:], `(len(ids) - 1,)`, or for other inputs and targets, or from another start."""
    X, Y = ids[:-1] if X is None else X, ids[1:] if Y is None else Y
    W_xh, W_hh, b_h, W_hq, b_q = (params[name] for name in SHAPES)
    H_0 = np.zeros((1, len(b_h))) if H_0 is None else H_0
    H = cells.rnn_forward(X[:, None], H_0, W_xh, W_hh, b_h)[:, 0]
    return log_softmax(H @ W_hq + b_q)[np.arange(len(Y)), Y]


def _perplexity_of(**changes) -> Callable:
    return lambda params, ids: float(np.exp(-_token_log_probs(params, ids, **changes).mean()))


def _evaluate_with(change: Callable) -> Callable:
    """The right perplexity of a changed network."""
    return lambda params, ids: _perplexity_of()({**params, **change(params)}, ids)


def _of_log_probs(number: Callable) -> Callable:
    """Another number of the right log-probabilities."""
    return lambda params, ids: float(number(_token_log_probs(params, ids)))


def _state_reset(params, ids, every=1):
    parts = [_token_log_probs(params, ids[i : i + every + 1]) for i in range(0, len(ids) - 1, every)]
    return float(np.exp(-np.concatenate(parts).mean()))


def _unstable(logits):
    with np.errstate(all="ignore"):
        return np.log(np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True))


def _softmax_over_time(logits):
    shifted = logits - logits.max(axis=0)
    return shifted - np.log(np.exp(shifted).sum(axis=0))


EVALUATE_TASK = Task(
    name="evaluate", assignment=ASSIGNMENT, points=3, section=PERPLEXITY,
    arguments={"params": None, "ids": ("L",)},
    outputs=(Output("perplexity", "float"),),
    form_case=lambda rng: _evaluate_case("several tokens", rng, 12),
    value_cases=_evaluate_values, measure=_measure,
    reference=reference.evaluate, solution=_perplexity_of(),
    mistakes=(
        Mistake("state-reset", "a perplexity with the state set to zero before each token, or without W_hh: carry the state through the whole "
                "text", _state_reset,
                section=RESETTING),
        Mistake("state-reset-every-10", "a perplexity with the state set to zero every 10 tokens: carry it through the whole text",
                functools.partial(_state_reset, every=10), section=RESETTING),
        Mistake("starts-from-ones", "a perplexity whose state starts from ones: it starts from zero",
                lambda params, ids: _perplexity_of(H_0=np.ones((1, len(params["b_h"]))))(params, ids)),
        Mistake("input-predicted", "a perplexity of ids[:-1], each given itself: the network predicts the next token, so the targets are "
                "ids[1:]", lambda params, ids: _perplexity_of(Y=ids[:-1])(params, ids)),
        Mistake("target-read", "a perplexity of each token given itself, as the network has read it already: predict before reading",
                lambda params, ids: float(np.exp(-_token_log_probs(params, ids, X=ids, Y=ids)[1:].mean()))),
        Mistake("first-token-read-as-zero", "a perplexity that begins with the token 0 in place of ids[0]",
                lambda params, ids: _perplexity_of(X=np.append(0, ids[1:-1]))(params, ids)),
        Mistake("first-token-predicted", "a perplexity that counts the first token as well, given nothing: it is ids[1:] that is predicted",
                lambda params, ids: float(np.exp(-np.append(_token_log_probs(params, ids), [metrics.log_softmax(
                    params["b_q"])[ids[0]]]).mean()))),
        Mistake("last-token-left-out", "a perplexity without the last token", lambda params, ids: (
            _perplexity_of()(params, ids[:-1]) if len(ids) > 2 else math.nan)),
        Mistake("divided-by-all", "a sum over the predicted tokens divided by the length of the text: one token less is predicted",
                lambda params, ids: float(np.exp(-_token_log_probs(params, ids).sum() / len(ids)))),
        Mistake("loss", "the mean loss in nats: perplexity is its exp", _of_log_probs(lambda p: -p.mean())),
        Mistake("no-minus", "exp of the mean log-probability: with a minus sign", _of_log_probs(lambda p: np.exp(p.mean()))),
        Mistake("base-2", "2 to the power of the loss in nats: use exp", _of_log_probs(lambda p: 2 ** -p.mean())),
        Mistake("bits", "the mean loss in bits: perplexity is exp of the loss in nats", _of_log_probs(lambda p: -p.mean() / math.log(2))),
        Mistake("mean-of-inverse", "the mean of 1/p: average the logarithms", _of_log_probs(lambda p: np.exp(-p).mean())),
        Mistake("harmonic-mean", "one over the mean probability: average the logarithms", _of_log_probs(lambda p: 1 / np.exp(p).mean())),
        Mistake("sum", "exp of the summed loss: take the mean", lambda params, ids: float(
            np.exp(np.minimum(-_token_log_probs(params, ids).sum(), 700)))),
        Mistake("last-prediction-only", "a perplexity of the last token alone", _of_log_probs(lambda p: np.exp(-p[-1]))),
        Mistake("overflow", "a softmax that exponentiates the logits as they are: subtract each row's maximum first",
                _perplexity_of(log_softmax=_unstable)),
        Mistake("softmax-over-time", "a softmax over time: it runs over the vocabulary", _perplexity_of(log_softmax=_softmax_over_time)),
        Mistake("backwards", "a perplexity of the text read from its end", lambda params, ids: _perplexity_of()(params, ids[::-1])),
        Mistake("bias-left-out", "a network without b_h", _evaluate_with(lambda p: {"b_h": 0 * p["b_h"]})),
        Mistake("output-bias-left-out", "a network without b_q", _evaluate_with(lambda p: {"b_q": 0 * p["b_q"]})),
        Mistake("W_hh-transposed", "a network with W_hh transposed: H_prev @ W_hh", _evaluate_with(lambda p: {"W_hh": p["W_hh"].T})),
        float32_mistake(_perplexity_of(), tolerance=1e-5),
    ),
)


# --- sample ------------------------------------------------------------------------------------

# Each case makes two statistical tests. Over all cases right draws fail less than once in ten thousand checks: benchmarks/sample_alarms.py
# counts it. Each draw of a case of one token is a call of its own, so more draws would make the check slow.
ALARM = 1e-6       # probability under which a test says no
DRAWS = 600        # about so many ids are drawn for the tests of a case


def _chi_square_tail(statistic: float, freedom: int) -> float:
    """Probability that a chi-square variable is larger than the statistic."""
    torch = torch_module()
    half = torch.tensor([freedom / 2, statistic / 2], dtype=torch.float64)
    return torch.special.gammaincc(half[0], half[1]).item()


def draws_tests(probs: np.ndarray, drawn: np.ndarray) -> list[tuple[float, str]]:
    """Two tests whether ids `(S, L)` were drawn from the distributions `(S, L, V)` that the network gave along the way.

    Their mean log-probability lies within a few standard deviations of what the distributions promise. And the ranks are right: where
    tokens are sorted by falling probability, and a point is drawn in the drawn token's share of the range from 0 to 1, these points are
    uniform. For each: the probability that right draws look so bad or worse, and a sentence on how they look.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(probs)
        information = np.where(probs > 0, probs * logs, 0.0).sum(axis=-1)
        squares = np.where(probs > 0, probs * logs**2, 0.0).sum(axis=-1)
    of_drawn = np.take_along_axis(logs, drawn[..., None], axis=-1)[..., 0]
    spread = math.sqrt(max(float((squares - information**2).sum()), 1e-12))
    deviation = float((of_drawn - information).sum()) / spread  # infinite where an id has probability 0
    order = np.argsort(-probs, axis=-1, kind="stable")
    ranked = np.take_along_axis(probs, order, axis=-1)
    rank = (order == drawn[..., None]).argmax(axis=-1)[..., None]
    share = np.take_along_axis(ranked, rank, axis=-1)[..., 0]
    before = np.take_along_axis(np.cumsum(ranked, axis=-1), rank, axis=-1)[..., 0] - share
    points = before + share * np.random.default_rng(0).random(drawn.shape)
    bins = max(5, min(20, drawn.size // 50))
    counts = np.bincount(np.clip((points * bins).astype(int), 0, bins - 1).ravel(), minlength=bins)
    statistic = float(((counts - drawn.size / bins) ** 2).sum() * bins / drawn.size)
    often = "too often" if deviation > 0 else "too rarely"
    return [
        (
            math.erfc(abs(deviation) / math.sqrt(2)),
            f"Over {drawn.size} drawn ids, likely ones come {often}: their mean log-probability under softmax(logits / temperature) is off by "
            f"{abs(deviation):.3g} standard errors.",
        ),
        (
            _chi_square_tail(statistic, bins - 1),
            f"Over {drawn.size} drawn ids, likely and unlikely ones do not come as often as softmax(logits / temperature) says "
            f"(chi-square {statistic:.0f} for {bins - 1} degrees of freedom).",
        ),
    ]


def draws_problem(probs: np.ndarray, drawn: np.ndarray) -> str | None:
    """The sentence of the first test that right draws would hardly ever fail, or None."""
    return next((sentence for chance, sentence in draws_tests(probs, drawn) if not chance > ALARM), None)


def _sample_judge(arguments: dict) -> Callable:
    V, length, seed = len(arguments["params"]["b_q"]), arguments["length"], arguments["seed"]

    def judge(value, call) -> str | None:
        calls = max(1, DRAWS // length)
        results = [value, *(call({**arguments, "seed": seed + 1 + i}).value for i in range(calls - 1))]
        for i, ids in enumerate(results):
            if problem := _ids_problem(ids, length, V, seed + i):
                return problem
        again = call(arguments).value
        if _ids_problem(again, length, V, seed) or [int(i) for i in again] != [int(i) for i in value]:
            return "The same seed gives other ids at a second call: draw with np.random.default_rng(seed)."
        drawn = np.array([[int(i) for i in ids] for ids in results])
        probs = reference.next_token_probs(arguments["params"], arguments["prefix"], drawn, arguments["temperature"])
        if calls > 1 and (drawn == drawn[0]).all() and np.take_along_axis(probs, drawn[..., None], axis=-1).prod() < ALARM:
            return f"{calls} different seeds give the same ids: draw with np.random.default_rng(seed)."
        return draws_problem(probs, drawn)

    return judge


def _ids_problem(ids: object, length: int, V: int, seed: int) -> str | None:
    """What is wrong with the form of drawn ids; further calls of a judge have not been looked at before."""
    if not isinstance(ids, (list, tuple)) or not all(isinstance(i, (int, np.integer)) for i in ids):
        return f"With seed {seed} the result is no list of whole numbers."
    if len(ids) != length:
        return f"The result has {len(ids)} ids where length is {length}: return what comes after the prefix, without it."
    if not all(0 <= int(i) < V for i in ids):
        return f"The result holds an id outside 0..{V - 1}."
    return None


def _sample_case(name: str, rng: np.random.Generator, prefix: int, length: int, temperature: float, judged: bool = True) -> Case:
    """A network that is not sure what comes after the prefix."""
    V, H, entropy = int(rng.integers(5, 9)), 8, 0.0
    while entropy < 0.8:
        params, ids = _params(rng, V, H, sharpness=1.2), rng.integers(0, V, size=prefix)
        H_T = cells.rnn_forward(ids[:, None], np.zeros((1, H)), params["W_xh"], params["W_hh"], params["b_h"])[-1, 0]
        log_probs = metrics.log_softmax(H_T @ params["W_hq"] + params["b_q"])
        entropy = -float(np.exp(log_probs) @ log_probs)
    arguments = {"params": params, "prefix": ids, "length": length, "temperature": temperature, "seed": int(rng.integers(0, 10**6))}
    return Case(name, arguments, judge=_sample_judge(arguments) if judged else None)


def _sample_values(rng: np.random.Generator) -> list[Case]:
    return [
        _sample_case("one token after a prefix of one", rng, 1, 1, 1.0),
        _sample_case("one token after a prefix of two", rng, 2, 1, 1.0),
        _sample_case("one token after a longer prefix", rng, 9, 1, 1.0),
        _sample_case("two tokens", rng, 3, 2, 1.0),
        _sample_case("many tokens", rng, 1, 100, 1.0),
        _sample_case("a low temperature", rng, 2, 40, 0.5),
        _large_scores(rng),
        _sample_case("a longer prefix, several tokens, temperature 0.8", rng, 7, 5, 0.8),
    ]


def _large_scores(rng: np.random.Generator) -> Case:
    case = _sample_case("a high temperature, with logits so large that exp alone overflows", rng, 2, 40, 2.5)
    case.arguments["params"]["b_q"][1:] += 5000.0
    return case


def _sample(params, prefix, length, temperature, seed, *, change=None, start=None, carried=lambda H_t, warm: H_t,
            scores=lambda logits, temperature: logits / temperature, draw=None, again=False, feed=lambda token, prefix: token):
    """Right draws, but for what is passed: changed weights, what the state is warmed up on, how it is carried, what goes into the softmax,
    how an id is drawn, whether the last token of the prefix is read a second time, and what is fed after a draw.
    """
    params = {**params, **change(params)} if change else params
    W_xh, W_hh, b_h, W_hq, b_q = (params[name] for name in SHAPES)
    rng, drawn = np.random.default_rng(seed), []
    H_t = np.zeros((1, len(b_h)))
    read = prefix if start is None else start(prefix)
    for token in [*read, *([prefix[-1]] if again else [])]:
        H_t = cells.rnn_step(W_xh[token][None], H_t, np.eye(len(b_h)), W_hh, b_h)
    warm = H_t
    while len(drawn) < length:
        probs = metrics.softmax(scores((H_t @ W_hq + b_q)[0], temperature))
        drawn.append(int(rng.choice(len(b_q), p=probs) if draw is None else draw(probs, rng, seed, len(drawn))))
        H_t = cells.rnn_step(W_xh[feed(drawn[-1], prefix)][None], carried(H_t, warm), np.eye(len(b_h)), W_hh, b_h)
    return drawn


def _but(**changes) -> Callable:
    return functools.partial(_sample, **changes)


def _drawn(change: Callable) -> Callable:
    """Right draws passed through `change(ids, arguments)`."""
    return lambda params, prefix, length, temperature, seed: change(_sample(params, prefix, length, temperature, seed), prefix, length)


def _start_over(params, prefix, length, temperature, seed):
    """The state is warmed up on the prefix once more for each draw, without what was drawn."""
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(length):
        drawn += _sample(params, prefix, 1, temperature, int(rng.integers(2**31)))
    return drawn


SAMPLE_TASK = Task(
    name="sample", assignment=ASSIGNMENT, points=5, section=DECODING,
    arguments={"params": None, "prefix": ("P",), "length": None, "temperature": None, "seed": None},
    outputs=(Output("ids", "list", items=(Output("id", "int"),)),),
    form_case=lambda rng: _sample_case("a few tokens", rng, 3, 6, 1.0, judged=False),
    value_cases=_sample_values, measure=_measure,
    reference=reference.sample, solution=_sample,
    mistakes=(
        Mistake("greedy", "the most likely id at each step: draw from the probabilities", _but(
            draw=lambda probs, rng, seed, i: probs.argmax())),
        Mistake("uniform", "ids that are all equally likely: draw from the softmax", _but(
            draw=lambda probs, rng, seed, i: rng.choice(len(probs)))),
        Mistake("temperature-multiplied", "logits times temperature: divide, so that a low temperature makes the likely ids likelier",
                _but(scores=lambda logits, temperature: logits * temperature)),
        Mistake("temperature-ignored", "draws that take no notice of the temperature (dividing probabilities by it and normalising them "
                "again changes nothing)", _but(scores=lambda logits, temperature: logits)),
        Mistake("softmax-twice", "a softmax of a softmax", _but(
            scores=lambda logits, temperature: metrics.softmax(logits / temperature))),
        Mistake("logits-squared", "a softmax of the logits divided by the temperature twice", _but(
            scores=lambda logits, temperature: logits / temperature**2)),
        Mistake("not-warmed-up", "draws from a state of zero, without reading the prefix: read all of it first", _but(
            start=lambda prefix: prefix[:0]), section=WARM_UP),
        Mistake("last-token-only", "a state that was warmed up on the last token of the prefix only: read all of it", _but(
            start=lambda prefix: prefix[-1:]), section=WARM_UP),
        Mistake("first-token-only", "a state that was warmed up on the first token of the prefix only: read all of it", _but(
            start=lambda prefix: prefix[:1]), section=WARM_UP),
        Mistake("last-token-left-out", "a state that was warmed up on the prefix without its last token: that one is read, too, before the "
                "first draw", _but(start=lambda prefix: prefix[:-1]), section=WARM_UP),
        Mistake("last-token-twice", "a state that has read the last token of the prefix twice: the warm-up has read it already", _but(
            again=True), section=WARM_UP),
        Mistake("prefix-reversed", "a state that has read the prefix from its end", _but(start=lambda prefix: prefix[::-1]), section=WARM_UP),
        Mistake("state-not-carried", "draws whose state is zero before each: carry the state from draw to draw", _but(
            carried=lambda H_t, warm: 0 * H_t)),
        Mistake("state-frozen", "draws whose state goes back to that after the prefix each time: carry it from draw to draw", _but(
            carried=lambda H_t, warm: warm)),
        Mistake("drawn-not-read", "draws all from the state after the prefix: each drawn id is read before the next draw", _but(
            carried=lambda H_t, warm: H_t, feed=lambda token, prefix: prefix[-1])),
        Mistake("same-distribution", "draws all from one distribution, that after the prefix: each drawn id is read before the next draw",
                _start_over),
        Mistake("same-draw", "a random generator made anew for each draw, which gives the same number each time: make one before the loop",
                _but(draw=lambda probs, rng, seed, i: np.random.default_rng(seed).choice(len(probs), p=probs))),
        Mistake("prefix-included", "right ids with the prefix before them: return what comes after it",
                _drawn(lambda ids, prefix, length: [*(int(i) for i in prefix), *ids])),
        Mistake("prefix-counted", "the prefix and as many ids as fit into length: length counts the ids after the prefix",
                _drawn(lambda ids, prefix, length: [*(int(i) for i in prefix), *ids][:length])),
        Mistake("last-prefix-token-included", "right ids that begin with the last token of the prefix: return what comes after it",
                _drawn(lambda ids, prefix, length: [int(prefix[-1]), *ids[:-1]])),
        Mistake("one-too-few", "one id too few", _drawn(lambda ids, prefix, length: ids[:-1])),
        Mistake("one-too-many", "one id too many", lambda params, prefix, length, temperature, seed: _sample(
            params, prefix, length + 1, temperature, seed)),
        Mistake("array", "right ids in an array: return a list", _drawn(lambda ids, prefix, length: np.array(ids))),
        Mistake("W_hh-transposed", "a network with W_hh transposed: H_prev @ W_hh", _but(change=lambda p: {"W_hh": p["W_hh"].T})),
        Mistake("bias-left-out", "a network without b_h", _but(change=lambda p: {"b_h": 0 * p["b_h"]})),
        Mistake("output-bias-left-out", "a network without b_q", _but(change=lambda p: {"b_q": 0 * p["b_q"]})),
    ),
)

TASKS = (STEP_TASK, TRAIN_TASK, EVALUATE_TASK, SAMPLE_TASK)
