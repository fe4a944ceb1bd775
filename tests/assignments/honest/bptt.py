"""Right solutions of assignment 03 in other styles, at least four a task."""

import math

import numpy as np

# --- cross_entropy_backward --------------------------------------------------------------------


def loss_backward_by_loops(logits, Y):
    T, N, V = logits.shape
    dlogits = np.zeros((T, N, V))
    for t in range(T):
        for n in range(N):
            largest = max(logits[t, n])
            exponentials = [math.exp(o - largest) for o in logits[t, n]]
            for v in range(V):
                dlogits[t, n, v] = (exponentials[v] / sum(exponentials) - (v == Y[t, n])) / (T * N)
    return dlogits


def loss_backward_flat(logits, Y):
    flat, targets = logits.reshape(-1, logits.shape[-1]), Y.ravel()
    probs = np.exp(flat - np.logaddexp.reduce(flat, axis=1)[:, None])
    probs[np.arange(len(targets)), targets] -= 1
    return (probs / len(targets)).reshape(logits.shape)


def loss_backward_by_one_hot(logits, Y):
    exponentials = np.exp(logits - np.amax(logits, axis=2)[:, :, None])
    return np.asfortranarray((exponentials / exponentials.sum(2)[:, :, None] - np.eye(logits.shape[2])[Y]) * (1 / Y.size))


def loss_backward_by_jacobian(logits, Y):
    """Through the probabilities, with the whole Jacobian of the softmax; without dividing by a probability."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    probs = np.exp(shifted) / np.exp(shifted).sum(axis=-1, keepdims=True)
    of_log = np.eye(logits.shape[-1]) - probs[..., None, :]  # d log p_i / d o_j
    return -np.einsum("tni,tnij->tnj", np.eye(logits.shape[-1])[Y], of_log) / (Y.shape[0] * Y.shape[1])


# --- rnn_step_backward -------------------------------------------------------------------------


def step_plain(dH_t, X_t, H_prev, H_t, W_xh, W_hh):
    dZ = (1 - H_t**2) * dH_t
    return dZ @ W_xh.T, dZ @ W_hh.T, X_t.T @ dZ, H_prev.T @ dZ, dZ.sum(axis=0)


def step_by_einsum(dH_t, X_t, H_prev, H_t, W_xh, W_hh):
    dZ = np.einsum("nh,nh->nh", dH_t, (1 + H_t) * (1 - H_t))
    return (np.einsum("nh,dh->nd", dZ, W_xh), np.einsum("nh,kh->nk", dZ, W_hh), np.einsum("nd,nh->dh", X_t, dZ),
            np.einsum("nk,nh->kh", H_prev, dZ), np.einsum("nh->h", dZ))


def step_by_sequence(dH_t, X_t, H_prev, H_t, W_xh, W_hh):
    """A list of results, sequence by sequence, by outer products."""
    dX_t, dH_prev = np.zeros(X_t.shape), np.zeros(H_prev.shape)
    dW_xh, dW_hh, db_h = np.zeros(W_xh.shape), np.zeros(W_hh.shape), np.zeros(len(W_hh))
    for n in range(len(X_t)):
        dz = dH_t[n] * (1 - H_t[n] * H_t[n])
        dX_t[n], dH_prev[n] = W_xh.dot(dz), W_hh.dot(dz)
        dW_xh += np.outer(X_t[n], dz)
        dW_hh += np.outer(H_prev[n], dz)
        db_h += dz
    return [dX_t, dH_prev, dW_xh, dW_hh, db_h]


def step_by_concatenation(dH_t, X_t, H_prev, H_t, W_xh, W_hh):
    """One product for both inputs; the results are views, and some lie in Fortran order."""
    dZ = dH_t - dH_t * H_t * H_t
    both = dZ @ np.vstack([W_xh, W_hh]).T
    weights = np.hstack([X_t, H_prev, np.ones((len(X_t), 1))]).T @ dZ
    D = X_t.shape[1]
    return both[:, :D], np.asfortranarray(both[:, D:]), weights[:D], weights[D:-1], weights[-1]


# --- rnn_backward ------------------------------------------------------------------------------


def backward_by_steps(dH, X, H_0, H, W_xh, W_hh):
    dX, sums, flowing = [], [0, 0, 0], 0
    for t in reversed(range(len(X))):
        dX_t, flowing, *terms = step_by_sequence(dH[t] + flowing, X[t], H[t - 1] if t > 0 else H_0, H[t], W_xh, W_hh)
        dX.insert(0, dX_t)
        sums = [total + term for total, term in zip(sums, terms)]
    return np.array(dX), flowing, *sums


def backward_hoisted(dH, X, H_0, H, W_xh, W_hh):
    dZ, flowing = np.empty_like(H), np.zeros_like(H_0)
    for t in range(len(X) - 1, -1, -1):
        dZ[t] = (dH[t] + flowing) * (1 - H[t] ** 2)
        flowing = dZ[t] @ W_hh.T
    before = np.concatenate([H_0[None, ...], H[:-1]], axis=0)
    return (dZ @ W_xh.T, flowing, np.einsum("tnd,tnh->dh", X, dZ), np.einsum("tnk,tnh->kh", before, dZ),
            dZ.sum(axis=1).sum(axis=0))


def backward_on_a_copy(dH, X, H_0, H, W_xh, W_hh):
    """Accumulates in its own copy of dH, stretches the arrays with the start state."""
    states = np.vstack([H_0[np.newaxis], H])
    total = np.vstack([np.zeros_like(H_0)[None], dH])
    dX, dW_xh, dW_hh, db_h = np.zeros_like(X), np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros(W_hh.shape[1])
    for t in range(len(X), 0, -1):
        total[t] *= 1 - states[t] ** 2
        total[t - 1] += total[t] @ W_hh.T
        dX[t - 1] = total[t] @ W_xh.T
        dW_xh += X[t - 1].T @ total[t]
        dW_hh += states[t - 1].T @ total[t]
        db_h += total[t].sum(0)
    return dX, total[0], dW_xh, dW_hh, db_h


def backward_by_recursion(dH, X, H_0, H, W_xh, W_hh):
    """The rest of the sequence first; what it returns for its start state flows into the first step."""
    if len(X) == 1:
        first = step_plain(dH[0], X[0], H_0, H[0], W_xh, W_hh)
        return first[0][None], *first[1:]
    dX, flowing, *weights = backward_by_recursion(dH[1:], X[1:], H[0], H[1:], W_xh, W_hh)
    dX_0, dH_0, *own = step_by_einsum(dH[0] + flowing, X[0], H_0, H[0], W_xh, W_hh)
    return np.concatenate([dX_0[None], dX]), dH_0, *(a + b for a, b in zip(weights, own))


# --- truncated_rnn_backward --------------------------------------------------------------------


def truncated_in_the_loop(dH, X, H_0, H, W_xh, W_hh, k):
    dX, flowing = np.zeros(X.shape), np.zeros(H_0.shape)
    dW_xh, dW_hh, db_h = np.zeros(W_xh.shape), np.zeros(W_hh.shape), np.zeros(W_hh.shape[0])
    for t in range(len(X))[::-1]:
        if t + 1 < len(X) and (t + 1) % k == 0:
            flowing = np.zeros(H_0.shape)
        terms = step_plain(dH[t] + flowing, X[t], H_0 if t == 0 else H[t - 1], H[t], W_xh, W_hh)
        dX[t], flowing = terms[:2]
        dW_xh, dW_hh, db_h = dW_xh + terms[2], dW_hh + terms[3], db_h + terms[4]
    return dX, flowing, dW_xh, dW_hh, db_h


def truncated_by_stretches(dH, X, H_0, H, W_xh, W_hh, k):
    before = np.concatenate([H_0[None], H[:-1]])
    parts = [
        backward_hoisted(dH[s : s + k], X[s : s + k], before[s], H[s : s + k], W_xh, W_hh) for s in range(0, X.shape[0], k)
    ]
    return np.concatenate([p[0] for p in parts]), parts[0][1], sum(p[2] for p in parts), sum(p[3] for p in parts), sum(p[4] for p in parts)


def truncated_by_a_mask(dH, X, H_0, H, W_xh, W_hh, k):
    T = len(X)
    keep = np.array([0.0 if t % k == 0 and t > 0 else 1.0 for t in range(T + 1)])  # of what leaves step t for t - 1
    dZ, flowing = np.zeros_like(H), np.zeros_like(H_0)
    for t in reversed(range(T)):
        dZ[t] = (dH[t] + flowing) * (1 - np.square(H[t]))
        flowing = keep[t] * (dZ[t] @ W_hh.T)
    rows = dZ.reshape(-1, dZ.shape[-1])
    before = np.r_[H_0[None], H[:-1]].reshape(rows.shape)
    return [dZ @ W_xh.T, flowing, X.reshape(len(rows), -1).T @ rows, before.T @ rows, rows.sum(axis=0)]


def truncated_from_the_end(dH, X, H_0, H, W_xh, W_hh, k):
    """Stretch by stretch from the last to the first, by recursion on what is left."""
    T = len(X)
    start = (T - 1) // k * k
    if start == 0:
        return backward_by_recursion(dH, X, H_0, H, W_xh, W_hh)
    last = backward_on_a_copy(dH[start:], X[start:], H[start - 1], H[start:], W_xh, W_hh)
    first = truncated_from_the_end(dH[:start], X[:start], H_0, H[:start], W_xh, W_hh, k)
    return np.append(first[0], last[0], axis=0), first[1], *(a + b for a, b in zip(first[2:], last[2:]))


# --- clip_by_norm ------------------------------------------------------------------------------


def clip_plain(grads, theta):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads.values()))
    if norm <= theta:
        return {name: g.copy() for name, g in grads.items()}, norm
    return {name: g * theta / norm for name, g in grads.items()}, norm


def clip_flat(grads, theta):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in grads.values()]))
    clipped = {}
    for name in sorted(grads):  # another order of the keys
        clipped[name] = np.asfortranarray(min(1.0, theta / norm) * grads[name])
    return clipped, np.array(norm)


def clip_on_copies(grads, theta):
    copies, total = dict(grads), 0.0
    for g in copies.values():
        total += float(np.vdot(g, g))
    norm = math.sqrt(total)
    if norm > theta:
        for name in copies:
            copies[name] = copies[name].copy()
            copies[name] /= norm / theta
    return [copies, norm]


def clip_by_hypot(grads, theta):
    norm = math.hypot(*(float(entry) for g in grads.values() for entry in g.flat))
    return {name: g / max(1.0, norm / theta) for name, g in grads.items()}, norm


# --- gradient_norm_by_lag ----------------------------------------------------------------------


def lag_by_loops(H, W_hh):
    T, N, units = H.shape
    norms = np.zeros(T)
    for n in range(N):
        product = np.eye(units)
        norms[0] += np.linalg.norm(product) / N
        for k in range(1, T):
            product = (W_hh @ np.diag(1 - H[T - k, n] ** 2)) @ product
            norms[k] += np.linalg.norm(product) / N
    return norms


def lag_by_transposes(H, W_hh):
    """Jacobians with the outputs in rows, as torch has them: the product from the other side."""
    T, N, units = H.shape
    products, norms = [np.eye(units)] * N, [math.sqrt(units)]
    for h in H[:0:-1]:
        products = [product @ ((1 - h_n**2)[:, None] * W_hh.T) for product, h_n in zip(products, h)]
        norms.append(sum(math.sqrt((product * product).sum()) for product in products) / N)
    return np.array(norms)


def lag_by_einsum(H, W_hh):
    J = np.einsum("ij,tnj->tnij", W_hh, 1 - H * H)
    product = np.stack([np.eye(W_hh.shape[0])] * H.shape[1])
    norms = [product]
    for t in range(len(H) - 1, 0, -1):
        product = np.einsum("nij,njk->nik", J[t], product)
        norms.append(product)
    return np.linalg.norm(np.array(norms), axis=(2, 3)).mean(axis=1)


def lag_by_pushing_rows(H, W_hh):
    """Every unit of the last state sends its gradient back, as in backpropagation."""
    T, N, units = H.shape
    rows = np.tile(np.eye(units), (N, 1, 1))  # (N, unit of H_T, unit of H_t)
    norms = np.empty(T)
    for k in range(T):
        norms[k] = np.sqrt((rows**2).sum(axis=2).sum(axis=1)).mean()
        rows = (rows * (1 - H[T - 1 - k] ** 2)[:, None, :]) @ W_hh.T
    return norms


HONEST = {
    "cross_entropy_backward": [
        loss_backward_by_loops, loss_backward_flat, loss_backward_by_one_hot, loss_backward_by_jacobian,
    ],
    "rnn_step_backward": [step_plain, step_by_einsum, step_by_sequence, step_by_concatenation],
    "rnn_backward": [backward_by_steps, backward_hoisted, backward_on_a_copy, backward_by_recursion],
    "truncated_rnn_backward": [truncated_in_the_loop, truncated_by_stretches, truncated_by_a_mask, truncated_from_the_end],
    "clip_by_norm": [clip_plain, clip_flat, clip_on_copies, clip_by_hypot],
    "gradient_norm_by_lag": [lag_by_loops, lag_by_transposes, lag_by_einsum, lag_by_pushing_rows],
}  # fmt: skip
