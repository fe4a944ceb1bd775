"""`truncated_rnn_backward`: backpropagation that is cut after k steps."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .... import cells, reference
from ...task import Case, Mistake, Section, Task
from ..common import float32_mistake, sizes
from . import rnn_backward
from .shared import ASSIGNMENT, BY_HAND, backward_case, in_every_step, step_backward, through_time

TRUNCATION = Section("recurrence/bptt", "bptt-truncation", "Cut short: truncation")


def _truncated_case(name: str, rng: np.random.Generator, k: int, T: int, *rest, **options) -> Case:
    case = backward_case(name, rng, T, *rest, **options)
    return Case(case.name, {**case.arguments, "k": k})


def _truncated_values(rng: np.random.Generator) -> list[Case]:
    N, D, H = sizes(rng, 3)
    k = int(rng.integers(3, 6))
    return [
        _truncated_case("two steps, each for itself (k=1)", rng, 1, 2, N, D, H),
        _truncated_case("two stretches of two steps, loss at the last step", rng, 2, 4, N, D, H, loss_at=-1),
        _truncated_case("two stretches of two steps, loss at all", rng, 2, 4, N, D, H),
        _truncated_case("several stretches, loss at all", rng, k, 3 * k, N, D, H),
        _truncated_case("a last stretch that is shorter (T is no multiple of k)", rng, k, 2 * k + 2, N, D, H),
        _truncated_case("every step for itself (k=1)", rng, 1, 5, N, D, H),
        _truncated_case("one stretch, nothing is cut (k=T)", rng, k, k, N, D, H),
        _truncated_case("stretches longer than the text (k>T)", rng, k + 3, k, N, D, H),
        _truncated_case("as many steps as sequences, as many inputs as units (T=N, D=H)", rng, 2, k + 2, k + 2, H, H),
        _truncated_case("one sequence (N=1)", rng, 2, 5, 1, D, H),
        _truncated_case("many steps (T=50, k=8)", rng, 8, 50, N, D, H),
    ]


def _truncated(dH, X, H_0, H, W_xh, W_hh, k, *, step=step_backward, H_prev=None):
    return through_time(dH, X, H_0, H, W_xh, W_hh, step=step, H_prev=H_prev, passes=lambda t: t % k != 0)


def _cut_where(passes: Callable) -> Callable:
    """Truncation that lets a gradient pass from step t to t - 1 where `passes(t, k, T)`."""
    return lambda dH, X, H_0, H, W_xh, W_hh, k: through_time(
        dH, X, H_0, H, W_xh, W_hh, passes=lambda t: passes(t, k, len(X)))


def _state_cut_too(dH, X, H_0, H, W_xh, W_hh, k, start=lambda H_0: 0 * H_0):
    H_prev = cells.previous_states(H, H_0)
    H_prev[k::k] = start(H_0)
    return _truncated(dH, X, H_0, H, W_xh, W_hh, k, H_prev=H_prev)


def _stretches(dH, X, H_0, H, W_xh, W_hh, k) -> list[tuple]:
    """The right gradients of each stretch, from the first to the last."""
    H_prev = cells.previous_states(H, H_0)
    return [
        cells.rnn_backward(dH[s : s + k], X[s : s + k], H_prev[s], H[s : s + k], W_xh, W_hh) for s in range(0, len(X), k)
    ]


def _joined(parts: list[tuple], start: int = 0, weights: Callable = sum) -> tuple:
    """The stretches' gradients put together; dH_0 from the one given, weights by `weights`."""
    dX, dH_0, *grads = zip(*parts)
    return np.concatenate(dX), dH_0[start], *(weights(list(grad)) for grad in grads)


def _whole_stretches_only(dH, X, H_0, H, W_xh, W_hh, k):
    parts = _stretches(dH, X, H_0, H, W_xh, W_hh, k)
    if len(X) % k:
        parts[-1] = tuple(0 * grad for grad in parts[-1])
    return _joined(parts)


def _first_stretch_only(*arguments):
    first, *others = _stretches(*arguments)
    return _joined([first, *(tuple(0 * grad for grad in part) for part in others)])


def _last_k_steps(dH, X, H_0, H, W_xh, W_hh, k):
    start = max(0, len(X) - k)
    dX_end, *others = through_time(dH[start:], X[start:], cells.previous_states(H, H_0)[start], H[start:], W_xh, W_hh)
    dX = np.zeros_like(X)
    dX[start:] = dX_end
    return dX, *others


def _dH_0_of_all_stretches(*arguments):
    parts = _stretches(*arguments)
    dX, _, *weights = _joined(parts)
    return dX, sum(part[1] for part in parts), *weights


def _sliding_window(dH, X, H_0, H, W_xh, W_hh, k):
    """Each step's own gradient goes back over k steps, wherever it starts."""
    results = None
    for s in range(len(X)):
        only = np.zeros_like(dH)
        only[s] = dH[s]
        terms = through_time(only, X, H_0, H, W_xh, W_hh, passes=lambda t, s=s: t > s - k + 1)
        if s >= k:
            terms = (terms[0], 0 * terms[1], *terms[2:])
        results = terms if results is None else tuple(a + b for a, b in zip(results, terms))
    return results


def _last_loss_of_stretch_only(dH, X, H_0, H, W_xh, W_hh, k):
    only = np.zeros_like(dH)
    ends = [*range(k - 1, len(dH) - 1, k), len(dH) - 1]
    only[ends] = dH[ends]
    return _truncated(only, X, H_0, H, W_xh, W_hh, k)


def _number_of_stretches(dH, X, H_0, H, W_xh, W_hh, k):
    return _truncated(dH, X, H_0, H, W_xh, W_hh, max(1, math.ceil(len(X) / k)))


def _dH_0_of_one_stretch_only(*arguments):
    dX, dH_0, *weights = _truncated(*arguments)
    k = arguments[-1]
    return dX, dH_0 if len(dX) <= k else 0 * dH_0, *weights


def _dX_reversed_by_stretch(*arguments):
    parts = _stretches(*arguments)
    return np.concatenate([part[0] for part in reversed(parts)]), *_joined(parts)[1:]


def _truncated_into_dH(dH, X, H_0, H, W_xh, W_hh, k):
    results = _truncated(dH, X, H_0, H, W_xh, W_hh, k)
    dH += 1
    return results


TASK = Task(
    name="truncated_rnn_backward", assignment=ASSIGNMENT, points=2, section=TRUNCATION, uses=("rnn_step_backward", "rnn_backward"),
    arguments={**rnn_backward.TASK.arguments, "k": None},
    outputs=rnn_backward.TASK.outputs,
    form_case=lambda rng: _truncated_case("several stretches", rng, 2, 6, *sizes(rng, 3)),
    value_cases=_truncated_values,
    reference=reference.truncated_rnn_backward, solution=_truncated,
    mistakes=(
        Mistake("not-truncated", "a backward pass that is not truncated: it takes no notice of k", _cut_where(lambda t, k, T: True)),
        Mistake("nothing-flows", "a backward pass in which nothing flows from any step to the one before: inside a stretch of k steps it "
                "does", _cut_where(lambda t, k, T: False)),
        Mistake("cut-one-step-late", "a backward pass cut one step further on: nothing flows from code step k to k - 1, so the first "
                "stretch is steps 0 to k - 1", _cut_where(lambda t, k, T: (t - 1) % k != 0 or t == 1)),
        Mistake("cut-one-step-early", "a backward pass cut one step too early: nothing flows from code step k to k - 1, so the first "
                "stretch is steps 0 to k - 1", _cut_where(lambda t, k, T: (t + 1) % k != 0)),
        Mistake("stretches-from-the-end", "a backward pass whose stretches are counted from the last step: they begin at code steps 0, "
                "k, 2k, ...", _cut_where(lambda t, k, T: (T - t) % k != 0)),
        Mistake("cut-once", "a backward pass cut at code step k only: cut at 2k, 3k, ..., too", _cut_where(lambda t, k, T: t != k)),
        Mistake("last-k-steps", "a backward pass over the last k steps only: every stretch has losses and gradients of its own",
                _last_k_steps),
        Mistake("first-stretch-only", "a backward pass over the first stretch only", _first_stretch_only),
        Mistake("whole-stretches-only", "a backward pass that leaves out a last stretch shorter than k: it counts, too",
                _whole_stretches_only),
        Mistake("sliding-window", "a backward pass in which each step's own gradient goes back over k steps: the cuts stand still, at "
                "code steps k, 2k, ...", _sliding_window),
        Mistake("state-cut-too", "a backward pass that sets the state before a cut to zero in dW_hh: the gradient is cut, the value of "
                "the state is not", _state_cut_too),
        Mistake("H_0-at-each-stretch", "a backward pass that lets every stretch start from H_0 in dW_hh: it started from the last state of "
                "the stretch before, H[m * k - 1]",
                lambda *arguments: _state_cut_too(*arguments, start=lambda H_0: H_0)),
        Mistake("dH_0-of-last-stretch", "a backward pass whose dH_0 comes from the last stretch: only the first one begins at H_0",
                lambda *arguments: _joined(_stretches(*arguments), start=-1)),
        Mistake("dH_0-of-all-stretches", "a backward pass whose dH_0 is the sum over all stretches: only the first one begins at H_0",
                _dH_0_of_all_stretches),
        Mistake("dH_0-zero", "a backward pass that returns zeros for dH_0 as soon as something is cut: the gradient of the first stretch "
                "reaches H_0", _dH_0_of_one_stretch_only),
        Mistake("last-weights", "a backward pass that keeps the weight gradients of the last stretch only: add those of all stretches",
                lambda *arguments: _joined(_stretches(*arguments), weights=lambda grads: grads[-1])),
        Mistake("first-weights", "a backward pass that keeps the weight gradients of the first stretch only: add those of all stretches",
                lambda *arguments: _joined(_stretches(*arguments), weights=lambda grads: grads[0])),
        Mistake("weights-averaged", "a backward pass that averages the weight gradients over the stretches: add them",
                lambda *arguments: _joined(_stretches(*arguments), weights=lambda grads: sum(grads) / len(grads))),
        Mistake("last-loss-of-stretch-only", "a backward pass in which only the last step of each stretch has a gradient of its own: dH[t] "
                "counts at every step", _last_loss_of_stretch_only),
        Mistake("number-of-stretches", "a backward pass cut into k stretches: k is the number of steps in one", _number_of_stretches),
        Mistake("dX-stretches-reversed", "a backward pass whose dX has the last stretch first", _dX_reversed_by_stretch),
        *in_every_step(_truncated),
        Mistake("H_0-wraps-round", "a backward pass that takes H[t - 1] also at t = 0, where Python wraps round to the last state: the "
                "state before the first step is H_0",
                lambda dH, X, H_0, H, W_xh, W_hh, k: _truncated(
                    dH, X, H_0, H, W_xh, W_hh, k, H_prev=np.roll(H, 1, axis=0)), section=BY_HAND),
        Mistake("writes-into-dH", "right gradients from a backward pass that writes into dH: the caller's array may not change",
                _truncated_into_dH),
        float32_mistake(_truncated),
    ),
)
