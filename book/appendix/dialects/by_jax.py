"""What Keras does by JAX, in a process of its own: one backend a process. Prints two lines of JSON: what differs, and how it trained."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import json
import sys
import time

import compare
import jax
import numpy as np

jax.config.update("jax_enable_x64", True)

import in_keras
import keras

from unrolled import convert, corpora, text, training

rng = np.random.default_rng(0)
x = rng.normal(size=(3, 4))
said = {"differences": compare.differences("in_keras"), "tanh": str(keras.ops.tanh(x).dtype), "product": str(keras.ops.matmul(x, x.T).dtype)}

lstm, X = compare.weights(4, 1, rng), rng.normal(size=(compare.T, compare.N, compare.D))
network = convert.Network("lstm", [lstm])
mended = in_keras.turned(convert.to_keras(network)(in_keras.turned(X)))
said["mended"] = float(np.abs(mended - network.forward(X)).max())

try:
    keras.layers.SimpleRNN(compare.H, dtype="float64")(X)
except TypeError:
    said["SimpleRNN"] = "TypeError"

carrying = keras.Sequential([keras.Input(batch_shape=X.shape), keras.layers.LSTM(compare.H, stateful=True)])
once, again = (carrying.predict_on_batch(X) for _ in range(2))
said["stateful predict moves by"] = float(np.abs(once - again).max())
print(json.dumps(said), flush=True)

train_text = corpora.toy_english(100_000, seed=0)
vocabulary = text.Vocabulary(train_text.text)
batches = text.sequential_batches(vocabulary.encode(train_text.text), N=32, T=32)
model = training.init_model(training.LSTM, len(vocabulary), 64, 0, np.float32)
start = time.perf_counter()
model, losses = in_keras.train(model, batches, lr=4.0, theta=1.0)
trained = {"seconds": time.perf_counter() - start, "losses": losses.tolist()}
np.savez(sys.argv[1], **model.params)
print(json.dumps(trained))
