"""The references of assignment 06: equal to plain NumPy, and to torch's modules as their manuals use them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import cells, metrics, reference

sizes = {name: st.integers(1, 5) for name in "TNDH"} | {"seed": st.integers(0, 99)}


def random_arrays(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def random_layer(seed, D, H):
    return tuple(random_arrays(seed, (D, H), (H, H), (H,)))


@given(**sizes)
def test_states_of_a_gru_equal_those_of_numpy(T, N, D, H, seed):
    X, H_0, *weights = random_arrays(seed, (T, N, D), (N, H), (D, 3 * H), (H, 3 * H), (3 * H,), (3 * H,))
    states, _ = cells.gru_forward(X, H_0, *weights)
    np.testing.assert_allclose(reference.gru_forward(X, H_0, *weights), states, rtol=0, atol=1e-13)
    np.testing.assert_allclose(reference.gru_step(X[0], H_0, *weights), states[0], rtol=0, atol=1e-13)


def test_layers_of_one_width_equal_a_stacked_module_of_torch():
    T, N, D, H = 6, 3, 4, 5
    layers = [random_layer(0, D, H), random_layer(1, H, H), random_layer(2, H, H)]
    module = torch.nn.RNN(D, H, num_layers=3, dtype=torch.float64)
    with torch.no_grad():
        for (W_xh, W_hh, b_h), (weight_ih, weight_hh, bias_ih, bias_hh) in zip(layers, module.all_weights):
            weight_ih.copy_(torch.tensor(W_xh.T))
            weight_hh.copy_(torch.tensor(W_hh.T))
            bias_ih.copy_(torch.tensor(b_h))
            bias_hh.zero_()
        (X,) = random_arrays(3, (T, N, D))
        theirs, h_n = module(torch.tensor(X))
    states, last_states = reference.stacked_forward(X, layers)
    np.testing.assert_allclose(states, theirs.numpy(), rtol=0, atol=1e-13)
    np.testing.assert_allclose(last_states, h_n.numpy(), rtol=0, atol=1e-13)


def test_layers_may_differ_in_width():
    (X,) = random_arrays(0, (4, 2, 3))
    states, last_states = reference.stacked_forward(X, [random_layer(1, 3, 5), random_layer(2, 5, 1), random_layer(3, 1, 4)])
    assert states.shape == (4, 2, 4) and [state.shape for state in last_states] == [(2, 5), (2, 1), (2, 4)]
    np.testing.assert_array_equal(last_states[-1], states[-1])


@settings(max_examples=30)
@given(**sizes, data=st.data())
def test_each_sequence_is_read_in_both_directions_as_if_alone(T, N, D, H, seed, data):
    lengths = np.array(data.draw(st.lists(st.integers(1, T), min_size=N, max_size=N)))
    (X,) = random_arrays(seed, (T, N, D))
    forward, backward = random_layer(seed + 1, D, H), random_layer(seed + 2, D, H)
    both = reference.bidirectional_forward(X, lengths, forward, backward)
    for n, length in enumerate(lengths):
        alone, start = X[:length, n : n + 1], np.zeros((1, H))
        right, left = cells.rnn_forward(alone, start, *forward), cells.rnn_forward(alone[::-1], start, *backward)[::-1]
        np.testing.assert_allclose(both[:length, n], np.concatenate([right, left], axis=-1)[:, 0], rtol=0, atol=1e-13)
        assert not both[length:, n].any()


def test_the_masked_loss_is_that_of_the_real_tokens_whatever_the_padding_holds():
    (logits,) = random_arrays(0, (5, 3, 4))
    Y, lengths = np.random.default_rng(1).integers(0, 4, (5, 3)), np.array([2, 5, 1])
    real = np.arange(5)[:, None] < lengths
    expected = metrics.cross_entropy(logits[real], Y[real])
    for padding in (0.0, np.inf, -np.inf, np.nan):
        logits[~real] = padding
        assert reference.masked_cross_entropy(logits, Y, lengths) == pytest.approx(expected, rel=1e-12)


def test_references_leave_the_random_state_of_torch_alone():
    before = torch.get_rng_state()
    X, H_0, *weights = random_arrays(0, (3, 2, 4), (2, 5), (4, 15), (5, 15), (15,), (15,))
    reference.gru_forward(X, H_0, *weights)
    reference.bidirectional_forward(X, np.array([3, 1]), random_layer(1, 4, 5), random_layer(2, 4, 5))
    assert torch.equal(torch.get_rng_state(), before)
