"""References for assignment 06: `torch.nn.GRU`, `torch.nn.RNN` stacked and in both directions, packed sequences, and `ignore_index`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .rnn_forward import torch_rnn
from .torch_arrays import numpy_array, tensor, torch_module, with_weights

Layer = tuple[np.ndarray, np.ndarray, np.ndarray]  # W_xh (D, H), W_hh (H, H), b_h (H,)

IGNORED = -100  # a target that torch leaves out of the mean


def torch_gru(W_x: np.ndarray, W_h: np.ndarray, b_x: np.ndarray, b_h: np.ndarray) -> Any:
    """`torch.nn.GRU` with the course's weights: torch keeps each matrix transposed, and the two biases as they are."""
    weights = {"weight_ih_l0": W_x.T, "weight_hh_l0": W_h.T, "bias_ih_l0": b_x, "bias_hh_l0": b_h}
    return with_weights(torch_module().nn.GRU, len(W_x), len(W_h), weights=weights)


def gru_forward(X, H_0, W_x, W_h, b_x, b_h) -> np.ndarray:
    """All states `(T, N, H)`, by `torch.nn.GRU`."""
    gru = torch_gru(W_x, W_h, b_x, b_h)
    with torch_module().no_grad():
        H, _ = gru(tensor(X), tensor(H_0)[None])
    return numpy_array(H)


def gru_step(X_t, H_prev, W_x, W_h, b_x, b_h) -> np.ndarray:
    """One step `(N, H)`, by `torch.nn.GRU` on a sequence of one."""
    return gru_forward(X_t[None], H_prev, W_x, W_h, b_x, b_h)[0]


def stacked_forward(X, layers: list[Layer]) -> tuple[np.ndarray, list[np.ndarray]]:
    """States of the top layer `(T, N, H)` and the last state of each, by one `torch.nn.RNN` for each layer.

    The layers may differ in width, which those of a single `torch.nn.RNN` can't.
    """
    states, last_states = tensor(X), []
    with torch_module().no_grad():
        for layer in layers:
            states, h_n = torch_rnn(*layer)(states)  # without a start state torch takes zeros
            last_states.append(numpy_array(h_n[0]))
    return numpy_array(states), last_states


def bidirectional_forward(X, lengths, forward: Layer, backward: Layer) -> np.ndarray:
    """Both directions `(T, N, 2H)`, by `torch.nn.RNN` with `bidirectional=True` on a packed sequence."""
    torch = torch_module()
    weights = {}
    for direction, (W_xh, W_hh, b_h) in {"": forward, "_reverse": backward}.items():
        of_one = {"weight_ih": W_xh.T, "weight_hh": W_hh.T, "bias_ih": b_h, "bias_hh": np.zeros(len(b_h))}
        weights |= {f"{name}_l0{direction}": value for name, value in of_one.items()}
    both = with_weights(torch.nn.RNN, *forward[0].shape, weights=weights, bidirectional=True)
    lengths = torch.as_tensor(np.asarray(lengths))  # torch wants them on the CPU
    with torch.no_grad():
        packed = torch.nn.utils.rnn.pack_padded_sequence(tensor(X), lengths, enforce_sorted=False)
        states, _ = torch.nn.utils.rnn.pad_packed_sequence(both(packed)[0], total_length=len(X))
    return numpy_array(states)


def masked_cross_entropy(logits, Y, lengths) -> float:
    """Mean nats over the real tokens of the batch, by `torch.nn.functional.cross_entropy` with `ignore_index` at the padding."""
    targets = np.where(np.arange(len(Y))[:, None] < lengths, Y, IGNORED)
    logits = tensor(logits)
    flat = logits.reshape(-1, logits.shape[-1])
    return torch_module().nn.functional.cross_entropy(flat, tensor(targets).reshape(-1), ignore_index=IGNORED).item()
