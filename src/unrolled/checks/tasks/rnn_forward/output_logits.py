"""`output_logits`: from states to one number for each token of the vocabulary."""

from __future__ import annotations

import numpy as np

from .... import cells, metrics, reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, sizes, zeroed
from .shared import ASSIGNMENT, LOSS

OUTPUT = Section("recurrence/rnn-scratch", "scratch-output", "From states to predictions")


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


TASK = Task(
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
