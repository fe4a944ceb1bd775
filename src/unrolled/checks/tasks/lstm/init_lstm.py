"""`init_lstm`: the weights at the start. They are random, so they are judged by what must hold for every right drawing."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .... import reference
from ....language import gettext
from ... import compare
from ...observe import told
from ...task import RESULT, Case, Mistake, Output, Section, Task
from ..common import sizes
from .shared import ASSIGNMENT, WEIGHTS

INIT = Section("gates/lstm", "lstm-init", "The start, and the forget gate's bias")
ALARM = 1e-7  # chance that one statistical test fails a right drawing


def _init_case(name: str, rng: np.random.Generator, D: int, H: int, forget_bias: float, judge: Callable) -> Case:
    arguments = {"D": D, "H": H, "seed": int(rng.integers(100, 10_000)), "forget_bias": forget_bias}
    return Case(name, arguments, judge=functools.partial(judge, arguments))


def _bias_problem(arguments: dict, value: Any, call: Callable) -> str | None:
    H, b = arguments["H"], value[2]
    wrong = [gate for k, gate in enumerate("ifgo") if not np.allclose(b[k * H : (k + 1) * H], arguments["forget_bias"] * (k == 1), 0, 1e-12)]
    if wrong:
        k = "ifgo".index(wrong[0])
        text = gettext(
            "b is wrong for the gate {gate}, b[{first}:{end}] in code; you have {value} at its beginning. Biases are 0, but for the forget gate's, "
            "which are forget_bias."
        )
        return text.format(gate=wrong[0], first=k * H, end=(k + 1) * H, value=f"{b[k * H]:.6g}")
    return None


def _quantiles(weights: np.ndarray, bound: float) -> float:
    """Largest distance of the weights' distribution function from that of the uniform one in ±bound."""
    ordered = np.sort(weights.ravel())
    truth = np.clip((ordered + bound) / (2 * bound), 0, 1)
    ranks = np.arange(len(ordered) + 1) / len(ordered)
    return float(max(np.abs(ranks[1:] - truth).max(), np.abs(ranks[:-1] - truth).max()))


def _repeated(weights: np.ndarray) -> float:
    """The share of the entries whose value came before."""
    return 1 - len(np.unique(weights)) / weights.size


def _shared(weights: np.ndarray, others: np.ndarray) -> float:
    """The share of the entries whose absolute value stands somewhere in another array, too."""
    return float(np.isin(np.abs(weights), np.abs(others)).mean())


def _weights_problem(arguments: dict, value: Any, call: Callable) -> str | None:
    """The biases, then bound and distribution of the weights, then whether each was drawn for itself."""
    if problem := _bias_problem(arguments, value, call):
        return problem
    bound = 1 / math.sqrt(arguments["H"])
    for name, weights in zip(("W_x", "W_h"), value):
        if not np.all(np.isfinite(weights)):
            return gettext("{name} is not finite everywhere.").format(name=name)
        if np.abs(weights).max() > bound * (1 + 1e-9):
            text = gettext("{name} has entries up to {size} in size, beyond the bound 1/√H, here for H={H}.")
            return text.format(name=name, size=f"{np.abs(weights).max():.4g}", H=arguments["H"])
        # Dvoretzky, Kiefer and Wolfowitz: a right drawing of n weights is further off with a chance of ALARM at most.
        if _quantiles(weights, bound) > math.sqrt(math.log(2 / ALARM) / (2 * weights.size)):
            text = gettext(
                "{name} is not uniform in ±1/√H: yours runs from {low} to {high}, with mean {mean} and standard deviation {deviation}, for H={H}."
            )
            numbers = {"low": weights.min(), "high": weights.max(), "mean": weights.mean(), "deviation": weights.std()}
            return text.format(name=name, H=arguments["H"], **{key: f"{number:.4g}" for key, number in numbers.items()})
        if weights.size > 100 and _repeated(weights) > 0.01:
            text = gettext("{name} repeats values: {share} of its entries came before. Draw every entry for itself.")
            return text.format(name=name, share=f"{_repeated(weights):.0%}")
    if value[0].size > 100 and _shared(value[0], value[1]) > 0.01:
        return gettext("W_x and W_h share values: make one generator, and let it draw both.")
    return None


def _another_drawing(value: Any, seen: Any, same: bool) -> tuple[str | None, list[np.ndarray]]:
    """The arrays of one more call, or a sentence that says what is wrong with their form."""
    if seen.error is not None:
        text = gettext("A call with the same seed stopped with {error}") if same else gettext("A call with another seed stopped with {error}")
        return text.format(error=told(seen.error)), []
    result = Output(RESULT, "tuple", items=WEIGHTS)
    problem = compare.type_problem(seen.value, result)
    if problem or any(a.shape != b.shape for a, b in zip(seen.value, value)):
        return (
            gettext("A call with the same seed gave a result of another form.") if same else gettext("A call with another seed gave a result of another form."),
            [],
        )
    return None, list(seen.value)


def _same_seed_problem(arguments: dict, value: Any, call: Callable) -> str | None:
    if problem := _weights_problem(arguments, value, call):
        return problem
    problem, again = _another_drawing(value, call(arguments), same=True)
    if problem:
        return problem
    if not all(np.array_equal(a, b) for a, b in zip(value, again)):
        return gettext("Two calls with the same seed gave different arrays: draw from np.random.default_rng(seed), made inside the function.")
    return None


def _other_seed_problem(arguments: dict, value: Any, call: Callable) -> str | None:
    if problem := _weights_problem(arguments, value, call):
        return problem
    problem, other = _another_drawing(value, call({**arguments, "seed": arguments["seed"] + 1}), same=False)
    if problem:
        return problem
    if any(_shared(a, b) > 0.01 for a, b in zip(value[:2], other)):
        return gettext("Two calls with different seeds gave the same weights: draw from np.random.default_rng(seed).")
    return None


def _init_values(rng: np.random.Generator) -> list[Case]:
    D, H = sizes(rng, 2)
    many, few = int(rng.integers(90, 110)), int(rng.integers(30, 40))
    return [
        _init_case("the biases", rng, D, H, 1.0, _bias_problem),
        _init_case("the biases, with another forget bias", rng, D, H, -0.5, _bias_problem),
        _init_case("the weights, with more inputs than units", rng, many, few, 1.0, _weights_problem),
        _init_case("the weights, with more units than inputs", rng, few, many, 1.0, _weights_problem),
        _init_case("one input, one unit (D=H=1)", rng, 1, 1, 2.0, _weights_problem),
        _init_case("the same seed again", rng, few, few, 1.0, _same_seed_problem),
        _init_case("another seed", rng, few, few, 0.0, _other_seed_problem),
    ]


def _looks_alike(case: Case, seen: Any, variant: Any) -> bool:
    """Whether two drawings have the same form, the same biases, and weights of one distribution, repeated and shared alike."""
    if seen.error_type != variant.error_type or seen.error_type:
        return seen.error_type == variant.error_type
    if not (isinstance(seen.value, (tuple, list)) and len(seen.value) == len(variant.value)):
        return False
    for a, b in zip(seen.value, variant.value):
        if not (isinstance(a, np.ndarray) and a.shape == b.shape and a.dtype == b.dtype and np.all(np.isfinite(a))):
            return False
        if (_repeated(a) > 0.01) != (_repeated(b) > 0.01):
            return False
        if a.ndim == 1 and len(np.unique(b)) <= 2:  # biases, set and not drawn
            if not np.allclose(a, b, 0, 1e-12):
                return False
        elif _distance(a, b) > math.sqrt(math.log(2 / ALARM) / a.size):  # two samples of the same size
            return False
        elif a.size > 1000 and abs(math.log((np.abs(a).max() + 1e-300) / (np.abs(b).max() + 1e-300))) > 0.5:
            return False
    return (_shared(seen.value[0], seen.value[1]) > 0.01) == (_shared(variant.value[0], variant.value[1]) > 0.01)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Largest distance of two arrays' distribution functions."""
    a, b = np.sort(a.ravel()), np.sort(b.ravel())
    every = np.concatenate([a, b])
    return float(np.abs(np.searchsorted(a, every, "right") / a.size - np.searchsorted(b, every, "right") / b.size).max())


def _init(D, H, seed, forget_bias, *, bound=lambda D, H: (1 / math.sqrt(H), 1 / math.sqrt(H)), draw=None, place=1):
    """A right start, but for other bounds of W_x and W_h, another draw(rng, bound, shape), or the forget bias at another gate."""
    rng = np.random.default_rng(seed)
    draw = draw or (lambda rng, bound, shape: rng.uniform(-bound, bound, shape))
    W_x, W_h = (draw(rng, limit, (rows, 4 * H)) for limit, rows in zip(bound(D, H), (D, H)))
    b = np.zeros(4 * H)
    b[place * H : (place + 1) * H] = forget_bias
    return W_x, W_h, b


def _init_bound(bound: Callable) -> Callable:
    return functools.partial(_init, bound=lambda D, H: (bound(D, H), bound(D, H)))


def _init_biases(biases: Callable) -> Callable:
    """A right start with the biases `biases(H, forget_bias, rng)`."""
    return lambda D, H, seed, forget_bias: (
        *_init(D, H, seed, forget_bias)[:2], biases(H, forget_bias, np.random.default_rng([seed, 1])))


def _generator_twice(D, H, seed, forget_bias):
    bound = 1 / math.sqrt(H)
    W_x, W_h = (np.random.default_rng(seed).uniform(-bound, bound, (rows, 4 * H)) for rows in (D, H))
    return W_x, W_h, _init(D, H, seed, forget_bias)[2]


def _init_mistake(name: str, sentence: str, function: Callable) -> Mistake:
    return Mistake(name, sentence, function, agrees=_looks_alike)


TASK = Task(
    name="init_lstm", assignment=ASSIGNMENT, points=3, section=INIT,
    arguments={"D": None, "H": None, "seed": None, "forget_bias": None},
    outputs=WEIGHTS,
    form_case=lambda rng: _init_case("small sizes", rng, *sizes(rng, 2), 1.0, _bias_problem),
    value_cases=_init_values,
    reference=reference.init_lstm, solution=_init,
    mistakes=(
        *(_init_mistake(f"forget-bias-at-{gate}", f"a start with the forget bias at the gate {gate}: the forget gate is the second of i, f, "
                        "g, o, so its biases are b[H : 2 * H]", functools.partial(_init, place=place))
          for place, gate in ((0, "i"), (2, "g"), (3, "o"))),
        _init_mistake("forget-bias-everywhere", "a start with the forget bias at all four gates: at b[H : 2 * H] only",
                      _init_biases(lambda H, forget_bias, rng: np.full(4 * H, float(forget_bias)))),
        _init_mistake("forget-bias-left-out", "a start with all biases 0: the forget gate's are forget_bias",
                      _init_biases(lambda H, forget_bias, rng: np.zeros(4 * H))),
        _init_mistake("forget-bias-at-first-unit", "a start with the forget bias at one unit only: all H units have a forget gate",
                      _init_biases(lambda H, forget_bias, rng: np.eye(4 * H)[H] * forget_bias)),
        _init_mistake("forget-bias-one", "a start with the forget bias 1 whatever was asked for: use the argument",
                      _init_biases(lambda H, forget_bias, rng: np.repeat([0.0, 1.0, 0.0, 0.0], H))),
        _init_mistake("forget-bias-interleaved", "a start with the forget bias at every fourth entry: the gates lie one after another, H "
                      "entries each", _init_biases(lambda H, forget_bias, rng: np.tile([0.0, forget_bias, 0.0, 0.0], H))),
        _init_mistake("biases-drawn", "a start with random biases, as torch has them: here they are 0 but for the forget gate's",
                      _init_biases(lambda H, forget_bias, rng: rng.uniform(-1, 1, 4 * H) / math.sqrt(H))),
        _init_mistake("biases-as-row", "a start with b of the shape (1, 4H): it is (4H,)",
                      _init_biases(lambda H, forget_bias, rng: np.repeat([[0.0, forget_bias, 0.0, 0.0]], H, axis=1))),
        _init_mistake("bound-1/H", "a start with the bound 1/H: it is 1/√H", _init_bound(lambda D, H: 1 / H)),
        _init_mistake("bound-√H", "a start with the bound √H: it is 1/√H", _init_bound(lambda D, H: math.sqrt(H))),
        _init_mistake("bound-1", "a start with weights uniform in ±1: the bound is 1/√H", _init_bound(lambda D, H: 1.0)),
        _init_mistake("bound-1/√D", "a start with the bound 1/√D: it is 1/√H", _init_bound(lambda D, H: 1 / math.sqrt(D))),
        _init_mistake("bound-1/√4H", "a start whose weights reach half as far as they should, as for the bound 1/√(4H) or for "
                      "(random - 0.5) / √H: they go from -1/√H to 1/√H",
                      _init_bound(lambda D, H: 1 / math.sqrt(4 * H))),
        _init_mistake("bound-by-matrix", "a start with the bound 1/√D for W_x: it is 1/√H for both matrices",
                      functools.partial(_init, bound=lambda D, H: (1 / math.sqrt(D), 1 / math.sqrt(H)))),
        _init_mistake("bound-glorot", "a start with the bound √(6/(rows + columns)), Glorot's: here it is 1/√H",
                      functools.partial(_init, bound=lambda D, H: (math.sqrt(6 / (D + 4 * H)), math.sqrt(6 / (5 * H))))),
        _init_mistake("normal", "a start with normal weights of standard deviation 1/√H: draw them uniformly in ±1/√H",
                      functools.partial(_init, draw=lambda rng, bound, shape: rng.normal(0, bound, shape))),
        _init_mistake("normal-same-spread", "a start with normal weights: draw them uniformly in ±1/√H",
                      functools.partial(_init, draw=lambda rng, bound, shape: rng.normal(0, bound / math.sqrt(3), shape))),
        _init_mistake("normal-0.01", "a start with normal weights times 0.01: draw them uniformly in ±1/√H",
                      functools.partial(_init, draw=lambda rng, bound, shape: 0.01 * rng.normal(size=shape))),
        _init_mistake("positive", "a start with weights from 0 to 1/√H: they go from -1/√H to 1/√H",
                      functools.partial(_init, draw=lambda rng, bound, shape: rng.uniform(0, bound, shape))),
        _init_mistake("ends-only", "a start with weights that are either -1/√H or 1/√H: draw them anywhere in between",
                      functools.partial(_init, draw=lambda rng, bound, shape: rng.choice([-bound, bound], shape))),
        _init_mistake("zeros", "a start with zero weights: then all units stay alike; draw them uniformly in ±1/√H",
                      functools.partial(_init, draw=lambda rng, bound, shape: np.zeros(shape))),
        _init_mistake("generator-twice", "a start whose generator is made anew for each matrix, so that W_x and W_h begin with the same "
                      "numbers: make it once", _generator_twice),
        _init_mistake("gates-alike", "a start whose four gates have the same weights: draw all 4H columns",
                      functools.partial(_init, draw=lambda rng, bound, shape: np.tile(
                          rng.uniform(-bound, bound, (shape[0], shape[1] // 4)), (1, 4)))),
        _init_mistake("rows-alike", "a start whose matrices repeat one row: draw every entry for itself",
                      functools.partial(_init, draw=lambda rng, bound, shape: np.tile(rng.uniform(-bound, bound, shape[1]), (shape[0], 1)))),
        _init_mistake("seed-not-used", "a right start, but not by the seed: the same seed must give the same arrays and another seed others, "
                      "so draw from np.random.default_rng(seed), made inside the function",
                      lambda D, H, seed, forget_bias: _init(D, H, None, forget_bias)),
        _init_mistake("transposed", "a start with torch's shapes, (4H, D) and (4H, H): here rows belong to what comes in, so (D, 4H) and "
                      "(H, 4H)", lambda *arguments: (lambda W_x, W_h, b: (W_x.T, W_h.T, b))(*_init(*arguments))),
        _init_mistake("swapped", "a start that returns W_h before W_x", lambda *arguments: (
            lambda W_x, W_h, b: (W_h, W_x, b))(*_init(*arguments))),
        _init_mistake("one-gate", "a start with the weights of a plain RNN, (D, H), (H, H) and (H,): an LSTM has four of each, side by side",
                      lambda D, H, seed, forget_bias: tuple(w[..., :H] for w in _init(D, H, seed, forget_bias))),
        _init_mistake("float32", "a right start in float32: keep everything float64",
                      lambda *arguments: tuple(w.astype(np.float32) for w in _init(*arguments))),
    ),
)
