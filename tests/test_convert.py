"""Weights moved to torch and back, to a file and back, and what is refused: all that needs no other framework."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from unrolled import convert
from unrolled.convert import GATES, NAMES, CannotConvert, Network

EXACT = {"rtol": 0, "atol": 1e-12}


def shapes_of(kind, D, H):
    return [(D, GATES[kind] * H), (H, GATES[kind] * H)] + [(GATES[kind] * H,)] * (len(NAMES[kind]) - 2)


def a_network(kind, D=3, H=4, layers=1, directions=1, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(layers):
        made.append(tuple(tuple(rng.uniform(-1, 1, s).astype(dtype) for s in shapes_of(kind, D, H)) for _ in range(directions)))
        D = H * directions
    return Network(kind, tuple(made))


@st.composite
def networks(draw):
    kind = draw(st.sampled_from(list(NAMES)))
    D, H, layers, directions, seed = (draw(st.integers(low, high)) for low, high in [(1, 4), (1, 5), (1, 3), (1, 2), (0, 999)])
    return a_network(kind, D, H, layers, directions, seed)


def inputs_of(network, T, N, seed=0):
    return np.random.default_rng(seed).normal(size=(T, N, network.D))


def assert_same(one, other):
    assert one.kind == other.kind
    ours, theirs = dict(one.named()), dict(other.named())
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_array_equal(theirs[name], array, err_msg=name)


@given(networks(), st.integers(1, 6), st.integers(1, 3))
def test_torch_gives_the_same_states(network, T, N):
    X = inputs_of(network, T, N)
    theirs, _ = convert.to_torch(network)(torch.tensor(X))
    np.testing.assert_allclose(theirs.detach(), network.forward(X), **EXACT)


@given(networks(), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_torch_gives_the_same_states_for_packed_sequences(network, lengths):
    X = inputs_of(network, max(lengths), len(lengths))
    packed = nn.utils.rnn.pack_padded_sequence(torch.tensor(X), torch.tensor(lengths), enforce_sorted=False)
    theirs, _ = nn.utils.rnn.pad_packed_sequence(convert.to_torch(network)(packed)[0])
    np.testing.assert_allclose(theirs.detach(), network.forward(X, lengths), **EXACT)


@given(networks())
def test_weights_come_back_from_torch_as_they_were(network):
    assert_same(convert.from_torch(convert.to_torch(network)), network)


@given(networks())
def test_what_torch_started_with_gives_the_same_states_here(network):
    """All biases filled, as torch's own start has them."""
    module = getattr(nn, network.kind.upper())(network.D, network.sizes[0], len(network.layers), bidirectional=network.directions[0] == 2).double()
    X = inputs_of(network, 4, 2)
    np.testing.assert_allclose(convert.from_torch(module).forward(X), module(torch.tensor(X))[0].detach(), **EXACT)


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("bias", [True, False])
def test_a_cell_of_torch_can_be_converted(kind, bias):
    cell = getattr(nn, f"{kind.upper()}Cell")(3, 4, bias=bias, dtype=torch.float64)
    X = np.random.default_rng(0).normal(size=(1, 2, 3))
    H = cell(torch.tensor(X[0]))
    H = H[0] if isinstance(H, tuple) else H
    np.testing.assert_allclose(convert.from_torch(cell).forward(X)[0], H.detach(), **EXACT)


@pytest.mark.parametrize("kind", NAMES)
def test_the_module_has_its_own_copy_of_the_weights(kind):
    network = a_network(kind)
    before = {name: array.copy() for name, array in network.named()}
    module = convert.to_torch(network)
    back = convert.from_torch(module)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
    for made in (network, back):
        for name, array in made.named():
            np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays(dtype):
    network = a_network("lstm", dtype=dtype)
    module = convert.to_torch(network)
    assert {p.dtype for p in module.parameters()} == {torch.from_numpy(np.empty(0, dtype)).dtype}
    assert convert.from_torch(module).dtype == dtype


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (nn.LSTM(3, 4, proj_size=2), "proj_size=2 units; our LSTM has no projection"),
        (nn.RNN(3, 4, nonlinearity="relu"), "nonlinearity='relu'"),
        (nn.RNNCell(3, 4, nonlinearity="relu"), "nonlinearity='relu'"),
        (nn.Linear(3, 4), "received Linear"),
        (nn.GRU(3, 4).half(), r"torch.float16: call module.float\(\) first"),
        (nn.GRU(3, 4).bfloat16(), r"torch.bfloat16: call module.float\(\) first"),
    ],
)
def test_a_module_without_a_counterpart_is_refused_with_the_reason(module, said):
    with pytest.raises(CannotConvert, match=said):
        convert.from_torch(module)


def test_layers_of_different_sizes_are_refused_for_torch():
    one, two = a_network("gru", 3, 4), a_network("gru", 4, 5)
    with pytest.raises(CannotConvert, match=r"same number of units.*\(4, 5\) units"):
        convert.to_torch(Network("gru", one.layers + two.layers))


# --- A network ---------------------------------------------------------------------------------


def test_a_layer_with_one_direction_may_be_given_as_its_weights():
    weights = a_network("lstm").layers[0][0]
    assert_same(Network("lstm", [weights]), Network("lstm", [[weights]]))


W = [np.zeros(shape) for shape in shapes_of("lstm", 3, 4)]


@pytest.mark.parametrize(
    ("kind", "layers", "said"),
    [
        ("transformer", [W], "no cell 'transformer'; the cells are: rnn, lstm, gru"),
        ("lstm", [], "at least one layer"),
        ("lstm", [[W, W, W]], "one direction or two.*received 3"),
        ("lstm", [W[0]], "received ndarray"),
        ("lstm", W, "received ndarray"),
        ("lstm", [[*W, W[2]]], "the weights of an LSTM are W_x, W_h, b; received 4 arrays. Peepholes"),
        ("gru", [W], "weights of a GRU are W_x, W_h, b_x, b_h; received 3"),
        ("lstm", [[W[0].T, *W[1:]]], r"layer 0, forward: W_x should have shape \(16, 16\).*received \(16, 3\)"),
        ("lstm", [[W[0], W[1].T, W[2]]], r"W_x should have shape \(3, 64\)"),
        ("lstm", [[W[0], W[2], W[2]]], "should be matrices"),
        ("lstm", [[*W[:2], W[2][None]]], r"b should have shape \(16,\).*received \(1, 16\)"),
        ("lstm", [W, W], r"layer 1, forward: W_x should have shape \(4, 16\), for D = 4 inputs.*received \(3, 16\)"),
        ("lstm", [[W, W], W], r"layer 1, forward: W_x should have shape \(8, 16\)"),
        ("lstm", [[W, [np.zeros(s) for s in shapes_of("lstm", 3, 5)]]], "layer 0, backward: W_x"),
        ("lstm", [[W[0].astype(int), *W[1:]]], "float32, or all float64; received float64, int64"),
        ("lstm", [[W[0].astype("f4"), *W[1:]]], "received float32, float64"),
    ],
)  # fmt: skip
def test_weights_that_make_no_network_are_refused_with_what_was_expected(kind, layers, said):
    with pytest.raises(CannotConvert, match=said):
        Network(kind, layers)


@pytest.mark.parametrize("lengths", [[0, 3], [1, 6], [3], [1.5, 2.0], [[1, 2]]])
def test_lengths_that_fit_no_batch_are_refused(lengths):
    network = a_network("rnn")
    with pytest.raises(CannotConvert, match="N = 2 integers in 1..5"):
        network.forward(inputs_of(network, 5, 2), lengths)


def test_ids_stand_for_one_hot_rows():
    network = a_network("gru", D=5, layers=2, directions=2)
    ids = np.random.default_rng(0).integers(0, 5, size=(6, 3))
    np.testing.assert_allclose(network.forward(ids, [6, 2, 4]), network.forward(np.eye(5)[ids], [6, 2, 4]), **EXACT)


# --- On disk -----------------------------------------------------------------------------------


@pytest.fixture
def safetensors():
    return pytest.importorskip("safetensors", reason="safetensors is missing: install it with `python -m pip install -c constraints.txt -e '.[frameworks]'`")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", NAMES)
def test_a_file_gives_back_what_was_saved(safetensors, tmp_path, kind, dtype):
    network = a_network(kind, layers=3, directions=2, dtype=dtype)
    convert.save(network, tmp_path / "net.safetensors")
    loaded = convert.load(tmp_path / "net.safetensors")
    assert loaded.dtype == dtype
    assert_same(loaded, network)
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


def test_saving_replaces_an_older_file(safetensors, tmp_path):
    for kind in ("rnn", "gru"):
        convert.save(a_network(kind), tmp_path / "net")
    assert convert.load(tmp_path / "net").kind == "gru"


def test_torch_reads_the_file_too(safetensors, tmp_path):
    from safetensors.torch import load_file

    network = a_network("lstm")
    convert.save(network, tmp_path / "net")
    for name, array in network.named():
        np.testing.assert_array_equal(load_file(tmp_path / "net")[name], array)


def test_a_file_that_is_cut_short_is_named(safetensors, tmp_path):
    convert.save(a_network("lstm"), tmp_path / "net")
    (tmp_path / "net").write_bytes((tmp_path / "net").read_bytes()[:-9])
    with pytest.raises(CannotConvert, match="net is not a whole safetensors file"):
        convert.load(tmp_path / "net")


@pytest.mark.parametrize(
    ("lost", "added", "said"),
    [
        (["layers.0.forward.b"], {}, "without a place: .*layers.0.forward.W_h, layers.0.forward.W_x"),
        (["layers.0.backward.W_h"], {}, "without a place: layers.0.backward.W_x, layers.0.backward.b"),
        ([], {"layers.2.forward.W_x": np.zeros(1)}, "without a place: layers.2.forward.W_x"),
        ([], {"head": np.zeros(1)}, "without a place: head"),
    ],
)
def test_a_file_with_other_arrays_is_refused(safetensors, tmp_path, lost, added, said):
    from safetensors.numpy import save_file

    arrays = dict(a_network("lstm", directions=2).named()) | added
    save_file({name: array for name, array in arrays.items() if name not in lost}, tmp_path / "net", metadata={"unrolled": "lstm"})
    with pytest.raises(CannotConvert, match=said):
        convert.load(tmp_path / "net")


def test_somebody_elses_file_is_refused(safetensors, tmp_path):
    from safetensors.numpy import save_file

    save_file({"weight": np.zeros(3)}, tmp_path / "net")
    with pytest.raises(CannotConvert, match="not a network that convert.save wrote"):
        convert.load(tmp_path / "net")


# --- Imports -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("function", "package"), [("to_keras", "keras"), ("from_keras", "keras"), ("to_jax", "jax"), ("from_jax", "jax"), ("to_onnx", "onnx"), ("from_onnx", "onnx")])
def test_a_framework_that_is_missing_is_named_with_the_remedy(monkeypatch, function, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"convert.{function} needs {package}, which is not installed: .*\[frameworks\]"):
        getattr(convert, function)(a_network("rnn"))


def test_importing_the_module_brings_in_no_framework():
    code = "import sys, unrolled.convert; print([m for m in ('torch', 'keras', 'jax', 'equinox', 'safetensors', 'onnx') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert done.stdout.strip() == "[]"
