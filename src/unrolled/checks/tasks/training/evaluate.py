"""`evaluate`: the perplexity of a text under a trained network."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from .... import cells, metrics, reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, sizes
from .shared import ASSIGNMENT, RESETTING, SHAPES, measure_params, some_params

PERPLEXITY = Section("sequences/language-models", "lm-perplexity", "What to call the number")


def _evaluate_case(name: str, rng: np.random.Generator, length: int, sharpness: float = 1.0, V: int | None = None, H: int | None = None) -> Case:
    tokens, units = sizes(rng, 2)
    V, H = V or tokens, H or units
    return Case(name, {"params": some_params(rng, V, H, sharpness), "ids": rng.integers(0, V, size=length)})


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


TASK = Task(
    name="evaluate", assignment=ASSIGNMENT, points=3, section=PERPLEXITY,
    arguments={"params": None, "ids": ("L",)},
    outputs=(Output("perplexity", "float"),),
    form_case=lambda rng: _evaluate_case("several tokens", rng, 12),
    value_cases=_evaluate_values, measure=measure_params,
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
