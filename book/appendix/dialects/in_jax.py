"""The network in JAX with Equinox. A cell is one step of one sequence: `vmap` adds the batch, `scan` the time."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from unrolled import convert, training

jax.config.update("jax_enable_x64", True)  # else every array is float32


def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):
    return np.asarray(jnp.tanh(X_t @ jnp.asarray(W_xh) + H_prev @ jnp.asarray(W_hh) + b_h))


def lstm_layer(W_x, W_h, b):
    cell = eqx.filter_eval_shape(  # its shapes: no weights are drawn, since ours come in
        eqx.nn.LSTMCell, len(W_x), len(W_h), key=jax.random.key(0))
    ours = [jnp.asarray(array) for array in (W_x.T, W_h.T, b)]  # i, f, g, o
    return eqx.tree_at(lambda c: [c.weight_ih, c.weight_hh, c.bias], cell, ours)


def gru_layer(W_x, W_h, b_x, b_h):
    size = 2 * len(W_h)  # for r and z the two biases are only added
    b = np.concatenate([b_x[:size] + b_h[:size], b_x[size:]])
    cell = eqx.filter_eval_shape(
        eqx.nn.GRUCell, len(W_x), len(W_h), key=jax.random.key(0))
    ours = [jnp.asarray(array) for array in (W_x.T, W_h.T, b, b_h[size:])]
    return eqx.tree_at(
        lambda c: [c.weight_ih, c.weight_hh, c.bias, c.bias_n], cell, ours)


def weights_of(cell):
    W_x, W_h, b = (np.asarray(a) for a in (cell.weight_ih.T, cell.weight_hh.T, cell.bias))
    if isinstance(cell, eqx.nn.GRUCell):
        b_h = np.concatenate([np.zeros(2 * len(W_h)), cell.bias_n])
        return W_x, W_h, b, b_h
    return W_x, W_h, b


def zero_state(cell, N):
    zeros = jnp.zeros((N, cell.hidden_size), cell.weight_hh.dtype)
    return (zeros, zeros) if isinstance(cell, eqx.nn.LSTMCell) else zeros


@eqx.filter_jit  # compiled once for each shape, not at each call
def scan(cell, X, state, real, reverse=False):
    """All states (T, N, H) and the last one; where a step is not real the state stands still."""

    def step(state, inputs):
        x, is_real = inputs
        new = jax.vmap(cell)(x, state)
        state = jax.tree.map(lambda n, old: jnp.where(is_real[:, None], n, old), new, state)
        H_t = state[0] if isinstance(state, tuple) else state
        return state, jnp.where(is_real[:, None], H_t, 0)

    state, H = jax.lax.scan(step, state, (X, real), reverse=reverse)
    return H, state


def states(cell, X):
    real = jnp.ones(X.shape[:2], bool)
    return np.asarray(scan(cell, jnp.asarray(X), zero_state(cell, X.shape[1]), real)[0])


def padded(cell, X, lengths, reverse=False):
    real = jnp.arange(len(X))[:, None] < jnp.asarray(lengths)  # (T, N)
    start = zero_state(cell, X.shape[1])
    return np.asarray(scan(cell, jnp.asarray(X), start, real, reverse)[0])


def both_directions(forward, backward, X, lengths):
    sides = [padded(lstm_layer(*forward), X, lengths),
             padded(lstm_layer(*backward), X, lengths, reverse=True)]
    return np.concatenate(sides, axis=-1)


def two_layers(first, second, X):
    return states(lstm_layer(*second), states(lstm_layer(*first), X))


def in_windows(weights, X, window):
    cell, read = lstm_layer(*weights), []
    state = zero_state(cell, X.shape[1])
    for start in range(0, len(X), window):
        part = jnp.asarray(X[start : start + window])
        H, state = scan(cell, part, state, jnp.ones(part.shape[:2], bool))
        read.append(H)
    return np.concatenate(read)


def encode_decode(encoder, decoder, source, target):
    reader, writer = lstm_layer(*encoder), lstm_layer(*decoder)
    start = zero_state(reader, source.shape[1])
    _, state = scan(reader, jnp.asarray(source), start, jnp.ones(source.shape[:2], bool))
    H, _ = scan(writer, jnp.asarray(target), state, jnp.ones(target.shape[:2], bool))
    return np.asarray(H)  # started where the encoder ended


def clipped(grads, theta):
    norm = jnp.sqrt(sum(jnp.sum(g**2) for g in jax.tree.leaves(grads)))
    return jax.tree.map(lambda g: np.asarray(g * jnp.minimum(1, theta / norm)), grads)


def loss_of(weights, state, X, Y):
    cell, W_hq, b_q = weights
    rows = jax.nn.one_hot(X, W_hq.shape[1], dtype=W_hq.dtype)
    H, state = scan(cell, rows, state, jnp.ones(X.shape, bool))
    log_p = jax.nn.log_softmax(H @ W_hq + b_q)
    return -jnp.take_along_axis(log_p, Y[..., None], -1).mean(), state


@jax.jit
def update(weights, state, X, Y, lr, theta):
    (loss, state), grads = jax.value_and_grad(loss_of, has_aux=True)(weights, state, X, Y)
    norm = jnp.sqrt(sum(jnp.sum(g**2) for g in jax.tree.leaves(grads)))
    scale = lr * jnp.minimum(1, theta / norm)
    weights = jax.tree.map(lambda w, g: (w - scale * g).astype(w.dtype), weights, grads)
    return weights, state, loss  # the state comes back as numbers: nothing to detach


def train(model, batches, lr, theta):
    network = convert.Network("lstm", [model.weights()])
    cell = convert.to_jax(network).layers[0][0]
    weights = cell, jnp.asarray(model.params["W_hq"]), jnp.asarray(model.params["b_q"])
    state, losses = zero_state(cell, batches[0][0].shape[1]), []
    for X, Y in batches:
        weights, state, loss = update(weights, state, X, Y, lr, theta)
        losses.append(float(loss))
    cell, *output = weights
    arrays = (*convert.from_jax(cell).layers[0][0], *map(np.asarray, output))
    return training.LanguageModel(model.cell, dict(zip(model.params, arrays))), np.array(losses)


def save(cell, path):
    eqx.tree_serialise_leaves(path, (cell.input_size, cell.hidden_size, cell))


def load(path):
    with open(path, "rb") as file:
        D, H_size = eqx.tree_deserialise_leaves(file, (0, 0))
    empty = eqx.filter_eval_shape(eqx.nn.LSTMCell, D, H_size, key=jax.random.key(0))
    return eqx.tree_deserialise_leaves(path, (D, H_size, empty))[2]
