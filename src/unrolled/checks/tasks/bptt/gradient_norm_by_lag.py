"""`gradient_norm_by_lag`: how much of a gradient is left the further back it has come."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .... import reference
from ...task import Case, Mistake, Output, Section, Task
from ..common import float32_mistake, sizes
from .shared import ASSIGNMENT

JACOBIANS = Section("recurrence/gradients", "grad-jacobians", "A product of Jacobians")


def _lag_case(name: str, rng: np.random.Generator, T: int, N: int, H: int, radius: float = 1.0, size: float = 0.9) -> Case:
    """States up to `size`, and weights whose singular values are about `radius`."""
    return Case(name, {"H": rng.uniform(-size, size, size=(T, N, H)), "W_hh": radius * rng.normal(size=(H, H)) / math.sqrt(H)})


def _lag_values(rng: np.random.Generator) -> list[Case]:
    T, N, H = sizes(rng, 3)
    return [
        _lag_case("one step back (T=2), one sequence", rng, 2, 1, H),
        _lag_case("two steps back (T=3), one sequence", rng, 3, 1, H),
        _lag_case("states near zero, where the slope of the tanh is 1", rng, T + 1, 1, H, size=1e-6),
        _lag_case("one unit (H=1)", rng, T + 1, 1, 1),
        _lag_case("several steps, one sequence", rng, T + 2, 1, H),
        _lag_case("several sequences", rng, T + 2, N, H),
        _lag_case("as many steps as sequences and units (T=N=H)", rng, H + 1, H + 1, H + 1),
        _lag_case("large weights, under which gradients grow", rng, T + 2, N, H, radius=3.0),
        _lag_case("saturated states, where gradients vanish", rng, T + 2, N, H, size=0.999),
        _lag_case("one step (T=1)", rng, 1, N, H),
        _lag_case("many steps (T=40)", rng, 40, N, H),
    ]


def _jacobian(slope, W_hh):
    return W_hh * slope


def _products(H, W_hh, *, slope=lambda H_t: 1 - H_t**2, jacobian=_jacobian, before=False, first=0):
    """Products of Jacobians `(T, N, H, H)` by lag; `first`: the code step, counted from the end, whose slope is used first."""
    T, N, size = H.shape
    product = np.broadcast_to(np.eye(size), (N, size, size))
    products = [product]
    for k in range(1, T):
        J = np.stack([jacobian(slope(h), W_hh) for h in H[(T - k - first) % T]])
        product = product @ J if before else J @ product
        products.append(product)
    return np.stack(products)


def _norms(products):
    return np.linalg.norm(products, axis=(2, 3)).mean(axis=1)


def _gradient_norm_by_lag(H, W_hh):
    return _norms(_products(H, W_hh))


def _lag_with(**changes) -> Callable:
    return lambda H, W_hh: _norms(_products(H, W_hh, **changes))


def _lag_norm(norm: Callable) -> Callable:
    """The right products `(T, N, H, H)` with another norm."""
    return lambda H, W_hh: norm(_products(H, W_hh))


def _last_slope_only(H, W_hh):
    return _norms(_products(np.broadcast_to(H[-1], H.shape), W_hh))


def _one_lag_less(H, W_hh):
    norms = _gradient_norm_by_lag(np.concatenate([H[:1], H]), W_hh)
    return norms[1:]


TASK = Task(
    name="gradient_norm_by_lag", assignment=ASSIGNMENT, points=2, section=JACOBIANS,
    arguments={"H": ("T", "N", "H"), "W_hh": ("H", "H")},
    outputs=(Output("norms", "array", ("T",), per_step=True),),
    form_case=lambda rng: _lag_case("several sequences", rng, *sizes(rng, 3)),
    value_cases=_lag_values,
    reference=reference.gradient_norm_by_lag, solution=_gradient_norm_by_lag,
    mistakes=(
        Mistake("slope-left-out", "norms of the powers of W_hh: each Jacobian has the slopes of the tanh, 1 - H[t] ** 2, too",
                _lag_with(slope=np.ones_like)),
        Mistake("slope-not-squared", "norms with the slope 1 - H[t]: it is 1 - H[t] ** 2", _lag_with(slope=lambda H_t: 1 - H_t)),
        Mistake("tanh-again", "norms with the slope 1 - tanh(H[t]) ** 2: H[t] is already what came out of the tanh",
                _lag_with(slope=lambda H_t: 1 - np.tanh(H_t) ** 2)),
        Mistake("rows-scaled", "norms of Jacobians whose rows are scaled by the slopes: the slope belongs to the unit of the later state, a "
                "column of W_hh", _lag_with(jacobian=lambda slope, W_hh: slope[:, None] * W_hh)),
        Mistake("W_hh-transposed", "norms of Jacobians with W_hh transposed and its columns scaled: W_hh * (1 - H[t] ** 2), or the "
                "transpose of all of it", _lag_with(jacobian=lambda slope, W_hh: W_hh.T * slope)),
        Mistake("order-reversed", "norms of products in the wrong order: going back one step more multiplies by the earlier Jacobian from "
                "the left", _lag_with(before=True)),
        Mistake("slope-one-step-early", "norms with the slopes of the step before, H[t - 1]: the Jacobian from H[t - 1] to H[t] has the "
                "slope at H[t]", _lag_with(first=1)),
        Mistake("slope-one-step-late", "norms that use H[T - k + 1] where H[T - k] is right, wrapping round to H[0] at first",
                _lag_with(first=-1)),
        Mistake("last-slope-only", "norms with the slopes of the last step throughout: each Jacobian has its own step's",
                _last_slope_only),
        Mistake("one-lag-too-far", "norms that start with one Jacobian at entry 0: entry k is a product of k Jacobians, so entry 0 is the "
                "identity's", _one_lag_less),
        Mistake("entry-0-is-one", "right norms but for entry 0: the identity of H units has the Frobenius norm sqrt(H)",
                lambda H, W_hh: np.concatenate([[1.0], _gradient_norm_by_lag(H, W_hh)[1:]])),
        Mistake("divided-by-root-H", "norms divided by sqrt(H), so that entry 0 is 1: entry 0 is sqrt(H)",
                lambda H, W_hh: _gradient_norm_by_lag(H, W_hh) / math.sqrt(len(W_hh))),
        Mistake("reversed", "right norms with the largest lag first: entry k belongs to lag k",
                lambda H, W_hh: _gradient_norm_by_lag(H, W_hh)[::-1].copy()),
        Mistake("single-Jacobians", "norms of single Jacobians: entry k is the norm of the product of k of them",
                lambda H, W_hh: np.array([math.sqrt(len(W_hh))] + [
                    np.linalg.norm(W_hh * (1 - H[-k][:, None] ** 2), axis=(1, 2)).mean() for k in range(1, len(H))])),
        Mistake("product-of-norms", "products of the Jacobians' norms: take the norm of the product, which is smaller",
                lambda H, W_hh: np.concatenate([np.full((1, H.shape[1]), math.sqrt(len(W_hh))), np.cumprod(
                    [np.linalg.norm(W_hh * (1 - H[-k][:, None] ** 2), axis=(1, 2)) for k in range(1, len(H))], axis=0).reshape(
                        -1, H.shape[1])]).mean(axis=1)),
        Mistake("norm-of-mean", "norms of the Jacobian averaged over the sequences: take each sequence's norm, then the mean",
                _lag_norm(lambda products: np.linalg.norm(products.mean(axis=1), axis=(1, 2)))),
        Mistake("mean-state", "norms for the mean state of the sequences: take each sequence's norm, then the mean",
                lambda H, W_hh: _gradient_norm_by_lag(H.mean(axis=1, keepdims=True), W_hh)),
        Mistake("first-sequence-only", "norms of the first sequence: take the mean over all",
                lambda H, W_hh: _gradient_norm_by_lag(H[:, :1], W_hh)),
        Mistake("sum-over-sequences", "norms summed over the sequences: take the mean",
                _lag_norm(lambda products: np.linalg.norm(products, axis=(2, 3)).sum(axis=1))),
        Mistake("one-norm-over-all", "one norm over all sequences together: take each sequence's norm, then the mean",
                _lag_norm(lambda products: np.sqrt((products**2).sum(axis=(1, 2, 3))))),
        Mistake("root-mean-square", "the root of the mean square over the sequences: take each sequence's norm, then the mean",
                _lag_norm(lambda products: np.sqrt((products**2).sum(axis=(2, 3)).mean(axis=1)))),
        Mistake("squared", "squared norms: take the square root", _lag_norm(lambda products: (products**2).sum(axis=(2, 3)).mean(axis=1))),
        Mistake("spectral-norm", "largest singular values: the Frobenius norm is the root of the sum of all squares",
                _lag_norm(lambda products: np.linalg.norm(products, ord=2, axis=(2, 3)).mean(axis=1))),
        Mistake("spectral-radius", "largest absolute eigenvalues: the Frobenius norm is the root of the sum of all squares",
                _lag_norm(lambda products: np.abs(np.linalg.eigvals(products)).max(axis=-1).mean(axis=1))),
        Mistake("sum-of-ones", "gradients of the sum of the last state: a gradient's norm is not the Jacobian's",
                _lag_norm(lambda products: np.linalg.norm(products.sum(axis=3), axis=2).mean(axis=1))),
        Mistake("one-lag-more", "T + 1 norms, up to a lag of T: H_0 is not among the arguments, so lags run from 0 to T - 1",
                lambda H, W_hh: np.append(_gradient_norm_by_lag(H, W_hh), 0.0)),
        float32_mistake(_gradient_norm_by_lag, tolerance=1e-4),
    ),
)
