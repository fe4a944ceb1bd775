"""Right solutions of assignment 02 in other styles, at least four a task."""

import math

import numpy as np


def one_hot_by_loops(ids, V):
    X = np.zeros((*ids.shape, V))
    for t in range(ids.shape[0]):
        for n in range(ids.shape[1]):
            X[t, n, int(ids[t, n])] = 1
    return X


def one_hot_in_a_view(ids, V):
    wide = np.zeros((*ids.shape, 2 * V))
    wide[..., ::2] = np.eye(V)[ids]
    return wide[..., ::2]


def step_by_concatenation(X_t, H_prev, W_xh, W_hh, b_h):
    return np.tanh(np.hstack([X_t, H_prev]) @ np.vstack([W_xh, W_hh]) + b_h)


def step_row_by_row(X_t, H_prev, W_xh, W_hh, b_h):
    return np.stack([np.tanh(W_xh.T @ x + W_hh.T @ h + b_h) for x, h in zip(X_t, H_prev)])


def step_by_exponentials(X_t, H_prev, W_xh, W_hh, b_h):
    return 2 / (1 + np.exp(-2 * (X_t @ W_xh + H_prev @ W_hh + b_h))) - 1


def forward_in_one_array(X, H_0, W_xh, W_hh, b_h):
    T, N, _ = X.shape
    H = np.empty((T + 1, N, len(b_h)))
    H[0] = H_0
    for t in range(T):
        H[t + 1] = step_by_concatenation(X[t], H[t], W_xh, W_hh, b_h)
    return H[1:]


def forward_hoisted(X, H_0, W_xh, W_hh, b_h):
    Z, states = np.einsum("tnd,dh->tnh", X, W_xh) + b_h, [H_0]
    for Z_t in Z:
        states.append(np.tanh(Z_t + states[-1] @ W_hh))
    return np.array(states[1:])


def forward_by_recursion(X, H_0, W_xh, W_hh, b_h):
    if not len(X):
        return np.empty((0, *H_0.shape))
    H_t = step_by_concatenation(X[0], H_0, W_xh, W_hh, b_h)
    return np.concatenate([H_t[None], forward_by_recursion(X[1:], H_t, W_xh, W_hh, b_h)])


def forward_batch_first_inside(X, H_0, W_xh, W_hh, b_h):
    H = np.zeros((X.shape[1], X.shape[0], len(b_h)))
    for n in range(X.shape[1]):
        h = H_0[n].copy()
        for t in range(X.shape[0]):
            h[:] = np.tanh(X[t, n] @ W_xh + h @ W_hh + b_h)  # in place, on its own copy
            H[n, t] = h
    return H.swapaxes(0, 1)  # a view that is not contiguous


def loss_by_loops(logits, Y):
    total = 0.0
    for row, y in zip(logits.reshape(-1, logits.shape[-1]), Y.reshape(-1)):
        largest = max(row)
        total += largest + math.log(sum(math.exp(o - largest) for o in row)) - row[y]
    return total / Y.size


def loss_by_logaddexp(logits, Y):
    picked = np.take_along_axis(logits, Y[..., None], axis=-1)[..., 0]
    return np.mean(np.logaddexp.reduce(logits, axis=-1) - picked)  # np.float64


def loss_by_indices(logits, Y):
    T, N, _ = logits.shape
    logits = logits.copy()
    logits -= logits.max(axis=-1, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(-1))[:, :, None]
    return -np.asarray(log_probs[np.arange(T)[:, None], np.arange(N), Y].sum() / (T * N))  # 0-d array


def loss_by_one_hot(logits, Y):
    shifted = logits - np.max(logits, axis=2)[..., np.newaxis]
    log_probs = shifted - np.log(np.sum(np.exp(shifted), axis=2, keepdims=True))
    return -(np.eye(logits.shape[2])[Y] * log_probs).sum(axis=2).mean().item()


def logits_by_loops(H, W_hq, b_q):
    logits = []
    for H_t in H:
        logits.append(np.array([W_hq.T.dot(h) + b_q for h in H_t]))
    return np.stack(logits)


HONEST = {
    "one_hot": [
        one_hot_by_loops, one_hot_in_a_view,
        lambda ids, V: np.eye(V)[ids],
        lambda ids, V: (ids[..., None] == np.arange(V)).astype(float),
        lambda ids, V: np.asfortranarray(np.eye(V)[ids]),
        lambda ids, V: np.eye(V).take(ids.ravel(), axis=0).reshape(*ids.shape, V),
    ],
    "rnn_step": [
        step_by_concatenation, step_row_by_row, step_by_exponentials,
        lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(
            np.einsum("nd,dh->nh", X_t, W_xh) + np.einsum("nk,kh->nh", H_prev, W_hh) + b_h[None, :]),
        lambda X_t, H_prev, W_xh, W_hh, b_h: np.tanh(W_xh.T @ X_t.T + W_hh.T @ H_prev.T + b_h[:, None]).T,
        lambda X_t, H_prev, W_xh, W_hh, b_h: np.asfortranarray(np.tanh(np.dot(X_t, W_xh) + np.dot(H_prev, W_hh) + b_h)),
    ],
    "rnn_forward": [forward_in_one_array, forward_hoisted, forward_by_recursion, forward_batch_first_inside],
    "output_logits": [
        logits_by_loops,
        lambda H, W_hq, b_q: np.einsum("tnh,hv->tnv", H, W_hq) + b_q,
        lambda H, W_hq, b_q: np.tensordot(H, W_hq, axes=([2], [0])) + b_q.reshape(1, 1, -1),
        lambda H, W_hq, b_q: (H.reshape(-1, H.shape[2]) @ W_hq + b_q).reshape(*H.shape[:2], -1),
        lambda H, W_hq, b_q: np.asfortranarray(np.matmul(H, W_hq) + b_q),
    ],
    "cross_entropy": [loss_by_loops, loss_by_logaddexp, loss_by_indices, loss_by_one_hot],
    "num_parameters": [
        lambda D, H, V: (D + H + 1) * H + (H + 1) * V,
        lambda D, H, V: np.int64(D * H + H * H + H + H * V + V),
        lambda D, H, V: np.array(D * H + H * H + H + H * V + V),
        lambda D, H, V: sum(math.prod(shape) for shape in ((D, H), (H, H), (H,), (H, V), (V,))),
        lambda D, H, V: int(np.sum([D * H, H**2, H, H * V, V])),
    ],
}  # fmt: skip
