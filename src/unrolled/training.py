"""Training a recurrent language model in NumPy: loss, gradients, clipping, the loop, scoring and sampling."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from . import cells
from .metrics import cross_entropy, cross_entropy_backward, log_softmax, softmax

STOPPED = "Short run: the training stopped early, after {count} × {unit}. Its numbers differ from those of a whole run."

Params = dict[str, np.ndarray]
State = tuple[np.ndarray, ...]  # (H,) for RNN and GRU, (H, C) for LSTM; each (N, H)
Batch = tuple[np.ndarray, np.ndarray]  # (X, Y), ids (T, N)
Item = TypeVar("Item")


# --- Models ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """A recurrent cell as training sees it.

    shapes(D, H): the shape of each weight, in the order of the functions' arguments. states: how many arrays its state
    has. forward(X, state, weights) gives `H`, the last state, and a trace; backward(dH, X, state, trace, weights) gives the
    gradients of the weights.
    """

    name: str
    states: int
    shapes: Callable[[int, int], dict[str, tuple[int, ...]]]
    forward: Callable
    backward: Callable


def _rnn_shapes(D, H):
    return {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}


def _rnn_forward(X, state, weights):
    H = cells.rnn_forward(X, *state, *weights)
    return H, (H[-1],), H


def _rnn_backward(dH, X, state, H, weights):
    W_xh, W_hh, _ = weights
    return cells.rnn_backward(dH, X, *state, H, W_xh, W_hh)[2:]


def _lstm_shapes(D, H):
    return {"W_x": (D, 4 * H), "W_h": (H, 4 * H), "b": (4 * H,)}


def _lstm_forward(X, state, weights):
    H, C, gates = cells.lstm_forward(X, *state, *weights)
    return H, (H[-1], C[-1]), (H, C, gates)


def _lstm_backward(dH, X, state, trace, weights):
    W_x, W_h, _ = weights
    return cells.lstm_backward(dH, X, *state, *trace, W_x, W_h)[3:]


def _gru_shapes(D, H):
    return {"W_x": (D, 3 * H), "W_h": (H, 3 * H), "b_x": (3 * H,), "b_h": (3 * H,)}


def _gru_forward(X, state, weights):
    H, trace = cells.gru_forward(X, *state, *weights)
    return H, (H[-1],), (H, trace)


def _gru_backward(dH, X, state, trace, weights):
    W_x, W_h, _, _ = weights
    return cells.gru_backward(dH, X, *state, *trace, W_x, W_h)[2:]


RNN = Cell("RNN", 1, _rnn_shapes, _rnn_forward, _rnn_backward)
LSTM = Cell("LSTM", 2, _lstm_shapes, _lstm_forward, _lstm_backward)
GRU = Cell("GRU", 1, _gru_shapes, _gru_forward, _gru_backward)


@dataclass
class LanguageModel:
    """A cell, an output layer, and their weights. Inputs are ids, which stand for one-hot rows (D = V)."""

    cell: Cell
    params: Params

    @property
    def H(self) -> int:
        """Hidden units."""
        return self.params["W_hq"].shape[0]

    @property
    def V(self) -> int:
        """Tokens in the vocabulary."""
        return self.params["W_hq"].shape[1]

    def zero_state(self, N: int) -> State:
        """The state before the first token, for N sequences."""
        return tuple(np.zeros((N, self.H), dtype=self.params["W_hq"].dtype) for _ in range(self.cell.states))

    def weights(self) -> tuple[np.ndarray, ...]:
        """The cell's weights, in the order of its functions' arguments."""
        return tuple(self.params[name] for name in self.cell.shapes(self.V, self.H))

    def logits(self, X: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Logits `(T, N, V)` for the token after each of the ids X `(T, N)`, and the last state."""
        H, state, _ = self.cell.forward(X, state, self.weights())
        return cells.output_logits(H, self.params["W_hq"], self.params["b_q"]), state


def init_model(
    cell: Cell, V: int, H: int, rng: np.random.Generator | int, dtype: type = np.float64, forget_bias: float = 1.0
) -> LanguageModel:
    """A new model: weights uniform in ±1/√H, biases zero, but an LSTM's forget gates start at `forget_bias`.

    dtype: float64 for checks; float32 trains about twice as fast.
    """
    if V < 1 or H < 1:
        raise ValueError(f"A model needs V >= 1 tokens and H >= 1 hidden units; received V={V}, H={H}.")
    rng, bound = np.random.default_rng(rng), 1 / math.sqrt(H)
    params: Params = {}
    for name, shape in {**cell.shapes(V, H), "W_hq": (H, V), "b_q": (V,)}.items():
        params[name] = (
            np.zeros(shape, dtype) if len(shape) == 1 else rng.uniform(-bound, bound, shape).astype(dtype)
        )
    if cell == LSTM:  # in another process it is a copy
        params["b"][H : 2 * H] = forget_bias
    return LanguageModel(cell, params)


def loss_and_gradients(
    model: LanguageModel, X: np.ndarray, Y: np.ndarray, state: State
) -> tuple[float, Params, State]:
    """Mean loss in nats a token, its gradient for every weight, and the last state.

    X, Y: ids `(T, N)`. The gradient is cut at the start of X: `state` counts as a constant.
    """
    weights, W_hq, b_q = model.weights(), model.params["W_hq"], model.params["b_q"]
    H, last_state, trace = model.cell.forward(X, state, weights)
    logits = cells.output_logits(H, W_hq, b_q)
    loss = cross_entropy(logits, Y)
    dH, dW_hq, db_q = cells.output_logits_backward(cross_entropy_backward(logits, Y), H, W_hq)
    gradients = model.cell.backward(dH, X, state, trace, weights)
    grads = dict(zip(model.cell.shapes(model.V, model.H), gradients, strict=True))
    return loss, grads | {"W_hq": dW_hq, "b_q": db_q}, last_state


# --- Training ----------------------------------------------------------------------------------


class TrainingDiverged(RuntimeError):
    """The loss or a gradient is no longer a finite number."""


@dataclass(frozen=True)
class History:
    """What happened at each update: losses in nats a token, and the gradient's norm before clipping. Each `(updates,)`."""

    losses: np.ndarray
    norms: np.ndarray


def gradient_norm(grads: Params) -> float:
    """The Euclidean norm of all gradients taken together."""
    return math.sqrt(sum(float(np.vdot(g, g)) for g in grads.values()))


def clip_by_norm(grads: Params, theta: float) -> tuple[Params, float]:
    """Scale all gradients by theta / norm when their common norm exceeds theta; also returns the norm before.

    Returns new arrays. theta: more than 0, `math.inf` for no clipping; ValueError otherwise.
    """
    if not theta > 0:
        raise ValueError(f"theta must be more than 0 (math.inf for no clipping); received {theta}.")
    norm = gradient_norm(grads)
    scale = float(theta / norm) if norm > theta else 1.0  # a Python float leaves float32 gradients float32
    return {name: g * scale for name, g in grads.items()}, norm


class SGD:
    """Stochastic gradient descent: each weight moves by -lr times its gradient. Changes `params` in place."""

    def __init__(self, lr: float):
        self.lr = lr

    def update(self, params: Params, grads: Params) -> None:
        """Take one step."""
        for name, g in grads.items():
            params[name] -= params[name].dtype.type(self.lr) * g


class Adam:
    """Adam [kingma2015] with a learning rate that falls to zero along a half cosine over `steps` updates, if given.

    Changes `params` in place.
    """

    def __init__(self, lr: float, steps: int | None = None, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8):
        if steps is not None and steps < 1:
            raise ValueError(f"steps is the number of updates, 1 or more; received {steps}.")
        self.lr, self.steps, self.beta_1, self.beta_2, self.epsilon = lr, steps, beta_1, beta_2, epsilon
        self.t = 0
        self._mean: Params = {}
        self._square: Params = {}

    def update(self, params: Params, grads: Params) -> None:
        """Take one step."""
        lr = self.lr
        if self.steps is not None:
            lr *= 0.5 * (1 + math.cos(math.pi * min(self.t / self.steps, 1.0)))
        self.t += 1
        # Both corrections for the zero start, folded into the step size.
        step = lr * math.sqrt(1 - self.beta_2**self.t) / (1 - self.beta_1**self.t)
        epsilon = self.epsilon * math.sqrt(1 - self.beta_2**self.t)
        for name, g in grads.items():
            mean = self._mean.setdefault(name, np.zeros_like(g))
            square = self._square.setdefault(name, np.zeros_like(g))
            mean += (1 - self.beta_1) * (g - mean)
            square += (1 - self.beta_2) * (g * g - square)
            params[name] -= (step * mean / (np.sqrt(square) + epsilon)).astype(g.dtype, copy=False)


def batches_of(batches: Iterable[Batch]) -> Iterator[Batch]:
    """The batches of one pass. Raises ValueError for a single batch, and for no batch at all."""
    if isinstance(batches, tuple) and len(batches) == 2 and isinstance(batches[0], np.ndarray):
        raise ValueError(
            "passes should hold all batches of each pass, as [batches] * 3 does for three; received one batch (X, Y) "
            "in place of a pass."
        )
    count = 0
    for batch in batches:
        count += 1
        yield batch
    if count == 0:
        raise ValueError(
            "A pass should have at least one batch; received none: if it is an iterator that an earlier pass used up, "
            "make a new one for each pass."
        )


def _keep_freed_memory() -> None:
    """Let the C library keep freed memory for the next update.

    glibc hands freed memory back to the system beyond twice the largest block freed so far, and each update then pays for a
    thousand fresh pages: a sixth of its time. A block that is never touched costs nothing and raises that bound.
    """
    np.empty(30_000_000, np.uint8)


@contextlib.contextmanager
def _threads(H: int) -> Iterator[None]:
    """One thread for the products of small matrices, where threadpoolctl is installed.

    Sharing them out saves little, and costs ten times as much while another program has one of the cores.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield
        return
    with threadpool_limits(1 if H < 256 else None, user_api="blas"):
        yield


@np.errstate(over="ignore", invalid="ignore")  # TrainingDiverged says it once, and says where
def train(
    model: LanguageModel,
    passes: Iterable[Sequence[tuple[np.ndarray, np.ndarray]]],
    optimizer: SGD | Adam,
    theta: float = 1.0,
    carry_state: bool = True,
) -> History:
    """Train a model in place; returns loss and gradient norm of every update.

    passes: for each pass over the text its batches `(X, Y)` of ids `(T, N)`. The state is zero at the start of a pass and
    carried from batch to batch, its gradient cut (truncated backpropagation through time); with `carry_state=False` it is zero at the
    start of every batch, as random batches need. theta: the gradient norm that clipping allows; `math.inf` for no clipping.
    Raises TrainingDiverged as soon as the loss or the gradient is not finite, ValueError for a pass without batches.

    With the environment variable ``UNROLLED_SHORT_RUN=20`` a training stops after 20 s, and says so: for a slow machine, such as a page's Python.
    """
    _keep_freed_memory()
    end = _end_of_short_run()
    losses: list[float] = []
    norms: list[float] = []
    with _threads(model.H):
        for batches in progress(passes, "pass"):
            state: State | None = None
            for X, Y in batches_of(batches):
                if state is None or not carry_state:
                    state = model.zero_state(X.shape[1])
                loss, grads, state = loss_and_gradients(model, X, Y, state)
                grads, norm = clip_by_norm(grads, theta)
                if not (math.isfinite(loss) and math.isfinite(norm)):
                    raise TrainingDiverged(
                        f"Training diverged at update {len(losses) + 1}: loss {loss:.4g}, gradient norm {norm:.4g}. "
                        "Clip the gradient (theta), or lower the learning rate."
                    )
                optimizer.update(model.params, grads)
                losses.append(loss)
                norms.append(norm)
                if time.monotonic() > end:
                    break
            if time.monotonic() > end:
                print(STOPPED.format(count=len(losses), unit="update"))
                break
    return History(np.array(losses), np.array(norms))


def progress(items: Iterable[Item], unit: str) -> Iterator[Item]:
    """Show a progress bar while items are taken, and leave nothing behind; `UNROLLED_PROGRESS=off` shows none.

    `UNROLLED_SHORT_RUN=20` ends the items after 20 s; each bar begins to count anew.
    """
    try:
        from tqdm import tqdm  # in plain text: a notebook widget would be stored with the notebook
    except ImportError:  # Python in a page, which shows no bar and is spared 80 kB
        return _until(_end_of_short_run(), items, unit)
    # position=0: networks that train side by side share one line, where tqdm would stack them and pages can't move the cursor up.
    shown = tqdm(items, unit=unit, leave=False, position=0, disable=os.environ.get("UNROLLED_PROGRESS") == "off")
    return _until(_end_of_short_run(), shown, unit)


def _until(end: float, items: Iterable[Item], unit: str) -> Iterator[Item]:
    for number, item in enumerate(items):
        if number and time.monotonic() > end:
            print(STOPPED.format(count=number, unit=unit))
            return
        yield item


def _end_of_short_run() -> float:
    """When a training that begins now has to stop, by time.monotonic. Raises ValueError for what is no number of seconds."""
    asked = os.environ.get("UNROLLED_SHORT_RUN", "")
    if not asked:
        return math.inf
    try:
        return time.monotonic() + float(asked)
    except ValueError:
        raise ValueError(f"UNROLLED_SHORT_RUN should be a number of seconds, such as 20, received {asked!r}.") from None


# --- Using a model -----------------------------------------------------------------------------


def checked_text(ids: Sequence[int] | np.ndarray, V: int) -> np.ndarray:
    """ids as an array `(n,)`. Raises ValueError unless there are at least two, all integers in 0..V-1."""
    ids = np.asarray(ids)
    if ids.ndim != 1 or len(ids) < 2:
        raise ValueError(
            "Scoring needs one text of at least two tokens, one to start from and one to predict; "
            f"received shape {ids.shape}."
        )
    _check_ids(ids, V)
    return ids


def _check_ids(ids: np.ndarray, V: int) -> None:
    if not np.issubdtype(ids.dtype, np.integer):
        raise ValueError(f"Expected integer ids; received {ids.dtype}: encode the tokens first.")
    if ids.min() < 0 or ids.max() >= V:
        raise ValueError(f"This model knows ids 0..{V - 1}; received {ids.min()}..{ids.max()}.")


def token_log_probs(model: LanguageModel, ids: np.ndarray) -> np.ndarray:
    """Natural log-probability that the model gives to each of ids[1:], given all before it: `(len(ids) - 1,)` float64.

    The text is one sequence; the state starts at zero and is carried all the way.
    """
    ids = checked_text(ids, model.V)
    state = model.zero_state(1)
    pieces = []
    with _threads(model.H):
        for start in range(0, len(ids) - 1, 1000):  # piece by piece, so that memory stays small
            X, Y = ids[start : start + 1000][: len(ids) - 1 - start], ids[start + 1 : start + 1001]
            logits, state = model.logits(X[:, None], state)
            log_probs = log_softmax(logits[:, 0].astype(np.float64))
            pieces.append(log_probs[np.arange(len(Y)), Y])
    return np.concatenate(pieces)


def held_out_loss(model: LanguageModel, ids: np.ndarray) -> float:
    """Mean nats a token over ids[1:], as one sequence with the state carried from zero."""
    return float(-token_log_probs(model, ids).mean())


def sample(
    model: LanguageModel,
    prefix: Sequence[int] | np.ndarray,
    length: int,
    rng: np.random.Generator | int,
    temperature: float = 1.0,
    top_k: int | None = None,
) -> np.ndarray:
    """Continue a prefix: `length` ids after it, `(length,)`.

    The state is warmed up on the whole prefix. Each id is drawn from softmax(logits / temperature), among the `top_k` most
    likely if given; temperature 0 takes the most likely one. Ties go to the lower id.
    """
    prefix = np.asarray(prefix)
    if prefix.ndim != 1 or len(prefix) == 0:
        raise ValueError(
            "The prefix should be at least one id, shape (n,): there is no prediction without an input; "
            f"received shape {prefix.shape}."
        )
    _check_ids(prefix, model.V)
    if not temperature >= 0 or length < 0 or (top_k is not None and top_k < 1):
        raise ValueError(
            f"Expected temperature >= 0, length >= 0, top_k >= 1; received {temperature}, {length}, {top_k}."
        )
    rng = np.random.default_rng(rng)
    logits, state = model.logits(prefix[:, None], model.zero_state(1))
    drawn = np.empty(length, dtype=np.int64)
    for i in range(length):
        scores = logits[-1, 0].astype(np.float64)
        if temperature == 0:
            drawn[i] = scores.argmax()
        else:
            likeliest = np.sort(np.argsort(-scores, kind="stable")[:top_k])  # all of them for None
            drawn[i] = rng.choice(likeliest, p=softmax(scores[likeliest] / temperature))
        logits, state = model.logits(drawn[i : i + 1, None], state)
    return drawn
