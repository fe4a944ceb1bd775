"""The network in NumPy, by the course's own functions. All four dialects take and return arrays with time first."""

import numpy as np

from unrolled import cells, convert, training


def rnn_step(X_t, H_prev, W_xh, W_hh, b_h):
    return np.tanh(X_t @ W_xh + H_prev @ W_hh + b_h)  # (N, H)


def lstm_layer(W_x, W_h, b):
    return convert.Network("lstm", [(W_x, W_h, b)])


def gru_layer(W_x, W_h, b_x, b_h):
    return convert.Network("gru", [(W_x, W_h, b_x, b_h)])


def weights_of(layer):
    return layer.layers[0][0]


def states(layer, X):
    return layer.forward(X)  # (T, N, H)


def padded(layer, X, lengths):
    return layer.forward(X, lengths)  # zero behind each length


def both_directions(forward, backward, X, lengths):
    return convert.Network("lstm", [(forward, backward)]).forward(X, lengths)


def two_layers(first, second, X):
    return convert.Network("lstm", [first, second]).forward(X)


def in_windows(weights, X, window):
    N, H_size = X.shape[1], len(weights[1])
    H_t = C_t = np.zeros((N, H_size))
    read = []
    for start in range(0, len(X), window):
        H, C, _ = cells.lstm_forward(X[start : start + window], H_t, C_t, *weights)
        H_t, C_t = H[-1], C[-1]  # the next window goes on from here
        read.append(H)
    return np.concatenate(read)


def encode_decode(encoder, decoder, source, target):
    H, C, _ = cells.lstm_forward(source, *np.zeros((2, source.shape[1], len(encoder[1]))), *encoder)
    return cells.lstm_forward(target, H[-1], C[-1], *decoder)[0]  # starts where the encoder ended


def clipped(grads, theta):
    norm = np.sqrt(sum((g**2).sum() for g in grads))  # of all arrays together
    return [g * min(1, theta / norm) for g in grads]


def train(model, batches, lr, theta):
    history = training.train(model, [batches], training.SGD(lr), theta)
    return model, history.losses


def save(layer, path):
    convert.save(layer, path)


def load(path):
    return convert.load(path)
