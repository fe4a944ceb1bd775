"""References for assignment 04: a recurrent language model in torch, its updates by autograd, its perplexity, its distributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .rnn_forward import torch_rnn
from .torch_arrays import numpy_array, tensor, torch_module

Params = dict[str, np.ndarray]


def _logits(params: Params, X: Any, H_0: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Logits `(T, N, V)` and the last state for ids `(T, N)`, and the torch parameters behind them, by the course's names."""
    torch = torch_module()
    rnn = torch_rnn(params["W_xh"], params["W_hh"], params["b_h"])
    W_hq, b_q = tensor(params["W_hq"].T).requires_grad_(), tensor(params["b_q"]).requires_grad_()
    H, H_T = rnn(torch.nn.functional.one_hot(tensor(X), len(params["W_xh"])).double(), tensor(H_0)[None])
    behind = {"W_xh": rnn.weight_ih_l0, "W_hh": rnn.weight_hh_l0, "b_h": rnn.bias_ih_l0, "W_hq": W_hq, "b_q": b_q}
    return torch.nn.functional.linear(H, W_hq, b_q), H_T[0], behind


def train_step(params, X, Y, H_0, lr, theta) -> tuple[Params, np.ndarray, float]:
    """New parameters, last state and loss, by `torch.nn.RNN`, autograd, and the norm of all gradients together."""
    torch = torch_module()
    logits, H_T, behind = _logits(params, X, H_0)
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), tensor(Y).reshape(-1))
    grads = dict(zip(behind, torch.autograd.grad(loss, list(behind.values()))))
    norm = torch.linalg.vector_norm(torch.cat([g.reshape(-1) for g in grads.values()])).item()
    scale = theta / norm if norm > theta else 1.0
    return {name: params[name] - lr * scale * numpy_array(g).T for name, g in grads.items()}, numpy_array(H_T), loss.item()


def train(params, batches, H_0, lr, theta) -> tuple[Params, list[float]]:
    """One update for each batch, the state carried and its gradient cut."""
    losses, state = [], H_0
    for X, Y in batches:
        params, state, loss = train_step(params, X, Y, state, lr, theta)
        losses.append(loss)
    return params, losses


def evaluate(params, ids) -> float:
    """Perplexity of ids[1:], by `torch.nn.RNN` over the whole text at once."""
    torch = torch_module()
    ids = np.asarray(ids)
    with torch.no_grad():
        logits, _, _ = _logits(params, ids[:-1, None], np.zeros((1, len(params["W_hh"]))))
        return torch.nn.functional.cross_entropy(logits[:, 0], tensor(ids[1:])).exp().item()


def next_token_probs(params: Params, prefix: Sequence[int], drawn: np.ndarray, temperature: float) -> np.ndarray:
    """What softmax(logits / temperature) promised before each drawn id.

    prefix: ids, which all sequences start with. drawn: `(S, L)` ids of S continuations. Returns `(S, L, V)`.
    """
    S, L = drawn.shape
    read = np.concatenate([np.tile(np.asarray(prefix)[:, None], (1, S)), drawn[:, :-1].T])  # (prefix + L - 1, S)
    with torch_module().no_grad():
        logits, _, _ = _logits(params, read, np.zeros((S, len(params["W_hh"]))))
        return numpy_array(torch_module().softmax(logits[len(prefix) - 1 :] / temperature, dim=-1)).transpose(1, 0, 2)


def sample(params, prefix, length, temperature, seed) -> list[int]:
    """Draws by `torch.multinomial`: one of the many right results."""
    torch = torch_module()
    generator, drawn = torch.Generator().manual_seed(seed), []
    for _ in range(length):
        probs = next_token_probs(params, prefix, np.array([[*drawn, 0]]), temperature)[0, -1]
        drawn.append(int(torch.multinomial(torch.tensor(probs), 1, generator=generator)))
    return drawn
