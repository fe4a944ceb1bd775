"""Right solutions of assignment 06 in other styles, at least four a task."""

import math
import sys
import warnings

import numpy as np


def sigmoid(a):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-a))


# --- gru_step ----------------------------------------------------------------------------------


def step_by_slices(X_t, H_prev, W_x, W_h, b_x, b_h):
    """Blocks by slices, the products by einsum; the sigmoid may warn of an overflow."""
    size = H_prev.shape[1]
    x = np.einsum("nd,dk->nk", X_t, W_x) + b_x
    h = np.einsum("nh,hk->nk", H_prev, W_h) + b_h
    r, z = (1 / (1 + np.exp(-(x[:, k : k + size] + h[:, k : k + size]))) for k in (0, size))
    n = np.tanh(x[:, 2 * size :] + r * h[:, 2 * size :])
    return n + z * (H_prev - n)


def step_row_by_row(X_t, H_prev, W_x, W_h, b_x, b_h):
    H_t = np.zeros_like(H_prev)
    for n in range(len(X_t)):
        for unit in range(len(W_h)):
            reset, update, new = unit, unit + len(W_h), unit + 2 * len(W_h)
            x = [sum(X_t[n] * W_x[:, k]) + b_x[k] for k in (reset, update, new)]
            h = [sum(H_prev[n] * W_h[:, k]) + b_h[k] for k in (reset, update, new)]
            r, z = sigmoid(x[0] + h[0]), sigmoid(x[1] + h[1])
            H_t[n, unit] = (1 - z) * math.tanh(x[2] + r * h[2]) + z * H_prev[n, unit]
    return H_t


def step_with_weights_apart(X_t, H_prev, W_x, W_h, b_x, b_h):
    """Six matrices and six biases, as in the equations; the result lies in Fortran order."""
    W_xr, W_xz, W_xn = np.hsplit(W_x, 3)
    W_hr, W_hz, W_hn = np.hsplit(W_h, 3)
    (b_xr, b_xz, b_xn), (b_hr, b_hz, b_hn) = b_x.reshape(3, -1), b_h.reshape(3, -1)
    r = sigmoid(X_t @ W_xr + b_xr + H_prev @ W_hr + b_hr)
    z = sigmoid(X_t @ W_xz + b_xz + H_prev @ W_hz + b_hz)
    n = np.tanh(X_t @ W_xn + b_xn + r * (H_prev @ W_hn + b_hn))
    return np.asfortranarray(z * H_prev + (1.0 - z) * n)


def step_in_place(X_t, H_prev, W_x, W_h, b_x, b_h):
    """Gates by one tanh, everything in place on arrays of its own, with columns for sequences."""
    H = len(W_h)
    x, h = W_x.T @ X_t.T + b_x[:, None], W_h.T @ H_prev.T + b_h[:, None]  # (3H, N)
    gates = x[: 2 * H] + h[: 2 * H]
    gates /= 2
    np.tanh(gates, out=gates)
    gates += 1
    gates /= 2
    new = x[2 * H :].copy()
    new += gates[:H] * h[2 * H :]
    new = np.tanh(new)
    state = H_prev.T.copy()
    state -= new
    state *= gates[H:]
    state += new
    return state.T


def step_talking(X_t, H_prev, W_x, W_h, b_x, b_h):
    print("a step for", len(X_t), "sequences")
    sys.stderr.write("careful\n")
    warnings.warn("old ways", UserWarning, stacklevel=1)
    return step_by_slices(X_t, H_prev, W_x, W_h, b_x, b_h)


# --- gru_forward -------------------------------------------------------------------------------


def states_in_one_array(X, H_0, W_x, W_h, b_x, b_h):
    T, N, _ = X.shape
    H = np.empty((T + 1, N, len(W_h)))
    H[0] = H_0
    for t in range(1, T + 1):
        H[t] = step_with_weights_apart(X[t - 1], H[t - 1], W_x, W_h, b_x, b_h)
    return H[1:]


def states_hoisted(X, H_0, W_x, W_h, b_x, b_h):
    """The input's product for all steps at once, with the part of b_h that may be moved there."""
    size = W_h.shape[0]
    movable = np.where(np.arange(3 * size) < 2 * size, b_h, 0)
    Z = np.tensordot(X, W_x, axes=([2], [0])) + b_x + movable
    H, H_t = [], H_0
    for Z_t in Z:
        h = H_t @ W_h
        r, z = np.split(sigmoid(Z_t[:, : 2 * size] + h[:, : 2 * size]), 2, axis=1)
        n = np.tanh(Z_t[:, 2 * size :] + r * (h[:, 2 * size :] + b_h[2 * size :]))
        H_t = (1 - z) * n + z * H_t
        H.append(H_t)
    return np.array(H)


def states_by_recursion(X, H_0, *weights):
    if not len(X):
        return np.empty((0, *H_0.shape))
    H_t = step_by_slices(X[0], H_0, *weights)
    return np.concatenate([H_t[None], states_by_recursion(X[1:], H_t, *weights)])


def states_batch_first_inside(X, H_0, *weights):
    H = np.zeros((X.shape[1], X.shape[0], H_0.shape[1]))
    for n in range(X.shape[1]):
        h = H_0[n : n + 1].copy()
        for t in range(X.shape[0]):
            h[:] = step_in_place(X[t, n : n + 1], h, *weights)  # in place, on its own copy
            H[n, t] = h[0]
    return H.swapaxes(0, 1)  # a view that is not contiguous


# --- stacked_forward ---------------------------------------------------------------------------


def rnn(X, W_xh, W_hh, b_h):
    """All states of one layer, from zeros."""
    H, h = [], np.zeros((X.shape[1], W_hh.shape[0]))
    for x in X:
        h = np.tanh(x @ W_xh + h @ W_hh + b_h)
        H.append(h)
    return np.stack(H)


def stack_by_layers(X, layers):
    last_states = []
    for layer in layers:
        X = rnn(X, *layer)
        last_states.append(X[-1])  # a view
    return X, last_states


def stack_by_steps(X, layers):
    """One step through all layers at a time; the last states as a tuple, in Fortran order."""
    states = [np.zeros((X.shape[1], len(b_h))) for *_, b_h in layers]
    H = np.zeros((*X.shape[:2], len(layers[-1][2])))
    for t in range(len(X)):
        below = X[t]
        for k, (W_xh, W_hh, b_h) in enumerate(layers):
            states[k] = below = np.tanh(np.einsum("nd,dh->nh", below, W_xh) + states[k].dot(W_hh) + b_h)
        H[t] = below
    return [H, tuple(map(np.asfortranarray, states))]


def stack_by_recursion(X, layers):
    if not layers:
        return X, []
    states = rnn(X, *layers[0])
    top, above = stack_by_recursion(states, layers[1:])
    return top, [states[-1].copy(), *above]


def stack_hoisted(X, layers):
    """The inputs' product of a layer for all steps at once, and the state written over it."""
    print(len(layers), "layers")
    last_states, T = [], len(X)
    for W_xh, W_hh, b_h in layers:
        H = X @ W_xh
        H += b_h
        for t in range(T):
            if t > 0:
                H[t] += H[t - 1] @ W_hh
            np.tanh(H[t], out=H[t])
        last_states += [H[T - 1]]
        X = H
    return np.asfortranarray(X), last_states


def stack_with_all_states(X, layers):
    every = [X]
    for k in range(len(layers)):
        every.append(rnn(every[k], *layers[k]))
    return every[-1], [states[-1, :, :] for states in every[1:]]


# --- bidirectional_forward ---------------------------------------------------------------------


def both_sequence_by_sequence(X, lengths, forward, backward):
    H = np.zeros((X.shape[0], X.shape[1], 2 * len(forward[2])))
    for n, length in enumerate(lengths):
        alone = X[:length, [n]]
        H[:length, n] = np.concatenate([rnn(alone, *forward), rnn(alone[::-1], *backward)[::-1]], axis=2)[:, 0]
    return H


def both_by_a_gated_state(X, lengths, forward, backward):
    """Backwards through the whole array; in the padding the state is put back to zero."""
    T, N, _ = X.shape
    real = (np.arange(T).reshape(-1, 1) < lengths.reshape(1, -1)).astype(float)[..., None]  # (T, N, 1)
    H = len(forward[2])
    halves = np.zeros((2, T, N, H))
    for half, (W_xh, W_hh, b_h), times in zip(halves, (forward, backward), (range(T), range(T - 1, -1, -1))):
        h = np.zeros((N, H))
        for t in times:
            h = np.tanh(X[t] @ W_xh + h @ W_hh + b_h) * real[t]
            half[t] = h
    return np.concatenate(list(halves), axis=-1)


def both_by_reversed_indices(X, lengths, forward, backward):
    T, N, _ = X.shape
    rows, real = np.arange(T)[:, None], np.arange(T)[:, None] < lengths[None]
    mirrored = np.where(real, lengths - 1 - rows, rows)
    turned = np.take_along_axis(X, mirrored[..., None], axis=0)
    left = np.take_along_axis(rnn(turned, *backward), mirrored[..., None], axis=0)
    H = np.dstack([rnn(X, *forward).reshape(T * N, -1), left.reshape(T * N, -1)]).swapaxes(1, 2).reshape(T, N, -1)
    H[~real] = 0
    return np.asfortranarray(H.reshape(T, N, -1))


def both_packed(X, lengths, forward, backward):
    """The longest first, and at each step only those that are still running."""
    order = sorted(range(len(lengths)), key=lambda n: -lengths[n])
    H, size = np.zeros((*X.shape[:2], 2 * len(forward[2]))), len(forward[2])
    for half, (W_xh, W_hh, b_h) in enumerate((forward, backward)):
        h = np.zeros((X.shape[1], size))
        for step in range(max(lengths)):
            running = [n for n in order if lengths[n] > step]
            times = [step if half == 0 else lengths[n] - 1 - step for n in running]
            h = np.tanh(X[times, running] @ W_xh + h[: len(running)] @ W_hh + b_h)
            H[times, running, half * size : (half + 1) * size] = h
    return H


def both_with_lists(X, lengths, forward, backward):
    warnings.warn("slow but sure", UserWarning, stacklevel=1)
    H = len(forward[2])
    columns = []
    for n in range(X.shape[1]):
        right, left = [], []
        h = np.zeros(H)
        for t in range(lengths[n]):
            h = np.tanh(X[t, n] @ forward[0] + h @ forward[1] + forward[2])
            right.append(h)
        h = np.zeros(H)
        for t in reversed(range(lengths[n])):
            h = np.tanh(X[t, n] @ backward[0] + h @ backward[1] + backward[2])
            left.insert(0, h)
        rest = [np.zeros(2 * H)] * (len(X) - int(lengths[n]))
        columns.append(np.array([np.hstack(pair) for pair in zip(right, left)] + rest))
    return np.stack(columns, axis=1)


# --- masked_cross_entropy ----------------------------------------------------------------------


def masked_by_loops(logits, Y, lengths):
    total = 0.0
    for n in range(len(lengths)):
        for t in range(lengths[n]):
            row = logits[t, n]
            total += row.max() + math.log(sum(math.exp(o - row.max()) for o in row)) - row[Y[t, n]]
    return total / int(sum(lengths))


def masked_by_logaddexp(logits, Y, lengths):
    """Over the whole array, warnings and all; the padding's losses are replaced and not multiplied."""
    picked = np.take_along_axis(logits, Y[..., None], axis=-1)[..., 0]
    losses = np.logaddexp.reduce(logits, axis=-1) - picked
    real = np.arange(len(Y))[:, None] < lengths
    return np.where(real, losses, 0.0).sum() / real.sum()  # np.float64


def masked_by_index(logits, Y, lengths):
    t, n = np.nonzero(np.arange(Y.shape[0])[:, np.newaxis] < lengths)
    rows = logits[t, n]
    rows -= rows.max(axis=1, keepdims=True)  # rows is a copy
    return np.asarray(np.mean(np.log(np.exp(rows).sum(axis=1)) - rows[np.arange(len(rows)), Y[t, n]]))  # 0-d array


def masked_sequence_by_sequence(logits, Y, lengths):
    print("lengths", lengths)
    sums = []
    for n, length in enumerate(lengths.tolist()):
        rows = logits[:length, n] - logits[:length, n].max(axis=-1)[:, None]
        log_probs = rows - np.log(np.sum(np.exp(rows), axis=-1, keepdims=True))
        sums.append(-(np.eye(logits.shape[2])[Y[:length, n]] * log_probs).sum())
    return float(np.sum(sums) / np.sum(lengths))


def masked_by_weighted_mean(logits, Y, lengths):
    """The sequences' own means, weighted by their lengths."""
    means = [masked_by_loops(logits[:, [n]], Y[:, [n]], lengths[[n]]) for n in range(len(lengths))]
    return np.average(means, weights=lengths)


HONEST = {
    "gru_step": [step_by_slices, step_row_by_row, step_with_weights_apart, step_in_place, step_talking],
    "gru_forward": [states_in_one_array, states_hoisted, states_by_recursion, states_batch_first_inside],
    "stacked_forward": [stack_by_layers, stack_by_steps, stack_by_recursion, stack_hoisted, stack_with_all_states],
    "bidirectional_forward": [
        both_sequence_by_sequence, both_by_a_gated_state, both_by_reversed_indices, both_packed, both_with_lists,
    ],
    "masked_cross_entropy": [
        masked_by_loops, masked_by_logaddexp, masked_by_index, masked_sequence_by_sequence, masked_by_weighted_mean,
    ],
}  # fmt: skip
