"""RNN, LSTM and GRU in NumPy: forward equal to torch's, backward equal to autograd and to central differences."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unrolled import cells


@dataclass(frozen=True)
class Kind:
    """A cell as these tests see it: `forward(X, *states, *weights)` gives a tuple of which H is the first."""

    name: str
    gates: int
    biases: int
    states: int
    forward: Callable
    step: Callable
    backward: Callable  # (dH, X, states, forward's results, weights) -> gradients of X, states, weights
    torch_cell: type


def _rnn_backward(dH, X, states, results, weights):
    return cells.rnn_backward(dH, X, *states, *results, *weights[:2])


def _lstm_backward(dH, X, states, results, weights):
    return cells.lstm_backward(dH, X, *states, *results, *weights[:2])


def _gru_backward(dH, X, states, results, weights):
    return cells.gru_backward(dH, X, *states, *results, *weights[:2])


KINDS = [
    Kind("rnn", 1, 1, 1, lambda *a: (cells.rnn_forward(*a),), lambda *a: (cells.rnn_step(*a),), _rnn_backward, torch.nn.RNN),
    Kind("lstm", 4, 1, 2, cells.lstm_forward, cells.lstm_step, _lstm_backward, torch.nn.LSTM),
    Kind("gru", 3, 2, 1, cells.gru_forward, lambda *a: (cells.gru_step(*a),), _gru_backward, torch.nn.GRU),
]
every_cell = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
any_size = {"T": st.integers(1, 6), "N": st.integers(1, 4), "D": st.integers(1, 5), "H": st.integers(1, 5)}
any_case = given(**any_size, seed=st.integers(0, 999), scale=st.sampled_from([0.1, 1.0, 5.0]))


def drawn(kind, T, N, D, H, seed=0, scale=1.0, dtype=np.float64):
    """Inputs, non-zero start states, weights, and a gradient to send back."""
    rng = np.random.default_rng(seed)

    def normal(*shape):
        return (scale * rng.normal(size=shape)).astype(dtype)

    states = [np.tanh(normal(N, H)) for _ in range(kind.states)]
    weights = [normal(D, kind.gates * H), normal(H, kind.gates * H), *(normal(kind.gates * H) for _ in range(kind.biases))]
    return normal(T, N, D), states, weights, rng.normal(size=(T, N, H)).astype(dtype)


def in_torch(kind, X, states, weights, requires_grad=False):
    """The same computation by torch: all states H, the last states, and the leaves X, states, weights in our layout."""
    leaves = [torch.tensor(array, requires_grad=requires_grad) for array in (X, *states, *weights)]
    X, states, (W_x, W_h, b_x, *b_h) = leaves[0], leaves[1 : 1 + kind.states], leaves[1 + kind.states :]
    module = kind.torch_cell(W_x.shape[0], W_h.shape[0], dtype=X.dtype)
    parameters = {"weight_ih_l0": W_x.T, "weight_hh_l0": W_h.T, "bias_ih_l0": b_x, "bias_hh_l0": b_h[0] if b_h else 0 * b_x}
    start = tuple(state[None] for state in states)
    H, last = torch.func.functional_call(module, parameters, (X, start if kind.states > 1 else start[0]))
    return H, last if kind.states > 1 else (last,), leaves


def close(ours, theirs, tolerance):
    """Equal by the error's norm, relative to the norm of what is expected."""
    theirs = np.asarray(theirs.detach() if torch.is_tensor(theirs) else theirs)
    assert ours.shape == theirs.shape
    assert np.linalg.norm(ours - theirs) <= tolerance * max(np.linalg.norm(theirs), 1e-30)


# --- Forward -----------------------------------------------------------------------------------


@every_cell
@any_case
def test_all_states_equal_torch(kind, T, N, D, H, seed, scale):
    X, states, weights, _ = drawn(kind, T, N, D, H, seed, scale)
    ours = kind.forward(X, *states, *weights)
    theirs, last, _ = in_torch(kind, X, states, weights)
    np.testing.assert_allclose(ours[0], theirs, rtol=0, atol=1e-12)
    for k in range(kind.states):  # for an LSTM the cell state, too
        np.testing.assert_allclose(ours[k][-1], last[k][0], rtol=1e-12, atol=1e-12)


@every_cell
def test_two_hundred_steps_equal_torch(kind):
    X, states, weights, _ = drawn(kind, 200, 3, 4, 16, scale=0.3)
    np.testing.assert_allclose(kind.forward(X, *states, *weights)[0], in_torch(kind, X, states, weights)[0], rtol=0, atol=1e-12)


@every_cell
@any_case
def test_a_loop_over_steps_equals_forward(kind, T, N, D, H, seed, scale):
    X, states, weights, _ = drawn(kind, T, N, D, H, seed, scale)
    results = kind.forward(X, *states, *weights)
    for t in range(T):
        states = kind.step(X[t], *states, *weights)
        for k in range(kind.states):
            np.testing.assert_allclose(states[k], results[k][t], rtol=0, atol=1e-12)


@every_cell
@given(**any_size, cut=st.integers(1, 5))
def test_two_stretches_with_the_state_carried_equal_one(kind, T, N, D, H, cut):
    X, states, weights, _ = drawn(kind, T + cut, N, D, H)
    whole = kind.forward(X, *states, *weights)
    first = kind.forward(X[:cut], *states, *weights)
    rest = kind.forward(X[cut:], *(first[k][-1] for k in range(kind.states)), *weights)
    np.testing.assert_allclose(rest[0], whole[0][cut:], rtol=0, atol=1e-12)


@every_cell
def test_sequences_of_a_batch_do_not_touch_each_other(kind):
    X, states, weights, _ = drawn(kind, 5, 3, 4, 6)
    together = kind.forward(X, *states, *weights)[0]
    alone = kind.forward(X[:, 1:2], *(state[1:2] for state in states), *weights)[0]
    np.testing.assert_allclose(alone, together[:, 1:2], rtol=0, atol=1e-13)


@every_cell
@pytest.mark.parametrize("huge", [1e4, -1e4])
def test_saturated_gates_overflow_nowhere(kind, huge):
    X, states, weights, dH = drawn(kind, 4, 2, 3, 5)
    X[:] = huge
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        results = kind.forward(X, *states, *weights)
        gradients = kind.backward(dH, X, states, results, weights)
    assert all(np.isfinite(array).all() for array in (*results, *gradients))
    np.testing.assert_allclose(results[0], in_torch(kind, X, states, weights)[0], rtol=0, atol=1e-9)


@given(st.floats(-1e4, 1e4))
def test_sigmoid_is_the_logistic_function(x):
    assert cells.sigmoid(np.float64(x)) == pytest.approx(torch.sigmoid(torch.tensor(x, dtype=torch.float64)).item(), abs=1e-15)


# --- Backward ----------------------------------------------------------------------------------


@every_cell
@any_case
def test_every_gradient_equals_autograd(kind, T, N, D, H, seed, scale):
    X, states, weights, dH = drawn(kind, T, N, D, H, seed, scale)
    gradients = kind.backward(dH, X, states, kind.forward(X, *states, *weights), weights)
    theirs, _, leaves = in_torch(kind, X, states, weights, requires_grad=True)
    theirs.backward(torch.tensor(dH))
    for ours, leaf in zip(gradients, leaves, strict=True):
        assert ours.shape == leaf.shape
        # Where all units saturate, 1 - tanh² is a rounding error's size, and so is the gradient: hence the second term.
        assert np.linalg.norm(ours - leaf.grad.numpy()) <= 1e-10 * np.linalg.norm(leaf.grad) + 1e-13 * np.linalg.norm(dH)


@every_cell
def test_every_gradient_equals_central_differences(kind):
    X, states, weights, dH = drawn(kind, 4, 2, 3, 3, seed=7, scale=0.5)
    arguments = [X, *states, *weights]
    gradients = kind.backward(dH, X, states, kind.forward(*arguments), weights)
    for array, ours in zip(arguments, gradients, strict=True):
        numeric = np.empty_like(array)
        for index in np.ndindex(array.shape):
            kept = array[index]
            array[index] = kept + 1e-5
            above = np.vdot(dH, kind.forward(*arguments)[0])
            array[index] = kept - 1e-5
            below = np.vdot(dH, kind.forward(*arguments)[0])
            array[index] = kept
            numeric[index] = (above - below) / 2e-5
        close(ours, numeric, 1e-8)


@every_cell
@any_case
def test_gradients_add_up_over_the_losses_of_the_steps(kind, T, N, D, H, seed, scale):
    X, states, weights, dH = drawn(kind, T, N, D, H, seed, min(scale, 1.0))
    results = kind.forward(X, *states, *weights)
    together = kind.backward(dH, X, states, results, weights)
    apart = [kind.backward(dH * (np.arange(T) == t)[:, None, None], X, states, results, weights) for t in range(T)]
    for whole, *parts in zip(together, *apart, strict=True):
        np.testing.assert_allclose(sum(parts), whole, rtol=1e-10, atol=1e-10 * np.abs(whole).max())


# --- Ids in place of one-hot rows --------------------------------------------------------------


@every_cell
@given(**any_size, seed=st.integers(0, 999))
def test_ids_give_what_their_one_hot_rows_give(kind, T, N, D, H, seed):
    _, states, weights, dH = drawn(kind, T, N, D, H, seed)
    ids = np.random.default_rng(seed).integers(0, D, size=(T, N))
    rows = np.eye(D)[ids]
    of_ids, of_rows = (kind.forward(X, *states, *weights) for X in (ids, rows))
    for ours, expected in zip(of_ids, of_rows, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-13)
    no_gradient, *from_ids = kind.backward(dH, ids, states, of_ids, weights)
    _, *from_rows = kind.backward(dH, rows, states, of_rows, weights)
    assert no_gradient is None
    for ours, expected in zip(from_ids, from_rows, strict=True):
        close(ours, expected, 1e-12)


@every_cell
@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int32, np.int64])
def test_ids_may_be_of_any_integer_type(kind, dtype):
    _, states, weights, _ = drawn(kind, 3, 2, 4, 5)
    ids = np.array([[0, 3], [1, 2], [3, 3]])
    np.testing.assert_array_equal(
        kind.forward(ids.astype(dtype), *states, *weights)[0], kind.forward(ids, *states, *weights)[0]
    )


@every_cell
@pytest.mark.parametrize("dtype", [np.int64, bool, np.float32])
def test_one_hot_rows_of_whole_numbers_are_inputs_and_not_ids(kind, dtype):
    _, states, weights, dH = drawn(kind, 3, 2, 4, 5)
    rows = np.eye(4)[np.array([[0, 3], [1, 2], [3, 3]])]
    results = kind.forward(rows.astype(dtype), *states, *weights)
    np.testing.assert_array_equal(results[0], kind.forward(rows, *states, *weights)[0])
    assert kind.backward(dH, rows.astype(dtype), states, results, weights)[0].shape == rows.shape


def test_the_input_product_is_a_new_array_that_may_be_changed():
    W = np.eye(3)
    cells.input_product(np.array([[0, 1]]), W)[:] = 7
    cells.input_product(np.eye(3)[None], W)[:] = 7
    np.testing.assert_array_equal(W, np.eye(3))


# --- What functions promise about their arguments ----------------------------------------------


@every_cell
@pytest.mark.parametrize("use_ids", [False, True])
def test_nothing_passed_in_is_changed(kind, use_ids):
    X, states, weights, dH = drawn(kind, 5, 3, 4, 6)
    if use_ids:
        X = np.random.default_rng(0).integers(0, 4, size=(5, 3))
    results = kind.forward(X, *states, *weights)
    arrays = [X, *states, *weights, dH, *results]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False  # writing to it raises, wherever it happens
    kind.forward(X, *states, *weights)
    kind.backward(dH, X, states, results, weights)
    if not use_ids:
        kind.step(X[0], *states, *weights)
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)


@every_cell
@pytest.mark.parametrize("use_ids", [False, True])
def test_float32_weights_compute_in_float32(kind, use_ids):
    X, states, weights, dH = drawn(kind, 5, 3, 4, 6, dtype=np.float32)
    if use_ids:
        X = np.random.default_rng(0).integers(0, 4, size=(5, 3))
    results = kind.forward(X, *states, *weights)
    gradients = kind.backward(dH, X, states, results, weights)
    assert {array.dtype for array in (*results, *gradients) if array is not None} == {np.dtype(np.float32)}


@every_cell
def test_float64_inputs_do_not_lift_float32_weights(kind):
    X, states, weights, dH = drawn(kind, 5, 3, 4, 6)
    weights = [weight.astype(np.float32) for weight in weights]
    results = kind.forward(X, *states, *weights)
    gradients = kind.backward(dH, X, states, results, weights)
    assert {array.dtype for array in (*results, *gradients)} == {np.dtype(np.float32)}


@every_cell
def test_inputs_may_be_views_in_any_order_of_memory(kind):
    X, states, weights, dH = drawn(kind, 5, 3, 4, 6)
    strided = np.ascontiguousarray(X.swapaxes(0, 1)).swapaxes(0, 1)
    turned = [np.asfortranarray(weight) for weight in weights]
    results = kind.forward(strided, *states, *turned)
    np.testing.assert_allclose(results[0], kind.forward(X, *states, *weights)[0], rtol=0, atol=1e-13)
    expected = kind.backward(dH, X, states, results, weights)
    for ours, same in zip(kind.backward(np.asfortranarray(dH), strided, states, results, turned), expected, strict=True):
        close(ours, same, 1e-13)


@every_cell
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((5, 3, 7)), r"inputs \(T, N, D=4\) or integer ids \(T, N\), time first; received shape \(5, 3, 7\), float64"),
        (np.zeros((5, 3)), r"received shape \(5, 3\), float64"),
        (np.zeros(5, int), r"received shape \(5,\), int64"),
        (np.full((5, 3), 4), r"0\.\.3 for weights of D=4 rows; received 4\.\.4"),
        (np.full((5, 3), -1), r"received -1\.\.-1"),
        (np.zeros((0, 3, 4)), "at least one step"),
        (np.zeros((0, 3), int), "at least one step"),
        (np.zeros((3, 5, 4)), r"H_0 should be \(N, H\) = \(5, 6\) for X of shape \(3, 5, 4\), time first; received \(3, 6\)"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(kind, X, message):
    _, states, weights, _ = drawn(kind, 5, 3, 4, 6)
    with pytest.raises(ValueError, match=message):
        kind.forward(X, *states, *weights)


@every_cell
@pytest.mark.parametrize("shape", [(6,), (1, 6), (3, 5), (1, 3, 6)])
def test_a_start_state_of_another_shape_is_refused(kind, shape):
    X, states, weights, _ = drawn(kind, 5, 3, 4, 6)
    for k, name in zip(range(kind.states), ("H_0", "C_0"), strict=False):
        wrong = [*states[:k], np.zeros(shape), *states[k + 1 :]]
        with pytest.raises(ValueError, match=rf"{name} should be \(N, H\) = \(3, 6\)"):
            kind.forward(X, *wrong, *weights)


# --- Output layer ------------------------------------------------------------------------------


@given(T=st.integers(1, 5), N=st.integers(1, 4), H=st.integers(1, 5), V=st.integers(1, 6))
def test_the_output_layer_equals_torch_forward_and_backward(T, N, H, V):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((T, N, H), (H, V), (V,))]
    dlogits = rng.normal(size=(T, N, V))
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    theirs = torch.nn.functional.linear(leaves[0], leaves[1].T, leaves[2])
    theirs.backward(torch.tensor(dlogits))
    close(cells.output_logits(*arrays), theirs, 1e-13)
    for ours, leaf in zip(cells.output_logits_backward(dlogits, *arrays[:2]), leaves, strict=True):
        close(ours, leaf.grad, 1e-13)
