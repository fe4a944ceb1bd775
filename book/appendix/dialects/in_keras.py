"""The network in Keras 3, which computes by torch or by JAX. The batch comes first, so X and H are turned."""

import keras
import numpy as np
from keras import layers, ops

from unrolled import convert, training

DTYPE = "float64"  # Keras' own choice is float32


def as_tensor(array):
    return ops.convert_to_tensor(array, dtype=DTYPE)


def turned(X):
    return np.swapaxes(ops.convert_to_numpy(X), 0, 1)  # (T, N, ·) ↔ (N, T, ·)


def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):
    cell = layers.SimpleRNNCell(len(W_hh), dtype=DTYPE)
    cell.build(X_t.shape)
    cell.set_weights([W_xh, W_hh, b_h])  # our arrays as they are
    H_t, _ = cell(as_tensor(X_t), [as_tensor(H_prev)])
    return ops.convert_to_numpy(H_t)


def lstm_layer(W_x, W_h, b):
    layer = layers.LSTM(len(W_h), return_sequences=True, dtype=DTYPE)
    layer.build((None, None, len(W_x)))
    layer.set_weights([W_x, W_h, b])  # i, f, c, o: our order
    return layer


def z_first(array):
    r, z, n = np.split(array, 3, axis=-1)
    return np.concatenate([z, r, n], axis=-1)


def gru_layer(W_x, W_h, b_x, b_h):
    layer = layers.GRU(len(W_h), return_sequences=True, reset_after=True, dtype=DTYPE)
    layer.build((None, None, len(W_x)))
    layer.set_weights([z_first(W_x), z_first(W_h), np.stack([z_first(b_x), z_first(b_h)])])
    return layer


def weights_of(layer):
    W_x, W_h, b = layer.get_weights()
    if isinstance(layer, layers.GRU):
        return z_first(W_x), z_first(W_h), z_first(b[0]), z_first(b[1])
    return W_x, W_h, b


def states(layer, X):
    return turned(layer(turned(X)))


def padded(layer, X, lengths):
    real = np.arange(len(X)) < np.array(lengths)[:, None]  # (N, T)
    H = turned(layer(turned(X), mask=ops.convert_to_tensor(real)))
    return H * real.T[..., None]  # Keras repeats the last state there


def both_directions(forward, backward, X, lengths):
    one = layers.LSTM(len(forward[1]), return_sequences=True, dtype=DTYPE)
    layer = layers.Bidirectional(one, dtype=DTYPE)
    layer.build((None, None, X.shape[2]))
    layer.set_weights([*forward, *backward])
    return padded(layer, X, lengths)


def two_layers(first, second, X):
    inputs = keras.Input((None, X.shape[2]), dtype=DTYPE)
    model = keras.Sequential([inputs, lstm_layer(*first), lstm_layer(*second)])
    return states(model, X)


def in_windows(weights, X, window):
    N, D = X.shape[1:]
    layer = layers.LSTM(len(weights[1]), return_sequences=True, stateful=True, dtype=DTYPE)
    layer.build((N, None, D))  # stateful: the number of sequences is fixed
    layer.set_weights(weights)
    parts = np.split(X, range(window, len(X), window))
    return np.concatenate([states(layer, part) for part in parts])


def encode_decode(encoder, decoder, source, target):
    reader, writer = lstm_layer(*encoder), lstm_layer(*decoder)
    reader.return_state = True
    _, *state = reader(turned(source))
    return turned(writer(turned(target), initial_state=state))  # starts where the encoder ended


def clipped(grads, theta):
    optimizer = keras.optimizers.SGD(1.0, global_clipnorm=theta)
    weights = [keras.Variable(np.zeros_like(g), dtype=DTYPE) for g in grads]
    optimizer.apply([as_tensor(g) for g in grads], weights)
    return [-ops.convert_to_numpy(w) for w in weights]  # what one step moved


def train(model, batches, lr, theta):
    (T, N), V, H_size = batches[0][0].shape, model.V, model.H
    inputs = [keras.Input((T, V)), keras.Input((H_size,)), keras.Input((H_size,))]
    cell = layers.LSTM(H_size, return_sequences=True, return_state=True)
    output = layers.Dense(V)
    H, *last = cell(inputs[0], initial_state=inputs[1:])
    learner = keras.Model(inputs, output(H))
    reader = keras.Model(inputs, last)  # the same cell, asked for its last state
    cell.set_weights(model.weights())
    output.set_weights([model.params["W_hq"], model.params["b_q"]])
    learner.compile(
        keras.optimizers.SGD(lr, global_clipnorm=theta),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rows, losses = np.eye(V, dtype="float32"), []
    state = [np.zeros((N, H_size), "float32")] * 2
    for X, Y in batches:
        read = [rows[X.T], *state]
        state = reader.predict_on_batch(read)  # before the update changes the weights
        learner.reset_metrics()  # else the loss is a mean since the start
        losses.append(float(learner.train_on_batch(read, Y.T)))
    arrays = (*convert.from_keras(cell).layers[0][0], *output.get_weights())
    return training.LanguageModel(model.cell, dict(zip(model.params, arrays))), np.array(losses)


def save(layer, path):
    inputs = keras.Input((None, len(layer.get_weights()[0])), dtype=DTYPE)
    keras.Sequential([inputs, layer]).save(path)  # .keras: settings as text, weights as HDF5


def load(path):
    return keras.saving.load_model(path).layers[0]
