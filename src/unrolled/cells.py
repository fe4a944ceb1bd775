"""The recurrent cells in NumPy, forward and backward: RNN, LSTM, GRU.

All in one style. Time is the first axis: inputs `X (T, N, D)`, states `H (T, N, H)`. Anywhere `X` is
asked for, integer ids `(T, N)` may stand for their one-hot rows: the product of a one-hot row with a
matrix is a row of that matrix, so it is looked up instead of multiplied. Ids have no gradient; `dX` is
then None. Everything is computed in the dtype of the weights. In formulas time runs t = 1..T with `H_0` the start; in
code `H[t-1]` holds H_t.

A forward function returns all states; a backward function takes `dH (T, N, H)`, the loss's own
gradient at each step (without what flows back from later steps), and returns gradients in the order
of the forward function's arguments.
"""

from __future__ import annotations

import numpy as np


def _are_ids(X: np.ndarray) -> bool:
    return X.ndim == 2 and np.issubdtype(X.dtype, np.integer)


def _check_input(X: np.ndarray, D: int) -> None:
    if _are_ids(X):
        # NumPy would count a negative id from the end: a wrong row without a word.
        if X.size and (X.min() < 0 or X.max() >= D):
            raise ValueError(f"Ids must lie in 0..{D - 1} for weights of D={D} rows; received {X.min()}..{X.max()}.")
    elif X.ndim != 3 or X.shape[-1] != D:
        raise ValueError(
            f"X should be inputs (T, N, D={D}) or integer ids (T, N), time first; received shape {X.shape}, {X.dtype}."
        )
    if len(X) == 0:
        raise ValueError(f"X should have at least one step, time first; received shape {X.shape}.")


def _check_start(X: np.ndarray, W_h: np.ndarray, **states: np.ndarray) -> None:
    expected = (X.shape[1], W_h.shape[0])
    for name, state in states.items():
        if state.shape != expected:
            raise ValueError(
                f"{name} should be (N, H) = {expected} for X of shape {X.shape}, time first; received {state.shape}."
            )


def input_product(X: np.ndarray, W: np.ndarray) -> np.ndarray:
    """`X @ W` for inputs `(T, N, D)`; rows of `W` for ids `(T, N)`. Always a new array `(T, N, columns of W)`.

    Raises ValueError if X is neither, or holds an id that W has no row for.
    """
    _check_input(X, len(W))
    if _are_ids(X):
        return W[X]
    return X.astype(W.dtype, copy=False) @ W


def input_product_backward(
    dZ: np.ndarray, X: np.ndarray, W: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray]:
    """Gradients `(dX, dW)` of `input_product`, given the gradient `dZ` of its result."""
    flat = dZ.reshape(-1, dZ.shape[-1])                            # (T*N, columns)
    if _are_ids(X):
        one_hot = np.zeros((flat.shape[0], W.shape[0]), dtype=W.dtype)  # (T*N, D)
        one_hot[np.arange(flat.shape[0]), X.reshape(-1)] = 1
        return None, one_hot.T @ flat
    return dZ @ W.T, X.reshape(-1, X.shape[-1]).astype(W.dtype, copy=False).T @ flat


def previous_states(H: np.ndarray, H_0: np.ndarray) -> np.ndarray:
    """The state that each step started from: `H_0`, then all of `H` but the last. `(T, N, H)`."""
    return np.concatenate([H_0[None].astype(H.dtype, copy=False), H[:-1]])


def _summed_over_time(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Sum over t of `left[t].T @ right[t]`, as one product."""
    return left.reshape(-1, left.shape[-1]).T @ right.reshape(-1, right.shape[-1])


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), by way of tanh, which does not overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * x)


# --- RNN ---------------------------------------------------------------------------------------


def rnn_step(X_t, H_prev, W_xh, W_hh, b_h) -> np.ndarray:
    """One step, H_t = tanh(X_t W_xh + H_{t-1} W_hh + b_h).

    X_t: `(N, D)`; H_prev: `(N, H)`; W_xh: `(D, H)`; W_hh: `(H, H)`; b_h: `(H,)`. Returns `(N, H)`.
    """
    return np.tanh(X_t @ W_xh + H_prev @ W_hh + b_h)


def rnn_forward(X, H_0, W_xh, W_hh, b_h) -> np.ndarray:
    """All states of an Elman network [elman1990], `H (T, N, H)`; `H_0` is not among them.

    X: `(T, N, D)` or ids `(T, N)`; H_0: `(N, H)`; weights as in `rnn_step`. Raises ValueError if X or H_0 does not fit.
    """
    H = input_product(X, W_xh)      # for all steps at once: one large product is faster than T small ones
    _check_start(X, W_hh, H_0=H_0)
    H += b_h
    H_t = H_0.astype(H.dtype, copy=False)
    recurrent = np.empty_like(H[0])  # (N, H)
    for t in range(len(H)):
        np.matmul(H_t, W_hh, out=recurrent)
        H[t] += recurrent
        H_t = np.tanh(H[t], out=H[t])
    return H


def rnn_backward(dH, X, H_0, H, W_xh, W_hh):
    """Backpropagation through time. Returns `(dX, dH_0, dW_xh, dW_hh, db_h)`, shaped as what they belong to."""
    dZ = 1 - H * H                   # (T, N, H): tanh', then in place the gradient before the tanh
    flowing = np.zeros_like(H[0])    # (N, H): what later steps send back to this one
    W_hh_T = np.ascontiguousarray(W_hh.T)  # one copy: small products with a transposed view take half as long again
    for t in reversed(range(len(H))):
        flowing += dH[t]
        dZ[t] *= flowing
        np.matmul(dZ[t], W_hh_T, out=flowing)
    dX, dW_xh = input_product_backward(dZ, X, W_xh)
    dW_hh = _summed_over_time(previous_states(H, H_0), dZ)
    return dX, flowing, dW_xh, dW_hh, dZ.sum(axis=(0, 1))


# --- LSTM --------------------------------------------------------------------------------------


def _activate_lstm_gates(Z: np.ndarray) -> np.ndarray:
    """From the gates' inputs to the gates i, f, g, o, in place: sigmoid, but tanh for the candidate g."""
    H = Z.shape[-1] // 4
    candidate = np.tanh(Z[..., 2 * H : 3 * H])
    Z *= 0.5                       # sigmoid(z) = (1 + tanh(z / 2)) / 2
    np.tanh(Z, out=Z)
    Z *= 0.5
    Z += 0.5
    Z[..., 2 * H : 3 * H] = candidate
    return Z


def lstm_step(X_t, H_prev, C_prev, W_x, W_h, b) -> tuple[np.ndarray, np.ndarray]:
    """One LSTM step [hochreiter1997, gers2000]: `(H_t, C_t)`, each `(N, H)`.

    X_t: `(N, D)`; H_prev, C_prev: `(N, H)`; W_x: `(D, 4H)`; W_h: `(H, 4H)`; b: `(4H,)`, gates in the order i, f, g, o.
    """
    i, f, g, o = np.split(_activate_lstm_gates(X_t @ W_x + H_prev @ W_h + b), 4, axis=-1)
    C_t = f * C_prev + i * g
    return o * np.tanh(C_t), C_t


def lstm_forward(X, H_0, C_0, W_x, W_h, b) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All states of an LSTM: `H (T, N, H)`, `C (T, N, H)`, and the gates i, f, g, o `(T, N, 4H)`."""
    gates = input_product(X, W_x)    # for all steps at once
    _check_start(X, W_h, H_0=H_0, C_0=C_0)
    gates += b
    T, N, _ = gates.shape
    H = np.empty((T, N, W_h.shape[0]), dtype=gates.dtype)
    C = np.empty_like(H)
    H_t, C_t = H_0.astype(H.dtype, copy=False), C_0.astype(H.dtype, copy=False)
    recurrent = np.empty_like(gates[0])  # (N, 4H)
    for t in range(T):
        gates[t] += np.matmul(H_t, W_h, out=recurrent)
        i, f, g, o = np.split(_activate_lstm_gates(gates[t]), 4, axis=-1)
        C_t = np.add(f * C_t, i * g, out=C[t])
        H_t = np.multiply(o, np.tanh(C_t), out=H[t])
    return H, C, gates


def lstm_backward(dH, X, H_0, C_0, H, C, gates, W_x, W_h):
    """Backpropagation through time, through H and in full through C.

    Returns `(dX, dH_0, dC_0, dW_x, dW_h, db)`. No gradient enters at C from outside.
    """
    dZ = np.empty_like(gates)          # (T, N, 4H): gradient before the gates' activations
    dH_t = np.zeros_like(H[0])         # what later steps send back through H
    dC_t = np.zeros_like(H[0])         # and through C
    C_prev = previous_states(C, C_0)
    W_h_T = np.ascontiguousarray(W_h.T)  # as in rnn_backward
    for t in reversed(range(len(H))):
        i, f, g, o = np.split(gates[t], 4, axis=-1)
        dZ_i, dZ_f, dZ_g, dZ_o = np.split(dZ[t], 4, axis=-1)  # views: writing to them writes dZ
        dH_t += dH[t]
        tanh_C = np.tanh(C[t])
        dC_t += dH_t * o * (1 - tanh_C * tanh_C)
        dZ_i[:] = dC_t * g * i * (1 - i)
        dZ_f[:] = dC_t * C_prev[t] * f * (1 - f)
        dZ_g[:] = dC_t * i * (1 - g * g)
        dZ_o[:] = dH_t * tanh_C * o * (1 - o)
        np.matmul(dZ[t], W_h_T, out=dH_t)
        dC_t *= f
    dX, dW_x = input_product_backward(dZ, X, W_x)
    dW_h = _summed_over_time(previous_states(H, H_0), dZ)
    return dX, dH_t, dC_t, dW_x, dW_h, dZ.sum(axis=(0, 1))


# --- GRU ---------------------------------------------------------------------------------------


def gru_step(X_t, H_prev, W_x, W_h, b_x, b_h) -> np.ndarray:
    """One GRU step [cho2014] in torch's variant, where the reset gate acts after the product: `(N, H)`.

    X_t: `(N, D)`; H_prev: `(N, H)`; W_x: `(D, 3H)`; W_h: `(H, 3H)`; b_x, b_h: `(3H,)`, gates in the order r, z, n.
    """
    x_r, x_z, x_n = np.split(X_t @ W_x + b_x, 3, axis=-1)
    h_r, h_z, h_n = np.split(H_prev @ W_h + b_h, 3, axis=-1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    return (1 - z) * n + z * H_prev


def gru_forward(X, H_0, W_x, W_h, b_x, b_h) -> tuple[np.ndarray, np.ndarray]:
    """All states of a GRU, `H (T, N, H)`, and what backward needs: r, z, n and `h W_hn + b_hn`, `(T, N, 4H)`."""
    Z = input_product(X, W_x)          # for all steps at once
    _check_start(X, W_h, H_0=H_0)
    Z += b_x
    T, N, _ = Z.shape
    size = W_h.shape[0]
    H = np.empty((T, N, size), dtype=Z.dtype)
    trace = np.empty((T, N, 4 * size), dtype=Z.dtype)
    H_t = H_0.astype(Z.dtype, copy=False)
    recurrent = np.empty_like(Z[0])    # (N, 3H)
    for t in range(T):
        np.matmul(H_t, W_h, out=recurrent)
        recurrent += b_h
        r, z, n, h_n = np.split(trace[t], 4, axis=-1)
        trace[t, :, : 2 * size] = sigmoid(Z[t, :, : 2 * size] + recurrent[:, : 2 * size])
        h_n[:] = recurrent[:, 2 * size :]
        n[:] = np.tanh(Z[t, :, 2 * size :] + r * h_n)
        H_t = np.add(n, z * (H_t - n), out=H[t])  # (1 - z) n + z h
    return H, trace


def gru_backward(dH, X, H_0, H, trace, W_x, W_h):
    """Backpropagation through time. Returns `(dX, dH_0, dW_x, dW_h, db_x, db_h)`."""
    size = H.shape[-1]
    dZ_x = np.empty((*H.shape[:2], 3 * size), dtype=H.dtype)  # gradient of X W_x + b_x
    dZ_h = np.empty_like(dZ_x)                                # gradient of H W_h + b_h
    dH_t = np.zeros_like(H[0])
    H_prev = previous_states(H, H_0)
    W_h_T = np.ascontiguousarray(W_h.T)  # as in rnn_backward
    for t in reversed(range(len(H))):
        r, z, n, h_n = np.split(trace[t], 4, axis=-1)
        dH_t += dH[t]
        dZ_n = dH_t * (1 - z) * (1 - n * n)
        dZ_x[t, :, :size] = dZ_n * h_n * r * (1 - r)
        dZ_x[t, :, size : 2 * size] = dH_t * (H_prev[t] - n) * z * (1 - z)
        dZ_x[t, :, 2 * size :] = dZ_n
        dZ_h[t, :, : 2 * size] = dZ_x[t, :, : 2 * size]
        dZ_h[t, :, 2 * size :] = dZ_n * r
        dH_t *= z
        dH_t += dZ_h[t] @ W_h_T
    dX, dW_x = input_product_backward(dZ_x, X, W_x)
    dW_h = _summed_over_time(H_prev, dZ_h)
    return dX, dH_t, dW_x, dW_h, dZ_x.sum(axis=(0, 1)), dZ_h.sum(axis=(0, 1))


# --- Output layer ------------------------------------------------------------------------------


def output_logits(H, W_hq, b_q) -> np.ndarray:
    """O_t = H_t W_hq + b_q for all steps. H: `(T, N, H)`; W_hq: `(H, V)`; b_q: `(V,)`. Returns `(T, N, V)`."""
    return H @ W_hq + b_q


def output_logits_backward(dlogits, H, W_hq):
    """Returns `(dH, dW_hq, db_q)`."""
    return dlogits @ W_hq.T, _summed_over_time(H, dlogits), dlogits.sum(axis=(0, 1))
