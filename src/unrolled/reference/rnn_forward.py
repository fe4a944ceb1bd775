"""References for assignment 02: `torch.nn.RNN`, one-hot rows, the output layer and the loss."""

from __future__ import annotations

from typing import Any

import numpy as np

from .torch_arrays import numpy_array, tensor, torch_module, with_weights


def torch_rnn(W_xh: np.ndarray, W_hh: np.ndarray, b_h: np.ndarray) -> Any:
    """`torch.nn.RNN` with the course's weights: torch keeps each matrix transposed, and two biases, one of them zero here."""
    weights = {"weight_ih_l0": W_xh.T, "weight_hh_l0": W_hh.T, "bias_ih_l0": b_h, "bias_hh_l0": np.zeros(len(b_h))}
    return with_weights(torch_module().nn.RNN, *W_xh.shape, weights=weights)


def one_hot(ids: np.ndarray, V: int) -> np.ndarray:
    """ids `(T, N)` to `(T, N, V)`, by `torch.nn.functional.one_hot`."""
    return numpy_array(torch_module().nn.functional.one_hot(tensor(ids), V).double())


def rnn_forward(X, H_0, W_xh, W_hh, b_h) -> np.ndarray:
    """All states `(T, N, H)`, by `torch.nn.RNN`."""
    rnn = torch_rnn(W_xh, W_hh, b_h)
    with torch_module().no_grad():
        H, _ = rnn(tensor(X), tensor(H_0)[None])
    return numpy_array(H)


def rnn_step(X_t, H_prev, W_xh, W_hh, b_h) -> np.ndarray:
    """One step `(N, H)`, by `torch.nn.RNN` on a sequence of one."""
    return rnn_forward(X_t[None], H_prev, W_xh, W_hh, b_h)[0]


def output_logits(H, W_hq, b_q) -> np.ndarray:
    """`(T, N, V)`, by `torch.nn.functional.linear`."""
    return numpy_array(torch_module().nn.functional.linear(tensor(H), tensor(W_hq.T), tensor(b_q)))


def cross_entropy(logits, Y) -> float:
    """Mean nats a token, by `torch.nn.functional.cross_entropy`."""
    logits = tensor(logits)
    return torch_module().nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), tensor(Y).reshape(-1)).item()


def num_parameters(D: int, H: int, V: int) -> int:
    """Parameters of `torch.nn.RNN` and `torch.nn.Linear` together, less the second bias that torch's RNN has."""
    nn = torch_module().nn
    rnn, output = nn.RNN(D, H, device="meta"), nn.Linear(H, V, device="meta")
    return sum(p.numel() for p in [*rnn.parameters(), *output.parameters()]) - rnn.bias_hh_l0.numel()
