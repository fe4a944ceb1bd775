"""`perplexity`: the size of a uniform choice that would be as hard."""

from __future__ import annotations

import math

import numpy as np

from .... import metrics, reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake
from .shared import ASSIGNMENT, quiet

PERPLEXITY = Section("sequences/language-models", "lm-perplexity", "What to call the number")


def _perplexity_case(name: str, log_probs) -> Case:
    return Case(name, {"log_probs": np.asarray(log_probs, dtype=np.float64)})


def _log_probs(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.log(rng.uniform(0.02, 0.98, size=count))


def _perplexity_form(rng: np.random.Generator) -> Case:
    return _perplexity_case("several tokens", _log_probs(rng, 6))


def _perplexity_values(rng: np.random.Generator) -> list[Case]:
    unlikely = _log_probs(rng, 40)
    unlikely[3] = -900.0
    return [
        _perplexity_case("one token", _log_probs(rng, 1)),
        _perplexity_case("equal probabilities", np.full(7, -math.log(int(rng.integers(5, 40))))),
        _perplexity_case("two tokens", _log_probs(rng, 2)),
        _perplexity_case("several tokens", _log_probs(rng, 9)),
        _perplexity_case("every token was certain", np.zeros(5)),
        _perplexity_case("thousands of tokens, whose product of probabilities underflows", _log_probs(rng, 3000)),
        _perplexity_case("a token so unlikely that its probability underflows to 0", unlikely),
        _perplexity_case("a hopeless model", -rng.uniform(50, 150, size=20)),
    ]


TASK = Task(
    name="perplexity", assignment=ASSIGNMENT, points=3, section=PERPLEXITY,
    arguments={"log_probs": ("L",)},
    outputs=(Output("perplexity", "float"),),
    form_case=_perplexity_form, value_cases=_perplexity_values,
    reference=reference.perplexity, solution=metrics.perplexity,
    mistakes=(
        Mistake("no-minus", "a perplexity without the minus sign, the geometric mean of the probabilities: it would be at most 1",
                lambda log_probs: float(np.exp(log_probs.mean()))),
        Mistake("no-exp", "the mean loss in nats: perplexity is its exp", lambda log_probs: float(-log_probs.mean())),
        Mistake("sum", "exp of the sum: take the mean over the tokens first", quiet(lambda log_probs: float(np.exp(-log_probs.sum())))),
        Mistake("base-2", "2 to the power of nats: the logarithms are natural, so use exp", lambda log_probs: float(2 ** -log_probs.mean())),
        Mistake("base-10", "10 to the power of nats: the logarithms are natural, so use exp",
                lambda log_probs: float(10 ** -log_probs.mean())),
        Mistake("bits", "the mean in bits: perplexity is exp of the mean in nats",
                lambda log_probs: float(-log_probs.mean() / math.log(2))),
        Mistake("mean-of-inverse", "the mean of 1/p: average the logarithms, which gives the geometric mean",
                quiet(lambda log_probs: float(np.exp(-log_probs).mean()))),
        Mistake("harmonic-mean", "one over the mean probability, a harmonic mean: average the logarithms, which gives the geometric mean",
                lambda log_probs: float(1 / np.exp(log_probs).mean())),
        Mistake("median", "exp of the median: take the mean", lambda log_probs: float(np.exp(-np.median(log_probs)))),
        Mistake("one-token-less", "a mean over one token less: every entry of log_probs is a prediction",
                quiet(lambda log_probs: float(np.exp(-log_probs.sum() / (len(log_probs) - 1))))),
        Mistake("first-left-out", "a mean without the first entry: every entry of log_probs is a prediction",
                quiet(lambda log_probs: float(np.exp(-(log_probs[1:].sum() / np.float64(len(log_probs) - 1)))))),
        Mistake("one-token-more", "a mean over one token more than there are",
                lambda log_probs: float(np.exp(-log_probs.sum() / (len(log_probs) + 1)))),
        Mistake("log-again", "a logarithm of what are logarithms already",
                quiet(lambda log_probs: float(np.exp(-np.log(log_probs).mean())))),
        Mistake("log-of-minus", "a logarithm of what are logarithms already",
                quiet(lambda log_probs: float(np.exp(-np.log(-log_probs).mean())))),
        Mistake("product", "a root of the product of all probabilities, which underflows to 0: average the logarithms",
                quiet(lambda log_probs: float(np.float64(np.prod(np.exp(log_probs))) ** (-1 / len(log_probs))))),
        Mistake("by-way-of-probabilities", "logarithms of probabilities that have underflowed to 0: use the logarithms as they came",
                quiet(lambda log_probs: float(np.exp(-np.log(np.exp(log_probs)).mean())))),
        *(Mistake(f"epsilon-{epsilon:g}", "logarithms of probabilities plus {epsilon}: use the logarithms as they came",
                  lambda log_probs, epsilon=epsilon: float(np.exp(-np.log(np.exp(log_probs) + epsilon).mean())),
                  fills={"epsilon": f"{epsilon:g}"})
          for epsilon in (1e-6, 1e-8, 1e-10, 1e-12, 1e-15)),
        Mistake("per-token", "the inverse probability of each token, not their geometric mean",
                quiet(lambda log_probs: np.exp(-log_probs))),
        float32_mistake(lambda log_probs: float(np.exp(-log_probs.mean())), tolerance=1e-4),
    ),
)
