"""`train`: many updates over a text, the state carried from window to window."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from .... import reference
from ....language import gettext
from ....corpora import ALPHABET, toy_english
from ....text import sequential_batches
from ... import compare
from ...task import Case, Mistake, Output, Task
from ..common import float32_mistake, sizes
from .shared import (
    ASSIGNMENT,
    PARAMS,
    RESETTING,
    SHAPES,
    TRAINING,
    WINDOWS,
    measure_params,
    perplexity_of,
    some_params,
    update_mistakes,
    updated,
    window_gradients,
)

# The long run: a recipe on which clipping, the carried state and the gradient through time matter, and a limit above what right solutions
# reach. benchmarks/train_threshold.py measures both. With more updates wrong training comes nearer to right training, not further from it.
UNITS, SEQUENCES, STEPS, UPDATES, LEARNING_RATE, THETA = 64, 32, 5, 1500, 2.5, 0.2

TRAINING_CHARACTERS, HELD_OUT_CHARACTERS = UPDATES * SEQUENCES * STEPS + 1, 10_000
LIMIT = 1.2  # held-out perplexity over the best possible one
NEAR = 1e-6  # 1500 updates magnify a rounding error some thirty times, to 1e-14: right solutions stay this near to each other


def toy_ids(text: str) -> np.ndarray:
    """Toy English as ids, in the order of its alphabet."""
    return np.searchsorted(np.array(list(ALPHABET)), np.array(list(text)))


@functools.lru_cache(maxsize=2)
def long_run(seed: int) -> tuple[dict, np.ndarray, float]:
    """Arguments of `train` for the long run, a held-out text, and the best possible perplexity on that text, by its true probabilities."""
    rng = np.random.default_rng(seed)
    training_seed, held_out_seed = (int(s) for s in rng.integers(0, 2**31, size=2))
    text, held_out = toy_english(TRAINING_CHARACTERS, training_seed), toy_english(HELD_OUT_CHARACTERS, held_out_seed)
    named, bound = {"V": len(ALPHABET), "H": UNITS}, 1 / math.sqrt(UNITS)
    params = {
        name: rng.uniform(-bound, bound, [named[a] for a in axes]) if len(axes) == 2 else np.zeros(named[axes[0]])
        for name, axes in SHAPES.items()
    }
    arguments = {
        "params": params, "batches": sequential_batches(toy_ids(text.text), SEQUENCES, STEPS), "H_0": np.zeros((SEQUENCES, UNITS)),
        "lr": LEARNING_RATE, "theta": THETA,
    }
    return arguments, toy_ids(held_out.text), float(np.exp(-held_out.log_probs[1:].mean()))


@functools.lru_cache(maxsize=2)
def right_run(seed: int) -> tuple[dict, list[float]]:
    """Where the long run leads: the weights at its end, and the loss of each update. Computed when somebody's perplexity is right."""
    return _train(*long_run(seed)[0].values())


def _way_problem(value: tuple[dict, list], seed: int) -> str | None:
    """What is wrong with weights and losses, however good the perplexity: it might be that of weights which were trained elsewhere."""
    (params, losses), (right_params, right_losses) = value, right_run(seed)
    for i, (loss, right) in enumerate(zip(losses, right_losses, strict=True)):
        if compare.relative_error(loss, right) > NEAR:
            text = gettext(
                "The perplexity after {updates} updates is good, but losses[{place}] is wrong; you returned {value}. It is the loss of that batch by "
                "the weights before its update."
            )
            return text.format(updates=UPDATES, place=i, value=f"{float(loss):.6g}")
    wrong = [name for name in SHAPES if compare.relative_error(params[name], right_params[name]) > NEAR]
    text = gettext("The losses of all {updates} updates are right, but these updates lead to another {name}.")
    return text.format(updates=UPDATES, name=wrong[0]) if wrong else None


def _long_case(rng: np.random.Generator) -> Case:
    seed = int(rng.integers(0, 2**31))
    arguments, held_out, best = long_run(seed)

    def judge(value, call) -> str | None:
        params, losses = value
        if len(losses) != UPDATES:
            text = gettext("losses has {count} entries after {updates} updates: return one loss for each.")
            return text.format(count=len(losses), updates=UPDATES)
        if not all(np.isfinite(w).all() for w in params.values()):
            text = gettext("After {updates} updates some weights are no finite numbers any more: is every update clipped?")
            return text.format(updates=UPDATES)
        perplexity = perplexity_of(params, held_out)
        if perplexity <= LIMIT * best:
            return _way_problem(value, seed)
        text = gettext(
            "After {updates} updates the perplexity on a text that the network has not seen is {perplexity}, {times} times the best possible one. "
            "Right solutions stay below {limit} times."
        )
        return text.format(updates=UPDATES, perplexity=f"{perplexity:.3g}", times=f"{perplexity / best:.3g}", limit=f"{LIMIT:g}")

    return Case(f"{UPDATES} updates on toy English: the perplexity on a text not seen", arguments, judge=judge, costly=True)


def _train_case(name: str, rng: np.random.Generator, count: int, theta: float = 100.0, lr: float = 0.5, same: bool = False,
                T: int | None = None, zero_start: bool = False) -> Case:
    length, N, V, H = sizes(rng, 4)
    T = T or length
    batches = [tuple(rng.integers(0, V, size=(2, T, N))) for _ in range(1 if same else count)]
    H_0 = np.zeros((N, H)) if zero_start else rng.uniform(-1, 1, size=(N, H))
    return Case(name, {"params": some_params(rng, V, H), "batches": batches * (count if same else 1), "H_0": H_0, "lr": lr, "theta": theta})


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


def _train(params, batches, H_0, lr, theta, *, carried=lambda H_T, H_0: H_T, step=updated, **options):
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
        new, state, loss = updated(params, X, Y, state, lr, theta)
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
        _, new_state, loss = updated(params, X, Y, state, lr, theta)
        grads = window_gradients(params, X, Y, state, theta)
        total, state = {name: total[name] + grads[name] / len(batches) for name in params}, new_state
        losses.append(loss)
    return {name: params[name] - lr * total[name] for name in params}, losses


TASK = Task(
    name="train", assignment=ASSIGNMENT, points=6, section=TRAINING, uses=("train_step",),
    arguments={"params": None, "batches": None, "H_0": ("N", "H"), "lr": None, "theta": None},
    outputs=(PARAMS, Output("losses", "list", items=(Output("loss", "float"),))),
    form_case=lambda rng: _train_case("two batches", rng, 2),
    value_cases=_train_values, measure=measure_params,
    reference=reference.train, solution=_train,
    mistakes=(
        *update_mistakes("training", _train),
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
        Mistake("decaying-learning-rate", "training with a learning rate that falls from update to update: `lr` stays as it is",
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
        Mistake("another-order", "right results in another order: `params` first", lambda *arguments: _train(*arguments)[::-1]),
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
        return updated(params, X, Y, state, lr / count, theta)

    return step
