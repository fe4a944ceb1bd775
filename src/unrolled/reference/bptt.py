"""References for assignment 03: gradients by torch's autograd, through `torch.nn.RNN` itself."""

from __future__ import annotations

import numpy as np

from .rnn_forward import torch_rnn
from .torch_arrays import device, numpy_array, tensor, torch_module


def cross_entropy_backward(logits, Y) -> np.ndarray:
    """Gradient `(T, N, V)` of `torch.nn.functional.cross_entropy`, by autograd."""
    logits = tensor(logits).requires_grad_()
    torch_module().nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), tensor(Y).reshape(-1)).backward()
    return numpy_array(logits.grad)


def _bias(X, H_0, H, W_xh, W_hh) -> np.ndarray:
    """The `b_h` with which the states `H` came about; it is no argument of a backward function.

    Each unit's is read off at the step and sequence where that unit is least saturated.
    """
    H_prev = np.concatenate([H_0[None], H[:-1]])
    flat, units = H.reshape(-1, H.shape[-1]), np.arange(H.shape[-1])
    rows = np.abs(flat).argmin(axis=0)
    products = (X @ W_xh + H_prev @ W_hh).reshape(flat.shape)
    return np.arctanh(flat[rows, units]) - products[rows, units]


def truncated_rnn_backward(dH, X, H_0, H, W_xh, W_hh, k) -> tuple[np.ndarray, ...]:
    """`(dX, dH_0, dW_xh, dW_hh, db_h)` by autograd through `torch.nn.RNN`, detached after every k steps.

    Raises ValueError unless that network walks through the states `H`.
    """
    rnn = torch_rnn(W_xh, W_hh, _bias(X, H_0, H, W_xh, W_hh))
    inputs, start = tensor(X).requires_grad_(), tensor(H_0).requires_grad_()
    state, stretches = start, []
    for first in range(0, len(X), k):
        states, _ = rnn(inputs[first : first + k], state[None])
        stretches.append(states)
        state = states[-1].detach()
    walked = torch_module().cat(stretches)
    if not np.allclose(numpy_array(walked), H, rtol=0, atol=1e-9):
        raise ValueError("the states H do not come from the inputs X, the start H_0 and the weights")
    (walked * tensor(dH)).sum().backward()  # as walked.backward(dH), which would import sympy
    grads = inputs.grad, start.grad, rnn.weight_ih_l0.grad.T, rnn.weight_hh_l0.grad.T, rnn.bias_ih_l0.grad
    return tuple(numpy_array(g) for g in grads)


def rnn_backward(dH, X, H_0, H, W_xh, W_hh) -> tuple[np.ndarray, ...]:
    """`(dX, dH_0, dW_xh, dW_hh, db_h)` by autograd through `torch.nn.RNN`."""
    return truncated_rnn_backward(dH, X, H_0, H, W_xh, W_hh, len(X))


def rnn_step_backward(dH_t, X_t, H_prev, H_t, W_xh, W_hh) -> tuple[np.ndarray, ...]:
    """`(dX_t, dH_prev, dW_xh, dW_hh, db_h)` by autograd through `torch.nn.RNN` on a sequence of one."""
    dX, *others = rnn_backward(dH_t[None], X_t[None], H_prev, H_t[None], W_xh, W_hh)
    return dX[0], *others


def clip_by_norm(grads, theta) -> tuple[dict[str, np.ndarray], float]:
    """The scaled gradients, and the norm before: `torch.linalg.vector_norm` of all entries together.

    `torch.nn.utils.clip_grad_norm_` adds 1e-6 to the norm and so scales a little further.
    """
    torch = torch_module()
    norm = torch.linalg.vector_norm(torch.cat([tensor(g).reshape(-1) for g in grads.values()])).item()
    scale = theta / norm if norm > theta else 1.0
    return {name: numpy_array(tensor(g) * scale) for name, g in grads.items()}, norm


def gradient_norm_by_lag(H, W_hh) -> np.ndarray:
    """Mean over the sequences of the norm of the Jacobian ∂H_T/∂H_{T-k}, `(T,)`, by autograd.

    Each state is recomputed from the one before it; what the inputs added is what makes the values those of `H`.
    """
    torch = torch_module()
    H, W_hh = tensor(H), tensor(W_hh)
    states = [H[0].clone().requires_grad_()]
    for before, after in zip(H[:-1], H[1:]):
        inputs = torch.atanh(after) - before @ W_hh
        states.append(torch.tanh(inputs + states[-1] @ W_hh))
    squares = torch.zeros(H.shape[:2], dtype=torch.float64, device=device())
    for unit in range(H.shape[-1]):  # the sequences do not mix: one backward pass serves them all
        rows = torch.autograd.grad(states[-1][:, unit].sum(), states, retain_graph=True)
        squares += torch.stack([(row * row).sum(dim=-1) for row in rows])
    return numpy_array(squares.sqrt().mean(dim=1).flip(0))
