"""Weights moved to Keras, JAX and ONNX, and back: the same numbers, and a sentence for what has no counterpart."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import convert
from unrolled.convert import GATES, NAMES, CannotConvert, Network

pytestmark = pytest.mark.slow
EXACT = {"rtol": 0, "atol": 1e-12}
SINGLE = {"rtol": 0, "atol": 1e-5}  # where Keras rounds to float32 on the way
few = settings(max_examples=12)  # each example builds a model, and JAX compiles it


def a_network(kind, D=3, H=4, layers=1, directions=1, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(layers):
        shapes = [(D, GATES[kind] * H), (H, GATES[kind] * H)] + [(GATES[kind] * H,)] * (len(NAMES[kind]) - 2)
        made.append(tuple(tuple(rng.uniform(-1, 1, shape).astype(dtype) for shape in shapes) for _ in range(directions)))
        D = H * directions
    return Network(kind, tuple(made))


@st.composite
def networks(draw):
    kind = draw(st.sampled_from(list(NAMES)))
    D, H, layers, directions, seed = (draw(st.integers(low, high)) for low, high in [(1, 4), (1, 5), (1, 3), (1, 2), (0, 999)])
    return a_network(kind, D, H, layers, directions, seed)


lengths_of_a_batch = st.lists(st.integers(1, 5), min_size=1, max_size=3)


def inputs_of(network, T, N, seed=0):
    return np.random.default_rng(seed).normal(size=(T, N, network.D))


def assert_same(one, other):
    ours, theirs = dict(one.named()), dict(other.named())
    assert one.kind == other.kind and ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(theirs[name], array, err_msg=name)


# --- Keras -------------------------------------------------------------------------------------


def by_keras(model, X, mask=None):
    """States, time first; what lies behind the mask is made zero, since Keras repeats the last state there."""
    import torch

    H = model.layers[0](torch.tensor(X.swapaxes(0, 1)), mask=mask)
    for layer in model.layers[1:]:
        H = layer(H, mask=mask)
    H = H.detach().cpu().numpy().swapaxes(0, 1)
    return H if mask is None else H * mask.numpy().T[..., None]


@few
@given(network=networks(), T=st.integers(1, 5), N=st.integers(1, 3))
def test_keras_gives_the_same_states(keras, network, T, N):
    X = inputs_of(network, T, N)
    np.testing.assert_allclose(by_keras(convert.to_keras(network), X), network.forward(X), **(SINGLE if network.kind == "rnn" else EXACT))


@few
@given(network=networks(), lengths=lengths_of_a_batch)
def test_keras_gives_the_same_states_of_padded_sequences(keras, network, lengths):
    import torch

    X = inputs_of(network, max(lengths), len(lengths))
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    np.testing.assert_allclose(by_keras(convert.to_keras(network), X, mask), network.forward(X, lengths), **SINGLE)


@few
@given(network=networks())
def test_weights_come_back_from_keras_as_they_were(keras, network):
    assert_same(convert.from_keras(convert.to_keras(network)), network)


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_a_layer_as_keras_starts_it_gives_the_same_states_here(keras, kind, both, bias):
    layer = getattr(keras.layers, convert.KERAS_LAYERS[kind])(4, return_sequences=True, use_bias=bias, dtype="float64")
    layer = keras.layers.Bidirectional(layer, dtype="float64") if both else layer
    X = np.random.default_rng(0).normal(size=(5, 2, 3))
    H = layer(X.swapaxes(0, 1)).detach().numpy().swapaxes(0, 1)
    np.testing.assert_allclose(convert.from_keras(layer).forward(X), H, **(SINGLE if kind == "rnn" else EXACT))


def test_a_list_of_layers_of_a_larger_model_can_be_converted(keras):
    recurrent = [keras.layers.GRU(4, return_sequences=True), keras.layers.GRU(5)]
    keras.Sequential([keras.Input((None,)), keras.layers.Embedding(7, 3), *recurrent, keras.layers.Dense(1)])
    assert convert.from_keras(recurrent).sizes == (4, 5)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda L: L.GRU(4, reset_after=False), "reset_after=False: its reset gate acts on the state before"),
        (lambda L: L.LSTM(4, activation="relu"), "activation='relu'; our cell has 'tanh'"),
        (lambda L: L.LSTM(4, recurrent_activation="hard_sigmoid"), "recurrent_activation='hard_sigmoid'"),
        (lambda L: L.SimpleRNN(4, go_backwards=True), "go_backwards=True"),
        (lambda L: L.Bidirectional(L.LSTM(4), merge_mode="sum"), "merge_mode='sum'"),
        (lambda L: L.Bidirectional(L.LSTM(4), backward_layer=L.GRU(4, go_backwards=True)), "an LSTM forward and a GRU backward"),
        (lambda L: L.Dense(4), r"layer 0 is Dense. Pass the recurrent layers alone"),
        (lambda L: [L.LSTM(4), L.LSTM(4)], "Layer 0 returns its last state only"),
        (lambda L: [L.LSTM(4, return_sequences=True), L.GRU(4)], "these layers are gru and lstm"),
        (lambda L: [], "at least one layer; received none"),
    ],
)  # fmt: skip
def test_a_layer_without_a_counterpart_is_refused_with_the_reason(keras, make, said):
    layers = make(keras.layers)
    for layer in layers if isinstance(layers, list) else [layers]:
        layer.build((2, 5, 4))
    with pytest.raises(CannotConvert, match=said):
        convert.from_keras(layers)


def test_a_layer_without_weights_yet_is_refused(keras):
    with pytest.raises(CannotConvert, match="no weights yet: call it once"):
        convert.from_keras(keras.layers.LSTM(4))


KERAS_BY_JAX = """
import os, sys
import jax
if sys.argv[1] == "float64":
    jax.config.update("jax_enable_x64", True)
import numpy as np
from unrolled import convert
rng = np.random.default_rng(0)
for kind, gates in convert.GATES.items():
    W = [rng.uniform(-1, 1, shape) for shape in [(3, 4 * gates), (4, 4 * gates), (4 * gates,), (4 * gates,)]]
    W = W[: len(convert.NAMES[kind])]
    network = convert.Network(kind, [(W, W)])
    try:
        model = convert.to_keras(network)
    except convert.CannotConvert as error:
        print(error)
        break
    X = rng.normal(size=(6, 2, 3))
    H = np.asarray(model(X.swapaxes(0, 1))).swapaxes(0, 1)
    back = convert.from_keras(model)
    exact = all(np.array_equal(a, b) for (_, a), (_, b) in zip(network.named(), back.named(), strict=True))
    print(kind, exact, abs(H - network.forward(X)).max() < 1e-12)
"""


@pytest.mark.parametrize(("precision", "said"), [("float64", "rnn True True\nlstm True True\ngru True True"), ("float32", "JAX has float64 only after jax.config.update")])
def test_keras_by_jax_gives_the_same_states_where_jax_has_float64(keras, jax, tmp_path, precision, said):
    env = {**os.environ, "KERAS_BACKEND": "jax", "KERAS_HOME": str(tmp_path), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", KERAS_BY_JAX, precision], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


def test_keras_computes_by_torch_where_nothing_else_is_asked_for(keras, tmp_path):
    env = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"} | {"KERAS_HOME": str(tmp_path)}
    code = "from unrolled import convert; import numpy as np; convert.to_keras(convert.Network('rnn', [[np.zeros((2, 2))] * 2 + [np.zeros(2)]])); import keras; print(keras.backend.backend())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.stdout.strip() == "torch", done.stderr


# --- JAX ---------------------------------------------------------------------------------------


@few
@given(network=networks(), T=st.integers(1, 5), N=st.integers(1, 3))
def test_jax_gives_the_same_states(jax, network, T, N):
    X = inputs_of(network, T, N)
    np.testing.assert_allclose(convert.to_jax(network)(X)[0], network.forward(X), **EXACT)


@few
@given(network=networks(), lengths=lengths_of_a_batch)
def test_jax_gives_the_same_states_of_padded_sequences(jax, network, lengths):
    X = inputs_of(network, max(lengths), len(lengths))
    np.testing.assert_allclose(convert.to_jax(network)(X, lengths=lengths)[0], network.forward(X, lengths), **EXACT)


@few
@given(network=networks())
def test_weights_that_come_back_from_jax_compute_the_same(jax, network):
    """Two biases of a GRU that are only added come back as one and a zero."""
    back = convert.from_jax(convert.to_jax(network))
    if network.kind != "gru":
        assert_same(back, network)
    X = inputs_of(network, 4, 2)
    np.testing.assert_allclose(back.forward(X), network.forward(X), **EXACT)


@pytest.mark.parametrize("kind", NAMES)
def test_a_state_carries_over_between_calls(jax, kind):
    network = a_network(kind, layers=2)
    model, X = convert.to_jax(network), inputs_of(network, 7, 2)
    _, state = model(X[:3])
    np.testing.assert_allclose(model(X[3:], state)[0], network.forward(X)[3:], **EXACT)


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("bias", [True, False])
def test_a_cell_as_equinox_starts_it_gives_the_same_states_here(jax, kind, bias):
    cell = convert._jax_cells()[kind](3, 4, use_bias=bias, key=jax.random.key(0))
    X = np.random.default_rng(0).normal(size=(5, 3))
    state = jax.numpy.zeros(4) if kind != "lstm" else (jax.numpy.zeros(4), jax.numpy.zeros(4))
    states = []
    for x in X:
        state = cell(x, state)
        states.append(state[0] if kind == "lstm" else state)
    np.testing.assert_allclose(convert.from_jax(cell).forward(X[:, None])[:, 0], np.array(states), **EXACT)


def test_a_pair_of_cells_is_a_layer_with_two_directions(jax):
    import equinox as eqx

    cells = [eqx.nn.GRUCell(3, 4, key=jax.random.key(seed)) for seed in (0, 1)]
    assert convert.from_jax([cells]).directions == (2,)


def test_other_modules_of_jax_are_refused(jax):
    import equinox as eqx

    with pytest.raises(CannotConvert, match="received Linear"):
        convert.from_jax(eqx.nn.Linear(3, 4, key=jax.random.key(0)))
    cells = [eqx.nn.GRUCell(3, 4, key=jax.random.key(0)), eqx.nn.LSTMCell(4, 4, key=jax.random.key(0))]
    with pytest.raises(CannotConvert, match="these cells are gru and lstm"):
        convert.from_jax(cells)


def test_float64_is_refused_where_jax_would_round_it(jax):
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(CannotConvert, match="JAX would round them to float32"):
            convert.to_jax(a_network("rnn"))
        assert convert.from_jax(convert.to_jax(a_network("rnn", dtype=np.float32))).dtype == np.float32
    finally:
        jax.config.update("jax_enable_x64", True)


# --- ONNX --------------------------------------------------------------------------------------


@few
@given(network=networks(), lengths=lengths_of_a_batch)
def test_onnxruntime_gives_the_same_states_in_float32(onnx, network, lengths):
    import onnxruntime

    X = inputs_of(network, max(lengths), len(lengths)).astype(np.float32)
    session = onnxruntime.InferenceSession(convert.to_onnx(network).SerializeToString())
    theirs, = session.run(None, {"X": X, "lengths": np.array(lengths, np.int32)})
    np.testing.assert_allclose(theirs, network.forward(X.astype(np.float64), lengths), rtol=0, atol=1e-6)


@few
@given(network=networks())
def test_weights_come_back_from_onnx_rounded_to_float32(onnx, network):
    back = convert.from_onnx(convert.to_onnx(network))
    for (name, ours), (_, theirs) in zip(network.named(), back.named(), strict=True):
        np.testing.assert_array_equal(theirs, ours.astype(np.float32), err_msg=name)


def changed(onnx, kind, **attributes):
    """The model of a small network, the attributes of its node set anew; None takes one away."""
    model = convert.to_onnx(a_network(kind))
    node = model.graph.node[0]
    kept = [one for one in node.attribute if one.name not in attributes]
    del node.attribute[:]
    node.attribute.extend([*kept, *(onnx.helper.make_attribute(name, value) for name, value in attributes.items() if value is not None)])
    return model


@pytest.mark.parametrize(
    ("kind", "attributes", "said"),
    [
        ("gru", {"linear_before_reset": None}, "linear_before_reset=0"),
        ("rnn", {"direction": "reverse"}, "reads backwards only"),
        ("rnn", {"activations": ["Relu"]}, "has activations, a clip or input_forget other than our RNN"),
        ("lstm", {"clip": 3.0}, "clip or input_forget"),
        ("lstm", {"input_forget": 1}, "clip or input_forget"),
    ],
)
def test_a_node_without_a_counterpart_is_refused_with_the_reason(onnx, kind, attributes, said):
    with pytest.raises(CannotConvert, match=said):
        convert.from_onnx(changed(onnx, kind, **attributes))


def test_peepholes_are_refused(onnx):
    model = convert.to_onnx(a_network("lstm"))
    model.graph.node[0].input.extend(["", "", "P"])
    with pytest.raises(CannotConvert, match="has peepholes"):
        convert.from_onnx(model)


def test_a_model_without_a_recurrent_node_is_refused(onnx):
    model = convert.to_onnx(a_network("lstm"))
    del model.graph.node[0]
    with pytest.raises(CannotConvert, match="this one has none"):
        convert.from_onnx(model)
