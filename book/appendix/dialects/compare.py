"""One dialect against NumPy: the largest difference of every function's results."""

import importlib
import tempfile
from pathlib import Path

import numpy as np

T, N, D, H = 7, 3, 4, 5
LENGTHS = [7, 2, 4]


def weights(gates, biases, rng, D=D):
    shapes = [(D, gates * H), (H, gates * H)] + [(gates * H,)] * biases
    return [rng.uniform(-1, 1, shape) for shape in shapes]


def results(dialect, folder):
    """What each function of a dialect returns for the same inputs."""
    rng = np.random.default_rng(0)
    X, H_0 = rng.normal(size=(T, N, D)), rng.uniform(-1, 1, (N, H))
    rnn, lstm, gru = weights(1, 1, rng), weights(4, 1, rng), weights(3, 2, rng)
    backward, second = weights(4, 1, rng), weights(4, 1, rng, D=H)
    layer, gru_layer = dialect.lstm_layer(*lstm), dialect.gru_layer(*gru)
    path = Path(folder) / "layer.keras"  # Keras wants this ending
    dialect.save(layer, path)
    return {
        "RNN step": dialect.rnn_step(X[0], H_0, *rnn),
        "LSTM": dialect.states(layer, X),
        "GRU": dialect.states(gru_layer, X),
        "weights back": np.concatenate([a.ravel() for a in dialect.weights_of(layer)]),
        "padding": dialect.padded(layer, X, LENGTHS),
        "two directions": dialect.both_directions(lstm, backward, X, LENGTHS),
        "two layers": dialect.two_layers(lstm, second, X),
        "windows": dialect.in_windows(lstm, X, 3),
        "encoder, decoder": dialect.encode_decode(lstm, backward, X, X[:3]),
        "clipping": np.concatenate([a.ravel() for a in dialect.clipped(lstm, 1.0)]),
        "saved, loaded": dialect.states(dialect.load(path), X),
    }


def differences(name):
    """The largest difference between a dialect's results and NumPy's, for each function."""
    with tempfile.TemporaryDirectory() as folder:
        ours = results(importlib.import_module("in_numpy"), folder)
        theirs = results(importlib.import_module(name), folder)
    return {what: float(np.abs(theirs[what] - ours[what]).max()) for what in ours}
