"""`sample`: text drawn from a trained network."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from .... import cells, metrics, reference
from ....language import gettext
from ...task import Case, Mistake, Output, Section, Task
from .shared import ASSIGNMENT, SHAPES, logits_of, measure_params, some_params

DECODING = Section("recurrence/decoding", "scratch-decoding", "Decoding: making it write")
WARM_UP = Section("recurrence/decoding", "scratch-warm-up", "Warm-up")

# Each case makes two statistical tests. Over all cases right draws fail less than once in ten thousand checks: benchmarks/sample_alarms.py
# counts it. Each draw of a case of one token is a call of its own, so more draws would make the check slow.
ALARM = 1e-6       # probability under which a test says no

DRAWS = 600        # about so many ids are drawn for the tests of a case


def _chi_square_tail(statistic: float, freedom: int) -> float:
    """Probability that a chi-square variable is larger than the statistic: for whole degrees of freedom it is a finite sum."""
    x, half = statistic / 2, freedom % 2 / 2
    tail = math.erfc(math.sqrt(x)) if half else 0.0
    term = math.exp(-x) * x**half / math.gamma(1 + half)
    for i in range(freedom // 2):
        tail += term
        term *= x / (i + 1 + half)
    return tail


def next_token_probs(params: dict, prefix: np.ndarray, drawn: np.ndarray, temperature: float) -> np.ndarray:
    """(S, L, V): what softmax(logits / temperature) promised before each id of S continuations (S, L) of the prefix."""
    read = np.concatenate([np.tile(np.asarray(prefix)[:, None], (1, len(drawn))), drawn[:, :-1].T])  # (prefix + L - 1, S)
    return metrics.softmax(logits_of(params, read)[len(prefix) - 1 :] / temperature).transpose(1, 0, 2)


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
    if deviation > 0:
        leaning = gettext(
            "Over {count} drawn ids, likely ones come too often: their mean log-probability under softmax(logits / temperature) is off by {off} standard errors."
        )
    else:
        leaning = gettext(
            "Over {count} drawn ids, likely ones come too rarely: their mean log-probability under softmax(logits / temperature) is off by {off} standard errors."
        )
    spread = gettext(
        "Over {count} drawn ids, likely and unlikely ones do not come as often as softmax(logits / temperature) says (chi-square {statistic} for "
        "{freedom} degrees of freedom)."
    )
    return [
        (
            math.erfc(abs(deviation) / math.sqrt(2)),
            leaning.format(count=drawn.size, off=f"{abs(deviation):.3g}"),
        ),
        (
            _chi_square_tail(statistic, bins - 1),
            spread.format(count=drawn.size, statistic=f"{statistic:.0f}", freedom=bins - 1),
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
            return gettext("The same seed gives other ids at a second call: draw with np.random.default_rng(seed).")
        drawn = np.array([[int(i) for i in ids] for ids in results])
        probs = next_token_probs(arguments["params"], arguments["prefix"], drawn, arguments["temperature"])
        if calls > 1 and (drawn == drawn[0]).all() and np.take_along_axis(probs, drawn[..., None], axis=-1).prod() < ALARM:
            return gettext("{count} different seeds give the same ids: draw with np.random.default_rng(seed).").format(count=calls)
        return draws_problem(probs, drawn)

    return judge


def _ids_problem(ids: object, length: int, V: int, seed: int) -> str | None:
    """What is wrong with the form of drawn ids; further calls of a judge have not been looked at before."""
    if not isinstance(ids, (list, tuple)) or not all(isinstance(i, (int, np.integer)) for i in ids):
        return gettext("With seed {seed} the result is no list of whole numbers.").format(seed=seed)
    if len(ids) != length:
        text = gettext("The result has {count} ids where length is {length}: return what comes after the prefix, without it.")
        return text.format(count=len(ids), length=length)
    if not all(0 <= int(i) < V for i in ids):
        return gettext("The result holds an id outside 0..{last}.").format(last=V - 1)
    return None


def _sample_case(name: str, rng: np.random.Generator, prefix: int, length: int, temperature: float, judged: bool = True) -> Case:
    """A network that is not sure what comes after the prefix."""
    V, H, entropy = int(rng.integers(5, 9)), 8, 0.0
    while entropy < 0.8:
        params, ids = some_params(rng, V, H, sharpness=1.2), rng.integers(0, V, size=prefix)
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


TASK = Task(
    name="sample", assignment=ASSIGNMENT, points=5, section=DECODING,
    arguments={"params": None, "prefix": ("P",), "length": None, "temperature": None, "seed": None},
    outputs=(Output("ids", "list", items=(Output("id", "int"),)),),
    form_case=lambda rng: _sample_case("a few tokens", rng, 3, 6, 1.0, judged=False),
    value_cases=_sample_values, measure=measure_params,
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
        Mistake("prefix-counted", "the prefix and as many ids as fit into length: `length` counts the ids after the prefix",
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
