"""Right solutions of assignment 05 in other styles, at least four a task."""

import math

import numpy as np

# --- init_lstm ---------------------------------------------------------------------------------


def init_stacked(D, H, seed, forget_bias):
    """Both matrices drawn as one."""
    rng = np.random.default_rng(seed)
    W = (2 * rng.random((D + H, 4 * H)) - 1) / np.sqrt(H)
    return W[:D], W[D:], np.concatenate([np.zeros(H), np.full(H, float(forget_bias)), np.zeros(2 * H)])


def init_gate_by_gate(D, H, seed, forget_bias):
    rng = np.random.default_rng(seed)
    W_x, W_h, b = [], [], []
    for gate in "ifgo":
        W_x.append(rng.uniform(-1, 1, size=(D, H)) * H**-0.5)
        W_h.append(rng.uniform(-1, 1, size=(H, H)) * H**-0.5)
        b.append(np.full(H, forget_bias if gate == "f" else 0.0))
    return np.hstack(W_x), np.hstack(W_h), np.hstack(b)


def init_old_generator(D, H, seed, forget_bias):
    """A list, from NumPy's older generator; the matrices lie in Fortran order."""
    rng, bound = np.random.RandomState(seed % 2**32), math.sqrt(1 / H)
    W_h, W_x = (np.asfortranarray(rng.uniform(low=-bound, high=bound, size=(rows, 4 * H))) for rows in (H, D))
    b = np.kron([0.0, 1.0, 0.0, 0.0], np.ones(H)) * forget_bias
    return [W_x, W_h, b]


def init_as_torch_draws(D, H, seed, forget_bias):
    rng = np.random.Generator(np.random.PCG64(seed))
    b = np.zeros((4, H))
    b[1] += forget_bias
    return rng.uniform(-1, 1, (4 * H, D)).T / np.sqrt(H), rng.uniform(-1, 1, (4 * H, H)).T / np.sqrt(H), b.ravel()


# --- lstm_step ---------------------------------------------------------------------------------


def sigmoid(z):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def step_by_slices(X_t, H_prev, C_prev, W_x, W_h, b):
    size = H_prev.shape[1]
    Z = np.einsum("nd,dk->nk", X_t, W_x) + np.einsum("nh,hk->nk", H_prev, W_h) + b
    i, f, o = (1 / (1 + np.exp(-Z[:, k * size : (k + 1) * size])) for k in (0, 1, 3))  # may warn of an overflow
    C_t = i * np.tanh(Z[:, 2 * size : 3 * size]) + f * C_prev
    return o * np.tanh(C_t), C_t


def step_by_concatenation(X_t, H_prev, C_prev, W_x, W_h, b):
    Z = np.hstack([X_t, H_prev, np.ones((len(X_t), 1))]) @ np.vstack([W_x, W_h, b])
    i, f, g, o = Z.reshape(len(X_t), 4, -1).swapaxes(0, 1)
    C_t = sigmoid(f) * C_prev + sigmoid(i) * np.tanh(g)
    return [np.asfortranarray(sigmoid(o) * np.tanh(C_t)), np.asfortranarray(C_t)]


def step_row_by_row(X_t, H_prev, C_prev, W_x, W_h, b):
    H_t, C_t = np.empty_like(H_prev), np.empty_like(C_prev)
    for n in range(len(X_t)):
        i, f, g, o = np.split(W_x.T @ X_t[n] + W_h.T @ H_prev[n] + b, 4)
        C_t[n] = sigmoid(f) * C_prev[n] + sigmoid(i) * np.tanh(g)
        H_t[n] = sigmoid(o) * np.tanh(C_t[n])
    return H_t, C_t


def step_all_by_tanh(X_t, H_prev, C_prev, W_x, W_h, b):
    """Every gate by one tanh: sigmoid(z) = (1 + tanh(z / 2)) / 2."""
    H = H_prev.shape[1]
    half = np.repeat([0.5, 0.5, 1.0, 0.5], H)
    gates = np.tanh(half * (b + H_prev @ W_h + X_t @ W_x)) * half + (1 - half)
    i, f, g, o = gates[:, :H], gates[:, H : 2 * H], gates[:, 2 * H : -H], gates[:, -H:]
    C_t = C_prev.copy()
    C_t *= f
    C_t += i * g
    return np.tanh(C_t) * o, C_t


# --- lstm_forward ------------------------------------------------------------------------------


def forward_by_steps(X, H_0, C_0, W_x, W_h, b):
    H, C = [], []
    for X_t in X:
        H_0, C_0 = step_by_slices(X_t, H_0, C_0, W_x, W_h, b)
        H.append(H_0)
        C.append(C_0)
    return np.array(H), np.array(C)


def forward_in_arrays(X, H_0, C_0, W_x, W_h, b):
    T, N, _ = X.shape
    H, C = np.zeros((2, T + 1, N, len(W_h)))
    H[0], C[0] = H_0, C_0
    for t in range(T):
        H[t + 1], C[t + 1] = step_row_by_row(X[t], H[t], C[t], W_x, W_h, b)
    return H[1:], C[1:]


def forward_hoisted(X, H_0, C_0, W_x, W_h, b):
    Z = (X.reshape(-1, X.shape[2]) @ W_x + b).reshape(*X.shape[:2], -1)
    H = np.empty((*X.shape[:2], W_h.shape[0]))
    C = np.empty_like(H)
    for t, Z_t in enumerate(Z):
        i, f, g, o = np.split(Z_t + (H[t - 1] if t else H_0) @ W_h, 4, axis=1)
        C[t] = sigmoid(f) * (C[t - 1] if t else C_0) + sigmoid(i) * np.tanh(g)
        H[t] = sigmoid(o) * np.tanh(C[t])
    return H, C


def forward_batch_first_inside(X, H_0, C_0, W_x, W_h, b):
    H, C = np.zeros((2, X.shape[1], X.shape[0], H_0.shape[1]))
    for n in range(X.shape[1]):
        h, c = H_0[n : n + 1], C_0[n : n + 1]
        for t in range(X.shape[0]):
            h, c = step_by_concatenation(X[t, n : n + 1], h, c, W_x, W_h, b)
            H[n, t], C[n, t] = h[0], c[0]
    return H.swapaxes(0, 1), C.swapaxes(0, 1)


# --- lstm_backward -----------------------------------------------------------------------------


def backward_by_steps(dH, X, H_0, C_0, H, C, W_x, W_h, b):
    """Everything inside the loop, gate by gate, weights gathered in blocks."""
    T, size = len(X), len(W_h)
    dX, dW_x, dW_h, db = np.zeros(X.shape), np.zeros(W_x.shape), np.zeros(W_h.shape), np.zeros(b.shape)
    dh, dc = np.zeros(H_0.shape), np.zeros(C_0.shape)
    for t in range(T - 1, -1, -1):
        h_prev, c_prev = (H[t - 1], C[t - 1]) if t > 0 else (H_0, C_0)
        z = X[t] @ W_x + h_prev @ W_h + b
        i, f, o = (sigmoid(z[:, k * size : (k + 1) * size]) for k in (0, 1, 3))
        g = np.tanh(z[:, 2 * size : 3 * size])
        dh = dh + dH[t]
        dc = dc + dh * o * (1 - np.tanh(C[t]) ** 2)
        blocks = [dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g**2), dh * np.tanh(C[t]) * o * (1 - o)]
        dh = np.zeros_like(dh)
        for k, dz in enumerate(blocks):
            columns = slice(k * size, (k + 1) * size)
            dW_x[:, columns] += X[t].T @ dz
            dW_h[:, columns] += h_prev.T @ dz
            db[columns] += dz.sum(axis=0)
            dX[t] += dz @ W_x[:, columns].T
            dh += dz @ W_h[:, columns].T
        dc = dc * f
    return dX, dh, dc, dW_x, dW_h, db


def backward_hoisted(dH, X, H_0, C_0, H, C, W_x, W_h, b):
    """Gates for all steps at once; the products after the loop, by einsum."""
    before_H, before_C = np.concatenate([H_0[None], H[:-1]]), np.concatenate([C_0[None], C[:-1]])
    i, f, g, o = np.split(X @ W_x + before_H @ W_h + b, 4, axis=2)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    shown = np.tanh(C)
    d_i, d_f, d_g = g * i * (1 - i), before_C * f * (1 - f), i * (1 - g) * (1 + g)
    d_o, into = shown * o * (1 - o), o * (1 - shown**2)
    dZ, dh, dc = [], 0, 0
    for t in reversed(range(len(X))):
        dh = dH[t] + dh
        dc = dc + dh * into[t]
        dZ.append(np.hstack([dc * d_i[t], dc * d_f[t], dc * d_g[t], dh * d_o[t]]))
        dh, dc = dZ[-1] @ W_h.T, dc * f[t]
    dZ = np.array(dZ[::-1])
    return (np.einsum("tnk,dk->tnd", dZ, W_x), dh, dc, np.einsum("tnd,tnk->dk", X, dZ), np.einsum("tnh,tnk->hk", before_H, dZ),
            dZ.sum(axis=1).sum(axis=0))


def backward_by_recursion(dH, X, H_0, C_0, H, C, W_x, W_h, b):
    """The rest of the sequence first; what it returns for its starts arrives at the first step."""
    def back(t, H_prev, C_prev):
        if t == len(X):
            return [], np.zeros_like(H_0), np.zeros_like(C_0), 0, 0, 0
        dX, dh, dc, *weights = back(t + 1, H[t], C[t])
        i, f, g, o = np.split(np.hstack([X[t], H_prev]) @ np.vstack([W_x, W_h]) + b, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        dh = dh + dH[t]
        dc = dc + dh * o * (1 - np.tanh(C[t]) ** 2)
        dZ = np.concatenate([dc * g * i * (1 - i), dc * C_prev * f * (1 - f), dc * i * (1 - g * g), dh * np.tanh(C[t]) * o * (1 - o)], axis=1)
        terms = X[t].T @ dZ, H_prev.T @ dZ, dZ.sum(0)
        return [dZ @ W_x.T, *dX], dZ @ W_h.T, dc * f, *(a + b for a, b in zip(weights, terms))

    dX, *others = back(0, H_0, C_0)
    return np.stack(dX), *others


def backward_by_sequence(dH, X, H_0, C_0, H, C, W_x, W_h, b):
    """One sequence after another; a list of results, some in Fortran order."""
    parts = [
        backward_hoisted(dH[:, [n]], X[:, [n]], H_0[[n]], C_0[[n]], H[:, [n]], C[:, [n]], W_x, W_h, b) for n in range(X.shape[1])
    ]
    dX, dH_0, dC_0, dW_x, dW_h, db = zip(*parts)
    return [np.asfortranarray(np.concatenate(dX, axis=1)), np.vstack(dH_0), np.vstack(dC_0), sum(dW_x), np.sum(dW_h, axis=0), sum(db)]


HONEST = {
    "init_lstm": [init_stacked, init_gate_by_gate, init_old_generator, init_as_torch_draws],
    "lstm_step": [step_by_slices, step_by_concatenation, step_row_by_row, step_all_by_tanh],
    "lstm_forward": [forward_by_steps, forward_in_arrays, forward_hoisted, forward_batch_first_inside],
    "lstm_backward": [backward_by_steps, backward_hoisted, backward_by_recursion, backward_by_sequence],
    "lstm_from_torch": [
        lambda weight_ih, weight_hh, bias_ih, bias_hh: (weight_ih.T, weight_hh.T, bias_ih + bias_hh),
        lambda weight_ih, weight_hh, bias_ih, bias_hh: [weight_ih.T.copy(), np.ascontiguousarray(weight_hh.T), np.add(bias_hh, bias_ih)],
        lambda weight_ih, weight_hh, bias_ih, bias_hh: (
            np.swapaxes(weight_ih, 0, 1), np.einsum("kh->hk", weight_hh), np.sum([bias_ih, bias_hh], axis=0)),
        lambda weight_ih, weight_hh, bias_ih, bias_hh: (
            np.hstack([block.T for block in np.split(weight_ih, 4)]), np.column_stack(list(weight_hh)),
            np.array([a + b for a, b in zip(bias_ih, bias_hh)])),
    ],
}  # fmt: skip
