"""Right solutions of assignment 04 in other styles, at least four a task."""

import math

import numpy as np

NAMES = ("W_xh", "W_hh", "b_h", "W_hq", "b_q")


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


# --- train_step --------------------------------------------------------------------------------


def step_with_one_hot(params, X, Y, H_0, lr, theta):
    """One-hot inputs, lists of states, gradients summed step by step."""
    V = len(params["b_q"])
    inputs, states, probs, loss = np.eye(V)[X], [H_0], [], 0.0
    for t in range(len(X)):
        states.append(np.tanh(inputs[t] @ params["W_xh"] + states[-1] @ params["W_hh"] + params["b_h"]))
        probs.append(softmax(states[-1] @ params["W_hq"] + params["b_q"]))
        loss -= np.log(probs[-1][np.arange(X.shape[1]), Y[t]]).sum() / X.size if probs[-1].min() > 1e-300 else np.nan
    if np.isnan(loss):
        logits = np.stack(states[1:]) @ params["W_hq"] + params["b_q"]
        picked = np.take_along_axis(logits, Y[..., None], axis=-1)[..., 0]
        loss = (np.logaddexp.reduce(logits, axis=-1) - picked).mean()
    grads, flowing = {name: np.zeros_like(w) for name, w in params.items()}, 0.0
    for t in range(len(X) - 1, -1, -1):
        dlogits = (probs[t] - np.eye(V)[Y[t]]) / X.size
        dZ = (dlogits @ params["W_hq"].T + flowing) * (1 - states[t + 1] ** 2)
        flowing = dZ @ params["W_hh"].T
        grads["W_hq"] += states[t + 1].T @ dlogits
        grads["b_q"] += dlogits.sum(axis=0)
        grads["W_xh"] += inputs[t].T @ dZ
        grads["W_hh"] += states[t].T @ dZ
        grads["b_h"] += dZ.sum(axis=0)
    norm = np.sqrt(sum(np.sum(g**2) for g in grads.values()))
    factor = min(1.0, theta / norm)
    return {name: params[name] - lr * factor * grads[name] for name in params}, states[-1], loss


def step_by_lookup(params, X, Y, H_0, lr, theta):
    """Rows looked up instead of multiplied, everything hoisted out of the loop that can be."""
    W_xh, W_hh, b_h, W_hq, b_q = (params[name] for name in NAMES)
    H, state = W_xh[X] + b_h, H_0
    for t in range(len(H)):
        state = H[t] = np.tanh(H[t] + state @ W_hh)
    logits = np.einsum("tnh,hv->tnv", H, W_hq) + b_q
    logits -= logits.max(axis=2, keepdims=True)
    log_probs = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    t, n = np.indices(X.shape)
    loss = -log_probs[t, n, Y].mean()
    D = np.exp(log_probs)
    D[t, n, Y] -= 1
    D /= Y.size
    dZ, flowing = D @ W_hq.T, np.zeros_like(H_0)
    for step in reversed(range(len(H))):
        dZ[step] = (dZ[step] + flowing) * (1 - H[step]) * (1 + H[step])
        flowing = np.dot(dZ[step], W_hh.T)
    dW_xh = np.zeros_like(W_xh)
    np.add.at(dW_xh, X, dZ)
    before = np.concatenate([H_0[None], H[:-1]])
    grads = [dW_xh, np.tensordot(before, dZ, axes=([0, 1], [0, 1])), dZ.sum((0, 1)), np.einsum("tnh,tnv->hv", H, D), D.sum((0, 1))]
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in grads]))
    if norm > theta:
        grads = [g * (theta / norm) for g in grads]
    return dict(zip(NAMES, [w - lr * g for w, g in zip((W_xh, W_hh, b_h, W_hq, b_q), grads)])), H[-1], float(loss)


def step_by_concatenation(params, X, Y, H_0, lr, theta):
    """Input, state and a one for the bias side by side; one matrix, one gradient; results in a list, in Fortran order."""
    V, (T, N) = len(params["b_q"]), X.shape
    W = np.vstack([params["W_xh"], params["W_hh"], params["b_h"]])
    W_out = np.vstack([params["W_hq"], params["b_q"]])
    H_t, read, written = H_0, [], []
    for ids in X:
        read.append(np.hstack([np.eye(V)[ids], H_t, np.ones((N, 1))]))
        H_t = np.tanh(read[-1] @ W)
        written.append(np.hstack([H_t, np.ones((N, 1))]))
    logits = np.array(written) @ W_out
    top = logits.max(-1)[..., None]
    log_probs = logits - top - np.log(np.exp(logits - top).sum(-1))[..., None]
    targets = np.eye(V)[Y]
    dlogits = (np.exp(log_probs) - targets) / (T * N)
    dW, dW_out, flowing = np.zeros_like(W), np.zeros_like(W_out), np.zeros_like(H_0)
    for t in range(T)[::-1]:
        dW_out += written[t].T @ dlogits[t]
        dH = (dlogits[t] @ W_out.T)[:, :-1] + flowing
        dZ = dH - dH * written[t][:, :-1] ** 2
        dW += read[t].T @ dZ
        flowing = (dZ @ W.T)[:, V:-1]
    norm = math.sqrt((dW**2).sum() + (dW_out**2).sum())
    scale = lr * (theta / norm if norm > theta else 1)
    W, W_out = W - scale * dW, W_out - scale * dW_out
    new = {"b_q": W_out[-1], "W_hq": W_out[:-1], "b_h": W[-1], "W_hh": np.asfortranarray(W[V:-1]), "W_xh": W[:V]}
    return [new, H_t, np.array(-(targets * log_probs).sum(axis=-1).mean())]


def step_on_copies(params, X, Y, H_0, lr, theta):
    """In place, but on copies; calls another right update for the gradient, by a step of length 1."""
    new = {name: w.copy() for name, w in params.items()}
    moved, H_T, loss = step_by_lookup(params, X, Y, H_0, 1.0, theta)
    for name in new:
        new[name] += lr * (moved[name] - params[name])
    return new, H_T.copy(), loss


# --- train -------------------------------------------------------------------------------------


def train_in_a_loop(params, batches, H_0, lr, theta):
    losses = []
    for X, Y in batches:
        params, H_0, loss = step_by_lookup(params, X, Y, H_0, lr, theta)
        losses.append(loss)
    return params, losses


def train_by_index(params, batches, H_0, lr, theta):
    losses, state, current = [None] * len(batches), H_0.copy(), dict(params)
    for i in range(len(batches)):
        current, state, losses[i] = step_by_concatenation(current, batches[i][0], batches[i][1], state, lr, theta)
    return current, tuple(losses)


def train_with_prints(params, batches, H_0, lr, theta):
    state, losses = H_0, []
    for number, batch in enumerate(batches):
        params, state, loss = step_on_copies(params, *batch, state, lr, theta)
        losses += [np.float64(loss)]
        if number % 1000 == 0:
            print(f"update {number}: loss {loss:.3f}")
    return [params, losses]


def train_on_one_copy(params, batches, H_0, lr, theta):
    """One set of arrays, which every update writes into."""
    own, state, losses = {name: np.array(w) for name, w in params.items()}, H_0, []
    for X, Y in batches:
        new, state, loss = step_by_lookup(own, X, Y, state, lr, theta)
        for name, w in new.items():
            own[name][:] = w
        losses.append(float(loss))
    return own, losses


# --- evaluate ----------------------------------------------------------------------------------


def evaluate_token_by_token(params, ids):
    h, total = np.zeros(len(params["b_h"])), 0.0
    for token, following in zip(ids[:-1], ids[1:]):
        h = np.tanh(params["W_xh"][token] + h @ params["W_hh"] + params["b_h"])
        o = h @ params["W_hq"] + params["b_q"]
        total += o.max() + math.log(np.exp(o - o.max()).sum()) - o[following]
    return math.exp(total / (len(ids) - 1))


def evaluate_all_states_first(params, ids):
    inputs, H = np.eye(len(params["b_q"]))[ids[:-1]] @ params["W_xh"] + params["b_h"], []
    for z in inputs:
        H.append(np.tanh(z if not H else z + H[-1] @ params["W_hh"]))
    logits = np.array(H) @ params["W_hq"] + params["b_q"]
    picked = logits[np.arange(len(H)), ids[1:]]
    return np.exp(np.mean(np.logaddexp.reduce(logits, axis=1) - picked))


def evaluate_in_pieces(params, ids):
    """Seven tokens at a time, the state (1, H) carried."""
    state, nats = np.zeros((1, params["W_hh"].shape[0])), []
    for start in range(0, len(ids) - 1, 7):
        for X, Y in zip(ids[start : start + 7], ids[start + 1 : start + 8]):
            state = np.tanh(params["W_xh"][[X]] + state @ params["W_hh"] + params["b_h"])
            shifted = state @ params["W_hq"] + params["b_q"]
            shifted = shifted - shifted.max()
            nats.append(-(shifted - np.log(np.exp(shifted).sum()))[0, Y])
    return np.array(math.exp(math.fsum(nats) / len(nats)))


def evaluate_by_a_step_without_learning(params, ids):
    _, _, loss = step_by_lookup(params, ids[:-1, None], ids[1:, None], np.zeros((1, len(params["b_h"]))), 0.0, 1.0)
    return np.exp(loss).item()


# --- sample ------------------------------------------------------------------------------------


def _state_after(params, tokens):
    h = np.zeros(len(params["b_h"]))
    for token in tokens:
        h = np.tanh(params["W_xh"][token] + h @ params["W_hh"] + params["b_h"])
    return h


def sample_by_choice(params, prefix, length, temperature, seed):
    rng, h, ids = np.random.default_rng(seed), _state_after(params, prefix), []
    for _ in range(length):
        token = int(rng.choice(len(params["b_q"]), p=softmax((h @ params["W_hq"] + params["b_q"]) / temperature)))
        ids.append(token)
        h = np.tanh(params["W_xh"][token] + h @ params["W_hh"] + params["b_h"])
    return ids


def sample_by_cumulative_sums(params, prefix, length, temperature, seed):
    """A row of uniform numbers is drawn at once; the whole text is read again for each id."""
    text, ids = [int(token) for token in prefix], []
    for u in np.random.default_rng(seed).random(length):
        probs = softmax((_state_after(params, text + ids) @ params["W_hq"] + params["b_q"]) / temperature)
        ids.append(min(int(np.searchsorted(np.cumsum(probs), u, side="right")), len(probs) - 1))
    return ids


def sample_by_gumbel_noise(params, prefix, length, temperature, seed):
    rng, h, ids = np.random.default_rng([seed, 1]), _state_after(params, prefix), []
    while len(ids) < length:
        scores = (h @ params["W_hq"] + params["b_q"]) / temperature
        ids.append(np.argmax(scores + rng.gumbel(size=scores.shape)))  # np.int64
        h = np.tanh(params["W_xh"][ids[-1]] + h @ params["W_hh"] + params["b_h"])
    return tuple(ids)


def sample_by_powers(params, prefix, length, temperature, seed):
    """Probabilities to the power 1 / temperature, normalised again; the older random state of NumPy."""
    rng, h, ids = np.random.RandomState(seed), _state_after(params, list(prefix)), []
    for _ in range(length):
        probs = softmax(h @ params["W_hq"] + params["b_q"]) ** (1 / temperature)
        ids.append(int(rng.multinomial(1, probs / probs.sum()).argmax()))
        h = np.tanh(params["W_xh"][ids[-1]] + h @ params["W_hh"] + params["b_h"])
    return ids


HONEST = {
    "train_step": [step_with_one_hot, step_by_lookup, step_by_concatenation, step_on_copies],
    "train": [train_in_a_loop, train_by_index, train_with_prints, train_on_one_copy],
    "evaluate": [
        evaluate_token_by_token, evaluate_all_states_first, evaluate_in_pieces, evaluate_by_a_step_without_learning,
    ],
    "sample": [sample_by_choice, sample_by_cumulative_sums, sample_by_gumbel_noise, sample_by_powers],
}  # fmt: skip
