"""The five tasks of assignment 05-lstm: start, step, forward, backward, and weights from torch."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import cells, reference
from .. import compare
from ..task import Case, Mistake, Output, Section, Task
from .common import float32_mistake, in_float32, sizes, zeroed

ASSIGNMENT = "05-lstm"

GATES = Section("gates/lstm", "lstm-gates", "Gates")
CELL = Section("gates/lstm", "lstm-cell", "One step, and the conveyor")
FORWARD = Section("gates/lstm", "lstm-scratch", "The forward pass")
BACKWARD = Section("gates/lstm", "lstm-backward", "The backward pass")
INIT = Section("gates/lstm", "lstm-init", "The start, and the forget gate's bias")
FROM_TORCH = Section("gates/lstm", "lstm-torch", "Weights to and from torch")

WEIGHTS = (Output("W_x", "array", ("D", "4H")), Output("W_h", "array", ("H", "4H")), Output("b", "array", ("4H",)))
WEIGHT_AXES = {"W_x": ("D", "4H"), "W_h": ("H", "4H"), "b": ("4H",)}


# --- init_lstm: results are random, so they are judged by what must hold for every right drawing ------------------------------

ALARM = 1e-7  # chance that one statistical test fails a right drawing


def _init_case(name: str, rng: np.random.Generator, D: int, H: int, forget_bias: float, judge: Callable) -> Case:
    arguments = {"D": D, "H": H, "seed": int(rng.integers(100, 10_000)), "forget_bias": forget_bias}
    return Case(name, arguments, judge=functools.partial(judge, arguments))


def _bias_problem(arguments: dict, value: Any, call: Callable) -> str | None:
    H, b = arguments["H"], value[2]
    wrong = [gate for k, gate in enumerate("ifgo") if not np.allclose(b[k * H : (k + 1) * H], arguments["forget_bias"] * (k == 1), 0, 1e-12)]
    if wrong:
        k = "ifgo".index(wrong[0])
        return (
            f"b is wrong for the gate {wrong[0]}, b[{k * H}:{(k + 1) * H}] in code; you have {b[k * H]:.6g} at its beginning. Biases are 0, "
            "but for the forget gate's, which are forget_bias."
        )
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
            return f"{name} is not finite everywhere."
        if np.abs(weights).max() > bound * (1 + 1e-9):
            return f"{name} has entries up to {np.abs(weights).max():.4g} in size, beyond the bound 1/√H, here for H={arguments['H']}."
        # Dvoretzky, Kiefer and Wolfowitz: a right drawing of n weights is further off with a chance of ALARM at most.
        if _quantiles(weights, bound) > math.sqrt(math.log(2 / ALARM) / (2 * weights.size)):
            return (
                f"{name} is not uniform in ±1/√H: yours runs from {weights.min():.4g} to {weights.max():.4g}, with mean {weights.mean():.4g} "
                f"and standard deviation {weights.std():.4g}, for H={arguments['H']}."
            )
        if weights.size > 100 and _repeated(weights) > 0.01:
            return f"{name} repeats values: {_repeated(weights):.0%} of its entries came before. Draw every entry for itself."
    if value[0].size > 100 and _shared(value[0], value[1]) > 0.01:
        return "W_x and W_h share values: make one generator, and let it draw both."
    return None


def _another_drawing(value: Any, seen: Any, words: str) -> tuple[str | None, list[np.ndarray]]:
    """The arrays of one more call, or a sentence that says what is wrong with their form."""
    if seen.error is not None:
        return f"A call with {words} stopped with {seen.error}", []
    result = Output("the result", "tuple", items=WEIGHTS)
    problem = compare.type_problem(seen.value, result)
    if problem or any(a.shape != b.shape for a, b in zip(seen.value, value)):
        return f"A call with {words} gave a result of another form.", []
    return None, list(seen.value)


def _same_seed_problem(arguments: dict, value: Any, call: Callable) -> str | None:
    if problem := _weights_problem(arguments, value, call):
        return problem
    problem, again = _another_drawing(value, call(arguments), "the same seed")
    if problem:
        return problem
    if not all(np.array_equal(a, b) for a, b in zip(value, again)):
        return "Two calls with the same seed gave different arrays: draw from np.random.default_rng(seed), made inside the function."
    return None


def _other_seed_problem(arguments: dict, value: Any, call: Callable) -> str | None:
    if problem := _weights_problem(arguments, value, call):
        return problem
    problem, other = _another_drawing(value, call({**arguments, "seed": arguments["seed"] + 1}), "another seed")
    if problem:
        return problem
    if any(_shared(a, b) > 0.01 for a, b in zip(value[:2], other)):
        return "Two calls with different seeds gave the same weights: draw from np.random.default_rng(seed)."
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


INIT_TASK = Task(
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


# --- lstm_step ---------------------------------------------------------------------------------


def _arguments(rng: np.random.Generator, T: int, N: int, D: int, H: int, scale: float = 1.0) -> dict[str, np.ndarray]:
    """Arguments of `lstm_forward`, starts that are not zero among them; gates saturate for a large scale."""
    return {
        "X": scale * rng.normal(size=(T, N, D)),
        "H_0": rng.uniform(-1, 1, size=(N, H)),
        "C_0": rng.uniform(-1.5, 1.5, size=(N, H)),
        "W_x": rng.normal(size=(D, 4 * H)) / math.sqrt(D),
        "W_h": rng.normal(size=(H, 4 * H)) / math.sqrt(H),
        "b": rng.normal(size=4 * H) / 2,
    }


def _step_case(name: str, rng: np.random.Generator, N: int, D: int, H: int, zero=(), scale: float = 1.0) -> Case:
    arguments = _arguments(rng, 1, N, D, H, scale)
    X, H_0, C_0, *weights = arguments.values()
    arguments = {"X_t": X[0], "H_prev": H_0, "C_prev": C_0, **dict(zip(WEIGHT_AXES, weights))}
    return Case(name, zeroed(arguments, *zero))


def _wide_open(case: Case) -> Case:
    """The case with biases of about 1000 at the gates i, f and o, so that each is 0 or 1, unit by unit in another way."""
    b = case.arguments["b"].reshape(4, -1)  # a view
    signs = np.array([[1, -1, 1], [1, 1, 1], [-1, 1, 1], [1, 1, -1]])  # i, f, o
    b[[0, 1, 3]] += 1000 * np.resize(signs, (b.shape[1], 3)).T
    return case


def _step_values(rng: np.random.Generator) -> list[Case]:
    N, D, H = sizes(rng, 3)
    return [
        _step_case("the input alone (H_prev, C_prev and b are zero)", rng, 1, D, H, zero=("H_prev", "C_prev", "b")),
        _step_case("the hidden state alone (X_t, C_prev and b are zero)", rng, 1, D, H, zero=("X_t", "C_prev", "b")),
        _step_case("the biases alone (X_t, H_prev and C_prev are zero)", rng, 1, D, H, zero=("X_t", "H_prev", "C_prev")),
        _step_case("the cell state alone (X_t, H_prev and b are zero)", rng, 1, D, H, zero=("X_t", "H_prev", "b")),
        _step_case("one sequence, one input, one unit (N=D=H=1)", rng, 1, 1, 1),
        _step_case("several sequences", rng, N, D, H),
        _step_case("as many sequences as inputs and units (N=D=H)", rng, H, H, H),
        _step_case("large inputs, where the gates saturate", rng, N, D, H, scale=8.0),
        _wide_open(_step_case("biases so large that exp overflows", rng, N, D, H)),
    ]


def _cell(i, f, g, C_prev):
    return f * C_prev + i * g


def _hidden(o, C_t, C_prev):
    return o * np.tanh(C_t)


def _sum_of_terms(X_t, H_prev, C_prev, W_x, W_h, b):
    return X_t @ W_x + H_prev @ W_h + b


def _step(X_t, H_prev, C_prev, W_x, W_h, b, *, order="ifgo", split=lambda Z: np.split(Z, 4, axis=-1), gate=cells.sigmoid, candidate=np.tanh,
          terms=_sum_of_terms, cell=_cell, hidden=_hidden):
    """A right step, but for the order in which the gates are cut out, or another function at one of its places."""
    parts = dict(zip(order, split(terms(X_t, H_prev, C_prev, W_x, W_h, b))))
    i, f, o = (gate(parts[name]) for name in "ifo")
    C_t = cell(i, f, candidate(parts["g"]), C_prev)
    return hidden(o, C_t, C_prev), C_t


def _unstable_sigmoid(z):
    exponentials = np.exp(z)
    return exponentials / (1 + exponentials)


# Mistakes of a step that are mistakes of the forward pass, too: name, the sentence after “a step ”, what differs, section.
STEP_CHANGES: tuple[tuple[str, str, dict[str, Any], Section], ...] = (
    *((f"order-{order}", f"with the gates in the order {', '.join(order)}: here and in torch it is i, f, g, o", {"order": order}, GATES)
      for order in ("ifog", "figo", "fiog", "igfo", "iofg", "ofgi", "gifo")),
    ("gates-interleaved", "that takes every fourth column for a gate: the gates lie one after another, H columns each",
     {"split": lambda Z: [Z[..., k::4] for k in range(4)]}, GATES),
    ("candidate-sigmoid", "with a sigmoid for the candidate g: it is a tanh, so that a cell can also fall",
     {"candidate": cells.sigmoid}, GATES),
    ("gates-tanh", "with a tanh for all four: the gates i, f and o are sigmoids, between 0 and 1", {"gate": np.tanh}, GATES),
    ("candidate-linear", "whose candidate g has no tanh", {"candidate": lambda z: z}, GATES),
    ("sigmoid-sign", "with 1 / (1 + exp(z)) for the sigmoid: the sign of z is missing", {"gate": lambda z: cells.sigmoid(-z)}, GATES),
    ("hard-sigmoid", "with a hard sigmoid, straight lines, for the gates", {"gate": lambda z: np.clip(0.2 * z + 0.5, 0, 1)}, GATES),
    ("bias-left-out", "whose biases b are left out", {"terms": lambda X_t, H_prev, C_prev, W_x, W_h, b: X_t @ W_x + H_prev @ W_h}, GATES),
    ("bias-twice", "that adds the biases twice, as if to each product",
     {"terms": lambda X_t, H_prev, C_prev, W_x, W_h, b: X_t @ W_x + H_prev @ W_h + 2 * b}, GATES),
    ("input-left-out", "that leaves out the input, X_t @ W_x", {"terms": lambda X_t, H_prev, C_prev, W_x, W_h, b: H_prev @ W_h + b}, GATES),
    ("state-left-out", "that leaves out the hidden state, H_prev @ W_h",
     {"terms": lambda X_t, H_prev, C_prev, W_x, W_h, b: X_t @ W_x + b}, GATES),
    ("gates-read-the-cell", "whose gates read C_prev: they read the hidden state, H_prev @ W_h",
     {"terms": lambda X_t, H_prev, C_prev, W_x, W_h, b: X_t @ W_x + C_prev @ W_h + b}, GATES),
    ("forget-gate-left-out", "without the forget gate: C_t = f * C_prev + i * g", {"cell": lambda i, f, g, C_prev: C_prev + i * g}, CELL),
    ("input-gate-left-out", "without the input gate: C_t = f * C_prev + i * g", {"cell": lambda i, f, g, C_prev: f * C_prev + g}, CELL),
    ("candidate-left-out", "without the candidate: C_t = f * C_prev + i * g", {"cell": lambda i, f, g, C_prev: f * C_prev + i}, CELL),
    ("cell-left-out", "that forgets C_prev: C_t = f * C_prev + i * g", {"cell": lambda i, f, g, C_prev: i * g}, CELL),
    ("gates-coupled", "that writes with 1 - f: the input gate i is a gate of its own",
     {"cell": lambda i, f, g, C_prev: f * C_prev + (1 - f) * g}, CELL),
    ("forgets-backwards", "whose forget gate keeps at 0 and erases at 1: C_t = f * C_prev + i * g",
     {"cell": lambda i, f, g, C_prev: (1 - f) * C_prev + i * g}, CELL),
    ("cell-squashed", "that squashes the cell state itself: C_t = f * C_prev + i * g, the tanh is only for what H_t shows of it",
     {"cell": lambda i, f, g, C_prev: np.tanh(f * C_prev + i * g)}, CELL),
    ("previous-cell-squashed", "that keeps tanh(C_prev): on the way from C_prev to C_t there is no tanh",
     {"cell": lambda i, f, g, C_prev: f * np.tanh(C_prev) + i * g}, CELL),
    ("tanh-left-out", "whose H_t is o * C_t: it is o * tanh(C_t)", {"hidden": lambda o, C_t, C_prev: o * C_t}, CELL),
    ("output-gate-left-out", "without the output gate: H_t = o * tanh(C_t)", {"hidden": lambda o, C_t, C_prev: np.tanh(C_t)}, CELL),
    ("output-gate-inside", "whose H_t is tanh(o * C_t): it is o * tanh(C_t)", {"hidden": lambda o, C_t, C_prev: np.tanh(o * C_t)}, CELL),
    ("hidden-of-previous-cell", "that shows the cell state before the step: H_t = o * tanh(C_t)",
     {"hidden": lambda o, C_t, C_prev: o * np.tanh(C_prev)}, CELL),
    ("overflow", "with exp(z) / (1 + exp(z)) for the sigmoid, which overflows for large z: 1 / (1 + exp(-z)), or by tanh",
     {"gate": _unstable_sigmoid}, GATES),
)  # fmt: skip


def _into_C_prev(X_t, H_prev, C_prev, W_x, W_h, b):
    i, f, g, o = np.split(_sum_of_terms(X_t, H_prev, C_prev, W_x, W_h, b), 4, axis=-1)
    C_prev *= cells.sigmoid(f)
    C_prev += cells.sigmoid(i) * np.tanh(g)
    return cells.sigmoid(o) * np.tanh(C_prev), C_prev


def _into_H_prev(X_t, H_prev, C_prev, W_x, W_h, b):
    H_t, C_t = _step(X_t, H_prev, C_prev, W_x, W_h, b)
    H_prev[:] = H_t
    return H_t, C_t


STEP_OUTPUTS = (Output("H_t", "array", ("N", "H")), Output("C_t", "array", ("N", "H")))

STEP_TASK = Task(
    name="lstm_step", assignment=ASSIGNMENT, points=5, section=CELL,
    arguments={"X_t": ("N", "D"), "H_prev": ("N", "H"), "C_prev": ("N", "H"), **WEIGHT_AXES},
    outputs=STEP_OUTPUTS,
    form_case=lambda rng: _step_case("several sequences", rng, *sizes(rng, 3)),
    value_cases=_step_values,
    reference=reference.lstm_step, solution=cells.lstm_step,
    mistakes=(
        *(Mistake(name, f"a step {words}", functools.partial(_step, **changes), section=section)
          for name, words, changes, section in STEP_CHANGES),
        Mistake("swapped", "a right step that returns C_t before H_t", lambda *arguments: _step(*arguments)[::-1]),
        Mistake("states-swapped", "a step that takes C_prev for H_prev and H_prev for C_prev: H_prev comes first",
                lambda X_t, H_prev, C_prev, *weights: _step(X_t, C_prev, H_prev, *weights)),
        Mistake("cell-not-returned", "a right step that returns H_t alone: the next step needs C_t, too",
                lambda *arguments: _step(*arguments)[0]),
        Mistake("squashed-cell-returned", "a right step that returns tanh(C_t) in place of C_t",
                lambda *arguments: (lambda H_t, C_t: (H_t, np.tanh(C_t)))(*_step(*arguments))),
        Mistake("first-sequence-only", "a step that gives every sequence the state of the first",
                lambda *arguments: tuple(np.repeat(state[:1], len(state), axis=0) for state in _step(*arguments))),
        Mistake("into-C_prev", "a right step that works inside C_prev, as C_prev *= f does: make a new array", _into_C_prev),
        Mistake("into-H_prev", "a right step that writes H_t into H_prev: make a new array", _into_H_prev),
        float32_mistake(cells.lstm_step, tolerance=1e-4),
    ),
)


# --- lstm_forward ------------------------------------------------------------------------------


def _forward_case(name: str, rng: np.random.Generator, T: int, N: int, D: int, H: int, zero=(), scale: float = 1.0) -> Case:
    return Case(name, zeroed(_arguments(rng, T, N, D, H, scale), *zero))


def _remembering(rng: np.random.Generator, T: int, N: int, D: int, H: int) -> Case:
    """Forget gates near 1: what is in the cell at the start is still there at the end."""
    case = _forward_case("a long memory: forget gates near 1 (T=60)", rng, T, N, D, H)
    case.arguments["b"][H : 2 * H] += 8
    return case


def _forward_values(rng: np.random.Generator) -> list[Case]:
    T, N, D, H = sizes(rng, 4)
    return [
        _forward_case("one step (T=1)", rng, 1, N, D, H),
        _forward_case("two steps from starts of zero, one sequence", rng, 2, 1, D, H, zero=("H_0", "C_0")),
        _forward_case("two steps, one sequence", rng, 2, 1, D, H),
        _forward_case("a start in the cell alone (H_0 is zero)", rng, T, N, D, H, zero=("H_0",)),
        _forward_case("a start in the hidden state alone (C_0 is zero)", rng, T, N, D, H, zero=("C_0",)),
        _forward_case("several steps and sequences", rng, T + 2, N, D, H),
        _forward_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, T + 1, T + 1, H, H),
        _forward_case("one unit (H=1)", rng, T, N, D, 1),
        _forward_case("large inputs, where the gates saturate", rng, T, N, D, H, scale=8.0),
        _wide_open(_forward_case("biases so large that exp overflows", rng, T, N, D, H)),
        _remembering(rng, 60, N, D, H),
    ]


def _forward(X, H_0, C_0, W_x, W_h, b, *, step=_step, carries=lambda H_t, C_t, H_0, C_0: (H_t, C_t)):
    """All states, but for another step, or others carried from step to step than those that came out."""
    H, C, H_t, C_t = [], [], H_0, C_0
    for X_t in X:
        H_t, C_t = step(X_t, H_t, C_t, W_x, W_h, b)
        H.append(H_t)
        C.append(C_t)
        H_t, C_t = carries(H_t, C_t, H_0, C_0)
    return np.stack(H), np.stack(C)


def _carrying(carries: Callable) -> Callable:
    return functools.partial(_forward, carries=carries)


def _returning(change: Callable) -> Callable:
    """The right states, returned as `change(H, C)`."""
    return lambda *arguments: change(*_forward(*arguments))


def _one_buffer(X, H_0, C_0, *weights):
    H, C = _forward(X, H_0, C_0, *weights)
    return np.repeat(H[-1:], len(X), axis=0), np.repeat(C[-1:], len(X), axis=0)


def _start_in_place(X, H_0, C_0, W_x, W_h, b):
    H, C = [], []
    for X_t in X:
        H_t, C_t = _step(X_t, H_0, C_0, W_x, W_h, b)
        H_0[:], C_0[:] = H_t, C_t
        H.append(H_t)
        C.append(C_t)
    return np.stack(H), np.stack(C)


def _cell_in_place(X, H_0, C_0, W_x, W_h, b):
    H, H_t, C_t = [], H_0, C_0
    C = []
    for X_t in X:
        H_t, C_t = _into_C_prev(X_t, H_t, C_t, W_x, W_h, b)
        H.append(H_t)
        C.append(C_t)
    return np.stack(H), np.stack(C)


def _batch_for_time(X, H_0, C_0, *weights):
    """The sequences walked through in place of the steps."""
    states = _forward(X.swapaxes(0, 1), H_0[: len(X)], C_0[: len(X)], *weights)
    return tuple(state.swapaxes(0, 1) for state in states)


FORWARD_TASK = Task(
    name="lstm_forward", assignment=ASSIGNMENT, points=4, section=FORWARD,
    arguments={"X": ("T", "N", "D"), "H_0": ("N", "H"), "C_0": ("N", "H"), **WEIGHT_AXES},
    outputs=(Output("H", "array", ("T", "N", "H")), Output("C", "array", ("T", "N", "H"))),
    form_case=lambda rng: _forward_case("several steps", rng, *sizes(rng, 4)),
    value_cases=_forward_values,
    reference=reference.lstm_forward, solution=lambda *arguments: cells.lstm_forward(*arguments)[:2],
    mistakes=(
        *(Mistake(name, f"a network {words}", functools.partial(_forward, step=functools.partial(_step, **changes)), section=section)
          for name, words, changes, section in STEP_CHANGES),
        Mistake("nothing-carried", "a network whose every step starts from H_0 and C_0: carry H_t and C_t into the next step",
                _carrying(lambda H_t, C_t, H_0, C_0: (H_0, C_0))),
        Mistake("cell-not-carried", "a network that carries H_t and starts every step from C_0: carry C_t, too",
                _carrying(lambda H_t, C_t, H_0, C_0: (H_t, C_0))),
        Mistake("hidden-not-carried", "a network that carries C_t and starts every step from H_0: carry H_t, too",
                _carrying(lambda H_t, C_t, H_0, C_0: (H_0, C_t))),
        Mistake("hidden-carried-as-cell", "a network that carries H_t as the cell state, too: carry C_t",
                _carrying(lambda H_t, C_t, H_0, C_0: (H_t, H_t))),
        Mistake("cell-carried-as-hidden", "a network that carries C_t as the hidden state, too: carry H_t",
                _carrying(lambda H_t, C_t, H_0, C_0: (C_t, C_t))),
        Mistake("carried-swapped", "a network that carries C_t as the hidden state and H_t as the cell state",
                _carrying(lambda H_t, C_t, H_0, C_0: (C_t, H_t))),
        Mistake("squashed-cell-carried", "a network that carries tanh(C_t): carry C_t as it is",
                _carrying(lambda H_t, C_t, H_0, C_0: (H_t, np.tanh(C_t)))),
        Mistake("one-sequence's-state", "a network that carries the first sequence's states to all",
                _carrying(lambda H_t, C_t, H_0, C_0: (np.repeat(H_t[:1], len(H_t), axis=0), np.repeat(C_t[:1], len(C_t), axis=0)))),
        Mistake("starts-left-out", "a network that starts from zeros: start from H_0 and C_0",
                lambda X, H_0, C_0, *weights: _forward(X, 0 * H_0, 0 * C_0, *weights)),
        Mistake("H_0-left-out", "a network whose hidden state starts from zeros: start from H_0",
                lambda X, H_0, C_0, *weights: _forward(X, 0 * H_0, C_0, *weights)),
        Mistake("C_0-left-out", "a network whose cell state starts from zeros: start from C_0",
                lambda X, H_0, C_0, *weights: _forward(X, H_0, 0 * C_0, *weights)),
        Mistake("starts-swapped", "a network that starts from C_0 as the hidden state and from H_0 as the cell state",
                lambda X, H_0, C_0, *weights: _forward(X, C_0, H_0, *weights)),
        Mistake("swapped", "right states with C before H", _returning(lambda H, C: (C, H))),
        Mistake("last-cell-only", "right states, but C of the last step only: return all of them", _returning(lambda H, C: (H, C[-1]))),
        Mistake("last-states-only", "right states of the last step only: return all of them", _returning(lambda H, C: (H[-1], C[-1]))),
        Mistake("hidden-only", "right hidden states without the cell states: return both", _returning(lambda H, C: H)),
        Mistake("hidden-twice", "right hidden states, returned as the cell states, too", _returning(lambda H, C: (H, H.copy()))),
        Mistake("lists", "right states in two lists: stack each to one array", _returning(lambda H, C: (list(H), list(C)))),
        Mistake("one-array", "right states joined to one array: return two", _returning(lambda H, C: np.concatenate([H, C], axis=-1))),
        Mistake("pairs", "right states as a list of pairs, step by step: return H and C, each one array",
                _returning(lambda H, C: list(zip(H, C)))),
        Mistake("start-included", "right states with the start before them: H_0 and C_0 are not among the results",
                lambda X, H_0, C_0, *weights: tuple(
                    np.concatenate([start[None], states]) for start, states in zip((H_0, C_0), _forward(X, H_0, C_0, *weights)))),
        Mistake("one-step-late", "right states one step late, the start among them: H[0] and C[0] come after the first input",
                lambda X, H_0, C_0, *weights: tuple(
                    np.concatenate([start[None], states[:-1]]) for start, states in zip((H_0, C_0), _forward(X, H_0, C_0, *weights)))),
        Mistake("batch-first", "right states with the batch before time: keep time first, (T, N, H)",
                _returning(lambda H, C: (H.swapaxes(0, 1).copy(), C.swapaxes(0, 1).copy()))),
        Mistake("batch-for-time", "a network that walks along the batch in place of time, which runs only where T is N or less: the first axis "
                "is time", _batch_for_time),
        Mistake("reversed", "a network that reads from the last step to the first",
                lambda X, *rest: tuple(states[::-1].copy() for states in _forward(X[::-1], *rest))),
        Mistake("results-reversed", "right states from the last step to the first", _returning(lambda H, C: (H[::-1].copy(), C[::-1].copy()))),
        Mistake("one-buffer", "a network that keeps one and the same array at every step, so that all show the last state: make a new "
                "array at each step, or copy", _one_buffer),
        Mistake("in-H_0-and-C_0", "right states from a network that writes into H_0 and C_0: the caller's arrays may not change",
                _start_in_place),
        Mistake("in-C_0", "a network that works inside C_0, as C_t *= f does, and keeps that one array at every step: make a new one",
                _cell_in_place),
        float32_mistake(lambda *arguments: cells.lstm_forward(*arguments)[:2], tolerance=1e-4),
    ),
)


# --- lstm_backward -----------------------------------------------------------------------------


def _backward_case(name: str, rng: np.random.Generator, T: int, N: int, D: int, H: int, loss_at=slice(None), of: Callable = _forward_case,
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
        _with_loss(overflow, rng, _wide_open(_forward_case(overflow, rng, T, N, D, H))),
        _with_loss("a long memory: forget gates near 1 (T=60)", rng, _remembering(rng, 60, N, D, H)),
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


def _walk(dH, X, H_0, C_0, H, C, W_x, W_h, b, *, order="ifgo", joined=None, split=lambda Z: np.split(Z, 4, axis=-1), terms=_sum_of_terms,
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


BACKWARD_TASK = Task(
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
        *(Mistake(f"joined-{order}", f"a backward pass that joins the gates' gradients in the order {', '.join(order)}: it is i, f, g, o",
                  _backward_with(joined=order)) for order in ("ifog", "figo", "igfo")),
        *(Mistake(f"order-{order}", f"a backward pass with the gates in the order {', '.join(order)}: it is i, f, g, o",
                  _backward_with(order=order), section=GATES) for order in ("ifog", "figo", "igfo")),
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
                "tanh", _backward_with(gate=_unstable_sigmoid), section=GATES),
        Mistake("float32", "a right solution that works in float32 somewhere: keep everything float64", in_float32(_backward),
                tolerance=1e-3),
    ),
)


# --- lstm_from_torch ---------------------------------------------------------------------------


def _torch_case(name: str, rng: np.random.Generator, D: int, H: int, zero=()) -> Case:
    bound = 1 / math.sqrt(H)  # as torch draws them
    shapes = {"weight_ih": (4 * H, D), "weight_hh": (4 * H, H), "bias_ih": (4 * H,), "bias_hh": (4 * H,)}
    return Case(name, zeroed({name: rng.uniform(-bound, bound, shape) for name, shape in shapes.items()}, *zero))


def _torch_values(rng: np.random.Generator) -> list[Case]:
    D, H = sizes(rng, 2)
    return [
        _torch_case("the matrices (both biases are zero)", rng, D, H, zero=("bias_ih", "bias_hh")),
        _torch_case("the first bias (bias_hh is zero)", rng, D, H, zero=("bias_hh",)),
        _torch_case("the second bias (bias_ih is zero)", rng, D, H, zero=("bias_ih",)),
        _torch_case("both biases", rng, D, H),
        _torch_case("as many inputs as units (D=H)", rng, H, H),
        _torch_case("four times as many inputs as units (D=4H)", rng, 4 * H, H),
        _torch_case("one input, one unit (D=H=1)", rng, 1, 1),
    ]


def _from_torch(weight_ih, weight_hh, bias_ih, bias_hh, *, matrix=lambda w: w.T, bias=lambda ih, hh: ih + hh):
    return matrix(weight_ih), matrix(weight_hh), bias(bias_ih, bias_hh)


def _torch_with(**changes) -> Callable:
    return functools.partial(_from_torch, **changes)


def _torch_order(*places: int) -> Callable:
    """Right but for the order of the four gates."""
    def convert(*arguments):
        return tuple(np.concatenate([np.split(w, 4, axis=-1)[k] for k in places], axis=-1) for w in _from_torch(*arguments))

    return convert


def _gates_transposed_apart(w):
    """Each gate's block transposed, and the blocks stacked below one another."""
    return np.concatenate([block.T for block in np.split(w, 4)], axis=0)


def _sum_in_place(weight_ih, weight_hh, bias_ih, bias_hh):
    bias_ih += bias_hh
    return weight_ih.T, weight_hh.T, bias_ih


TORCH_TASK = Task(
    name="lstm_from_torch", assignment=ASSIGNMENT, points=2, section=FROM_TORCH,
    arguments={"weight_ih": ("4H", "D"), "weight_hh": ("4H", "H"), "bias_ih": ("4H",), "bias_hh": ("4H",)},
    outputs=WEIGHTS,
    form_case=lambda rng: _torch_case("small sizes", rng, *sizes(rng, 2)),
    value_cases=_torch_values,
    reference=reference.lstm_from_torch, solution=_from_torch,
    mistakes=(
        Mistake("not-transposed", "weights as torch keeps them: transpose both matrices, so that rows belong to what comes in",
                _torch_with(matrix=lambda w: w)),
        Mistake("W_h-not-transposed", "weights with only W_x transposed: transpose weight_hh, too",
                lambda *arguments: (_from_torch(*arguments)[0], arguments[1], _from_torch(*arguments)[2])),
        Mistake("W_x-not-transposed", "weights with only W_h transposed, which has the right shape where D = 4H: transpose weight_ih, too",
                lambda *arguments: (arguments[0], *_from_torch(*arguments)[1:])),
        Mistake("reshaped", "weights that are reshaped in place of transposed: the shape is right and every number is elsewhere; use .T",
                _torch_with(matrix=lambda w: w.reshape(w.shape[::-1]))),
        Mistake("gates-apart", "weights whose four gates are transposed one by one and stacked below one another: they lie side by side",
                _torch_with(matrix=_gates_transposed_apart)),
        Mistake("gates-interleaved", "weights whose gates are interleaved, unit by unit: they lie one after another, H columns each",
                _torch_with(matrix=lambda w: w.reshape(4, -1, w.shape[1]).transpose(2, 1, 0).reshape(w.shape[1], -1))),
        *(Mistake(f"order-{order}", f"weights with the gates put in the order {', '.join(order)}: torch's order is ours, i, f, g, o",
                  _torch_order(*map("ifgo".index, order)), section=GATES) for order in ("ifog", "figo", "igfo", "ogfi")),
        Mistake("first-bias-only", "weights with the bias bias_ih alone: our b is the sum of torch's two", _torch_with(bias=lambda ih, hh: ih)),
        Mistake("second-bias-only", "weights with the bias bias_hh alone: our b is the sum of torch's two", _torch_with(bias=lambda ih, hh: hh)),
        Mistake("biases-averaged", "weights with the mean of torch's two biases: both are added in the gate, so b is their sum",
                _torch_with(bias=lambda ih, hh: (ih + hh) / 2)),
        Mistake("biases-subtracted", "weights with the difference of torch's two biases: b is their sum",
                _torch_with(bias=lambda ih, hh: ih - hh)),
        Mistake("biases-joined", "weights with torch's two biases one after the other: b is their sum, (4H,)",
                _torch_with(bias=lambda ih, hh: np.concatenate([ih, hh]))),
        Mistake("both-biases", "weights with both biases: b is their sum", lambda *arguments: (*_from_torch(*arguments)[:2], *arguments[2:])),
        Mistake("swapped", "weights with W_h before W_x", lambda *arguments: (lambda W_x, W_h, b: (W_h, W_x, b))(*_from_torch(*arguments))),
        Mistake("in-bias_ih", "right weights whose bias was added up inside bias_ih: make a new array", _sum_in_place),
        float32_mistake(_from_torch),
    ),
)

TASKS = (INIT_TASK, STEP_TASK, FORWARD_TASK, BACKWARD_TASK, TORCH_TASK)
