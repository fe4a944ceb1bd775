"""References for assignment 05: `torch.nn.LSTM` and torch's autograd through it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .torch_arrays import device, numpy_array, tensor, torch_module, with_weights


def torch_lstm(W_x: np.ndarray, W_h: np.ndarray, b: np.ndarray) -> Any:
    """`torch.nn.LSTM` with the course's weights; the second of its two biases is zero."""
    weights = {"weight_ih_l0": W_x.T, "weight_hh_l0": W_h.T, "bias_ih_l0": b, "bias_hh_l0": np.zeros(len(b))}
    return with_weights(torch_module().nn.LSTM, len(W_x), len(W_h), weights=weights)


def init_lstm(D: int, H: int, seed: int, forget_bias: float) -> tuple[np.ndarray, ...]:
    """One right drawing of `(W_x, W_h, b)`, by torch's generator; others are as right."""
    torch = torch_module()
    generator = torch.Generator().manual_seed(seed)
    W_x, W_h = (torch.empty(rows, 4, H, dtype=torch.float64).uniform_(-1, 1, generator=generator) / H**0.5 for rows in (D, H))
    b = torch.zeros(4, H, dtype=torch.float64)
    b[1] = forget_bias
    return numpy_array(W_x.reshape(D, -1)), numpy_array(W_h.reshape(H, -1)), numpy_array(b.reshape(-1))


def lstm_forward(X, H_0, C_0, W_x, W_h, b) -> tuple[np.ndarray, np.ndarray]:
    """All `H` and all `C`, `(T, N, H)` each. `torch.nn.LSTM` shows its last cell state only, so it is called step by step."""
    lstm = torch_lstm(W_x, W_h, b)
    state = tensor(H_0)[None], tensor(C_0)[None]
    states = []
    with torch_module().no_grad():
        for X_t in tensor(X):
            _, state = lstm(X_t[None], state)
            states.append(state)
    H, C = (torch_module().cat(parts) for parts in zip(*states))
    return numpy_array(H), numpy_array(C)


def lstm_step(X_t, H_prev, C_prev, W_x, W_h, b) -> tuple[np.ndarray, np.ndarray]:
    """`(H_t, C_t)`, `(N, H)` each, by `torch.nn.LSTM` on a sequence of one."""
    H, C = lstm_forward(X_t[None], H_prev, C_prev, W_x, W_h, b)
    return H[0], C[0]


def lstm_backward(dH, X, H_0, C_0, H, C, W_x, W_h, b) -> tuple[np.ndarray, ...]:
    """`(dX, dH_0, dC_0, dW_x, dW_h, db)` by autograd through `torch.nn.LSTM`.

    Raises ValueError unless that network walks through the states `H`.
    """
    lstm = torch_lstm(W_x, W_h, b)
    X, H_0, C_0 = (tensor(array).requires_grad_() for array in (X, H_0, C_0))
    walked, _ = lstm(X, (H_0[None], C_0[None]))
    if not np.allclose(numpy_array(walked), H, rtol=0, atol=1e-9):
        raise ValueError("the states H do not come from the inputs X, the starts H_0 and C_0 and the weights")
    (walked * tensor(dH)).sum().backward()  # as in truncated_rnn_backward
    grads = X.grad, H_0.grad, C_0.grad, lstm.weight_ih_l0.grad.T, lstm.weight_hh_l0.grad.T, lstm.bias_ih_l0.grad
    return tuple(numpy_array(g) for g in grads)


def lstm_from_torch(weight_ih, weight_hh, bias_ih, bias_hh) -> tuple[np.ndarray, ...]:
    """`(W_x, W_h, b)` as the affine map inside torch's cell answers: to zeros with the bias, to unit rows with the weights."""
    torch = torch_module()
    linear = torch.nn.functional.linear
    weight_ih, weight_hh, bias_ih, bias_hh = map(tensor, (weight_ih, weight_hh, bias_ih, bias_hh))
    D, H = weight_ih.shape[1], weight_hh.shape[1]
    like = {"dtype": torch.float64, "device": device()}
    W_x, W_h = linear(torch.eye(D, **like), weight_ih), linear(torch.eye(H, **like), weight_hh)
    b = linear(torch.zeros(D, **like), weight_ih, bias_ih) + linear(torch.zeros(H, **like), weight_hh, bias_hh)
    return numpy_array(W_x), numpy_array(W_h), numpy_array(b)
