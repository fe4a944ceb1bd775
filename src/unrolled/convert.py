"""The same recurrent network in NumPy, torch, Keras and JAX, on disk, and in ONNX: its weights moved from one to the other.

A `Network` holds the weights in the course's own layout, that of `cells`. `to_torch`, `to_keras` and `to_jax` make the layers of another
framework from it, `from_torch`, `from_keras` and `from_jax` read them back; `save` and `load` keep it in a safetensors file,
`to_onnx` and `from_onnx` exchange it with runtimes. A framework is imported when its function is called, and no earlier. What can't be moved raises `CannotConvert`, which says why.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from . import cells

Weights = tuple[np.ndarray, ...]

# Names of a direction's weights, in the order of the arguments in `cells`, and how many gates stand side by side in them.
NAMES = {"rnn": ("W_xh", "W_hh", "b_h"), "lstm": ("W_x", "W_h", "b"), "gru": ("W_x", "W_h", "b_x", "b_h")}
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
DIRECTIONS = ("forward", "backward")


class CannotConvert(ValueError):
    """These weights or this layer have no counterpart on the other side; the message says why and what to do."""


# --- Our side ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Network:
    """A recurrent network as weights: its kind of cell, and layers from the input up.

    kind: "rnn", "lstm" or "gru". layers: for each layer its directions, `(forward,)` or `(forward, backward)`, each a tuple of arrays in the order and the
    shapes of `cells`: `(W_xh, W_hh, b_h)`, `(W_x, W_h, b)` or `(W_x, W_h, b_x, b_h)`. A layer with one direction may be given as that tuple itself. All
    arrays are float32 or all are float64. Raises CannotConvert when shapes don't fit.
    """

    kind: str
    layers: tuple[tuple[Weights, ...], ...]

    def __post_init__(self) -> None:
        if self.kind not in NAMES:
            raise CannotConvert(f"There is no cell {self.kind!r}; the cells are: {', '.join(NAMES)}.")
        layers = tuple(_directions(layer) for layer in self.layers)
        object.__setattr__(self, "layers", layers)
        if not layers:
            raise CannotConvert("A network needs at least one layer; received none.")
        D = None
        for number, layer in enumerate(layers):
            D = _check_layer(self.kind, layer, D, f"layer {number}")
        dtypes = {array.dtype for layer in layers for weights in layer for array in weights}
        if len(dtypes) > 1 or not dtypes <= {np.dtype(np.float32), np.dtype(np.float64)}:
            raise CannotConvert(f"All weights should be float32, or all float64; received {', '.join(sorted(map(str, dtypes)))}.")

    @property
    def D(self) -> int:
        """Inputs per step."""
        return self.layers[0][0][0].shape[0]

    @property
    def dtype(self) -> np.dtype:
        """Of all weights."""
        return self.layers[0][0][0].dtype

    @property
    def sizes(self) -> tuple[int, ...]:
        """Hidden units of each layer, per direction."""
        return tuple(layer[0][1].shape[0] for layer in self.layers)

    @property
    def directions(self) -> tuple[int, ...]:
        """1 or 2 for each layer."""
        return tuple(len(layer) for layer in self.layers)

    def named(self) -> Iterator[tuple[str, np.ndarray]]:
        """All arrays with their names, such as `layers.0.forward.W_x`."""
        for number, layer in enumerate(self.layers):
            for direction, weights in zip(DIRECTIONS, layer, strict=False):
                for name, array in zip(NAMES[self.kind], weights, strict=True):
                    yield f"layers.{number}.{direction}.{name}", array

    def forward(self, X: np.ndarray, lengths: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
        """States of the top layer by `cells`, `(T, N, directions H)`, from zero states.

        X: `(T, N, D)`, or ids `(T, N)`. lengths: `(N,)` real steps of each sequence, 1..T, all of them without it; what lies behind is zero, and the backward
        direction begins at each sequence's own last step.
        """
        T, N = X.shape[:2]
        lengths = np.full(N, T) if lengths is None else np.asarray(lengths)
        if lengths.shape != (N,) or not np.issubdtype(lengths.dtype, np.integer) or lengths.min() < 1 or lengths.max() > T:
            raise CannotConvert(f"lengths should be N = {N} integers in 1..{T}, one for each sequence; received {lengths.tolist()}.")
        order = np.arange(T)[:, None]                                                  # (T, 1)
        real = order < lengths                                                         # (T, N)
        reverse = np.where(real, lengths - 1 - order, order), np.arange(N)             # its own last step first; padding stays behind
        for layer in self.layers:
            outputs = [_states(self.kind, X, layer[0])]
            if len(layer) == 2:
                outputs.append(_states(self.kind, X[reverse], layer[1])[reverse])
            X = np.where(real[..., None], np.concatenate(outputs, axis=-1), 0)
        return X


def _states(kind: str, X: np.ndarray, weights: Weights) -> np.ndarray:
    """All states of one direction, from zero."""
    zeros = np.zeros((X.shape[1], weights[1].shape[0]), weights[0].dtype)
    if kind == "rnn":
        return cells.rnn_forward(X, zeros, *weights)
    return cells.lstm_forward(X, zeros, zeros, *weights)[0] if kind == "lstm" else cells.gru_forward(X, zeros, *weights)[0]


def _directions(layer: Any) -> tuple[Weights, ...]:
    """A layer as a tuple of its directions, each a tuple of arrays."""
    if isinstance(layer, np.ndarray) or not isinstance(layer, Sequence) or not layer:
        raise CannotConvert(f"A layer should be a tuple of weights, or a pair of such tuples for two directions; received {type(layer).__name__}.")
    if not isinstance(layer[0], Sequence):
        layer = (layer,)
    if len(layer) > 2:
        raise CannotConvert(f"A layer has one direction or two, forward and backward; received {len(layer)}.")
    return tuple(tuple(np.asarray(array) for array in weights) for weights in layer)


def _check_layer(kind: str, layer: tuple[Weights, ...], D: int | None, where: str) -> int:
    """What the layer above takes in: all directions' units. Raises CannotConvert for shapes that don't fit an input of D."""
    H = None
    for direction, weights in zip(DIRECTIONS, layer, strict=False):
        names, here = NAMES[kind], f"{where}, {direction}"
        if len(weights) != len(names):
            raise CannotConvert(f"{here}: the weights of {_an(kind)} are {', '.join(names)}; received {len(weights)} arrays. Peepholes and projections have no place here.")
        W_x, W_h = weights[:2]
        if W_x.ndim != 2 or W_h.ndim != 2:
            raise CannotConvert(f"{here}: {names[0]} and {names[1]} should be matrices; received shapes {W_x.shape} and {W_h.shape}.")
        D = W_x.shape[0] if D is None else D
        H = W_h.shape[0] if H is None else H
        width = GATES[kind] * H
        expected = [(D, width), (H, width)] + [(width,)] * (len(names) - 2)
        for name, array, shape in zip(names, weights, expected, strict=True):
            if array.shape != shape:
                raise CannotConvert(
                    f"{here}: {name} should have shape {shape}, for D = {D} inputs and H = {H} units; received {array.shape}. "
                    "Rows belong to what comes in, and the gates stand side by side in the columns."
                )
    return H * len(layer)


def _an(kind: str) -> str:
    return "a GRU" if kind == "gru" else f"an {kind.upper()}"


def _import(name: str, function: str) -> ModuleType:
    """A framework's module. Raises ImportError with what to install."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.split(".")[0]
        if error.name and error.name.split(".")[0] != package:
            raise  # it is there, and something that it needs isn't: that error says more
        raise ImportError(
            f"convert.{function} needs {package}, which is not installed: python -m pip install -c constraints.txt -e '.[frameworks]', in the course's folder.",
            name=package,
        ) from error


def _reordered(array: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """The blocks of gates along the last axis in another order."""
    blocks = np.split(array, len(order), axis=-1)
    return np.concatenate([blocks[k] for k in order], axis=-1)


# --- torch -------------------------------------------------------------------------------------


def to_torch(network: Network):
    """`nn.RNN`, `nn.LSTM` or `nn.GRU` with these weights, time first as ours. Where torch adds two biases and we have one, its second is zero.

    torch's layers are all of one size and have all one direction or all two; other networks raise CannotConvert.
    """
    torch = _import("torch", "to_torch")
    if len(set(network.sizes)) > 1 or len(set(network.directions)) > 1:
        raise CannotConvert(
            f"In one torch module all layers have the same number of units and of directions; this network has {network.sizes} units and "
            f"{network.directions} directions. Convert each layer as a Network of its own."
        )
    dtype = torch.from_numpy(np.empty(0, network.dtype)).dtype
    module = getattr(torch.nn, network.kind.upper())(
        network.D, network.sizes[0], num_layers=len(network.layers), bidirectional=network.directions[0] == 2, dtype=dtype
    )
    with torch.no_grad():
        for number, layer in enumerate(network.layers):
            for suffix, weights in zip(("", "_reverse"), layer, strict=False):
                W_x, W_h, b_x, *b_h = weights
                values = W_x.T, W_h.T, b_x, b_h[0] if b_h else np.zeros_like(b_x)
                for name, value in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), values, strict=True):
                    getattr(module, f"{name}_l{number}{suffix}").copy_(torch.tensor(value))
    return module


def from_torch(module) -> Network:
    """The weights of an `nn.RNN`, `nn.LSTM` or `nn.GRU`, or of a cell of theirs. Two biases that are only ever added become one.

    `batch_first` and `dropout` say how a module is called, not what its weights are: they are not kept. CannotConvert for projections, for
    `nonlinearity="relu"` and for other modules.
    """
    torch = _import("torch", "from_torch")
    nn = torch.nn
    kind = next((kind for kind in NAMES if isinstance(module, (getattr(nn, kind.upper()), getattr(nn, f"{kind.upper()}Cell")))), None)
    if kind is None:
        raise CannotConvert(f"from_torch converts nn.RNN, nn.LSTM, nn.GRU and their cells; received {type(module).__name__}.")
    if getattr(module, "nonlinearity", "tanh") != "tanh":
        raise CannotConvert(f"Our RNN has a tanh; this module has nonlinearity={module.nonlinearity!r}, which gives other numbers.")
    if getattr(module, "proj_size", 0):
        raise CannotConvert(f"This LSTM projects its state to proj_size={module.proj_size} units; our LSTM has no projection. Make the module with proj_size=0.")
    dtypes = {parameter.dtype for parameter in module.parameters()}
    if not dtypes <= {torch.float32, torch.float64}:
        raise CannotConvert(f"All weights should be float32, or all float64; this module has {', '.join(sorted(map(str, dtypes)))}: call module.float() first.")
    if isinstance(module, nn.RNNBase):
        suffixes = [[f"_l{n}{end}" for end in ("", "_reverse")[: 1 + module.bidirectional]] for n in range(module.num_layers)]
    else:
        suffixes = [[""]]
    return Network(kind, tuple(tuple(_direction_from_torch(kind, module, suffix) for suffix in layer) for layer in suffixes))


def _direction_from_torch(kind: str, module, suffix: str) -> Weights:
    def array(name: str) -> np.ndarray | None:
        value = getattr(module, name + suffix, None)
        return None if value is None else value.detach().cpu().numpy().copy()

    W_x, W_h = array("weight_ih").T, array("weight_hh").T
    b_x, b_h = array("bias_ih"), array("bias_hh")
    if b_x is None:  # bias=False
        b_x = b_h = np.zeros(W_x.shape[1], W_x.dtype)
    return (W_x, W_h, b_x, b_h) if kind == "gru" else (W_x, W_h, b_x + b_h)


# --- Keras -------------------------------------------------------------------------------------

KERAS_LAYERS = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
KERAS_GRU_ORDER = (1, 0, 2)  # its blocks are z, r, h where ours are r, z, n; the same exchange leads back


def _keras(function: str) -> ModuleType:
    """Keras 3. Without a KERAS_BACKEND it would ask for TensorFlow: where that is not installed it computes by torch."""
    if "keras" not in sys.modules and "KERAS_BACKEND" not in os.environ and importlib.util.find_spec("tensorflow") is None:
        os.environ["KERAS_BACKEND"] = "torch"
    return _import("keras", function)


def to_keras(network: Network):
    """A built `keras.Sequential` of `SimpleRNN`, `LSTM` or `GRU` layers with these weights; `Bidirectional` where a layer has two directions.

    It takes `(N, T, D)`, the batch first, and returns all states, `(N, T, directions H)`. Float64 by JAX needs
    `jax.config.update("jax_enable_x64", True)` beforehand; CannotConvert without it.

    Keras computes some things in float32 whatever its weights are. By JAX that is every tanh: float64 layers get JAX's own tanh here, and agree to 1e-12. By torch it is
    every product outside of torch's own LSTM and GRU: a `SimpleRNN`, and any layer with a mask, agree to about 1e-6.
    """
    keras = _keras("to_keras")
    dtype, tanh = str(network.dtype), "tanh"
    if dtype == "float64" and keras.backend.backend() == "jax":
        tanh = _tanh_by_jax(keras)
    model = keras.Sequential([keras.Input((None, network.D), dtype=dtype)])
    for layer in network.layers:
        units = layer[0][1].shape[0]
        one = getattr(keras.layers, KERAS_LAYERS[network.kind])(units, activation=tanh, return_sequences=True, dtype=dtype)
        model.add(keras.layers.Bidirectional(one, dtype=dtype) if len(layer) == 2 else one)
    for built, layer in zip(model.layers, network.layers, strict=True):
        built.set_weights([array for weights in layer for array in _direction_to_keras(network.kind, weights)])
    kept = model.layers[0].get_weights()[0].dtype
    if kept != network.dtype:
        raise CannotConvert(
            f"The weights are {network.dtype}, and Keras kept {kept}: JAX has float64 only after jax.config.update('jax_enable_x64', True), "
            "called before its first array. Do that, or convert float32 weights."
        )
    return model


@functools.cache
def _tanh_by_jax(keras: ModuleType):
    """JAX's tanh, which keeps float64, under a name that Keras can write to a file and read again."""
    import jax.numpy as jnp

    @keras.saving.register_keras_serializable(package="unrolled")
    def tanh(x):
        return jnp.tanh(x)

    return tanh


def _direction_to_keras(kind: str, weights: Weights) -> list[np.ndarray]:
    if kind != "gru":
        return list(weights)
    W_x, W_h, b_x, b_h = (_reordered(array, KERAS_GRU_ORDER) for array in weights)
    return [W_x, W_h, np.stack([b_x, b_h])]


def from_keras(model) -> Network:
    """The weights of a built Keras layer `SimpleRNN`, `LSTM` or `GRU`, of a `Bidirectional` around one, or of a list or model of such layers.

    CannotConvert for other layers, other activations, `reset_after=False`, `go_backwards=True`, directions that are not concatenated, and layers that
    return their last state only where another layer needs all.
    """
    keras = _keras("from_keras")
    layers = list(model) if isinstance(model, Sequence) else list(model.layers) if isinstance(model, keras.Model) else [model]
    layers = [layer for layer in layers if not isinstance(layer, keras.layers.InputLayer)]
    for number, layer in enumerate(layers[:-1]):
        if not getattr(layer, "return_sequences", True):
            raise CannotConvert(f"Layer {number} returns its last state only (return_sequences=False), so the layer above it sees one step. Our layers return all states.")
    converted = [_layer_from_keras(keras, layer, number) for number, layer in enumerate(layers)]
    kinds = sorted({kind for kind, _ in converted})
    if len(kinds) > 1:
        raise CannotConvert(f"A Network has one kind of cell in all layers; these layers are {' and '.join(kinds)}. Convert each layer on its own.")
    return Network(kinds[0] if kinds else "rnn", tuple(layer for _, layer in converted))


def _layer_from_keras(keras: ModuleType, layer, number: int) -> tuple[str, tuple[Weights, ...]]:
    """Kind and directions of one layer."""
    if not isinstance(layer, keras.layers.Bidirectional):
        kind, weights = _direction_from_keras(keras, layer, number, backward=False)
        return kind, (weights,)
    if layer.merge_mode != "concat":
        raise CannotConvert(f"Layer {number} joins its directions by merge_mode={layer.merge_mode!r}; ours stand side by side, as merge_mode='concat' gives.")
    kind, forward = _direction_from_keras(keras, layer.forward_layer, number, backward=False)
    other, backward = _direction_from_keras(keras, layer.backward_layer, number, backward=True)
    if kind != other:
        raise CannotConvert(f"Layer {number} is {_an(kind)} forward and {_an(other)} backward; a Network has one kind of cell.")
    return kind, (forward, backward)


def _direction_from_keras(keras: ModuleType, layer, number: int, backward: bool) -> tuple[str, Weights]:
    kind = next((kind for kind, name in KERAS_LAYERS.items() if isinstance(layer, getattr(keras.layers, name))), None)
    if kind is None:
        raise CannotConvert(
            f"from_keras converts SimpleRNN, LSTM, GRU and Bidirectional around them; layer {number} is {type(layer).__name__}. "
            "Pass the recurrent layers alone, as in from_keras(model.layers[1:3])."
        )
    if not layer.built:
        raise CannotConvert(f"Layer {number} has no weights yet: call it once, or layer.build((None, None, D)).")
    for argument, ours in {"activation": "tanh", "recurrent_activation": "sigmoid"}.items():
        theirs = getattr(getattr(layer, argument, None), "__name__", ours)
        if theirs != ours:
            raise CannotConvert(f"Layer {number} has {argument}={theirs!r}; our cell has {ours!r}, and other activations give other numbers.")
    if not getattr(layer, "reset_after", True):
        raise CannotConvert(
            f"Layer {number} is a GRU with reset_after=False: its reset gate acts on the state before the product with W_h, ours (as torch's) on the product. "
            "No weights make them equal; make the layer with reset_after=True."
        )
    if layer.go_backwards != backward:
        raise CannotConvert(f"Layer {number} has go_backwards={layer.go_backwards}: a Network reads backwards only as the second of two directions.")
    W_x, W_h, *biases = (np.array(array) for array in layer.get_weights())
    bias = biases[0] if biases else np.zeros((2, W_x.shape[1]) if kind == "gru" else W_x.shape[1], W_x.dtype)  # use_bias=False
    if kind != "gru":
        return kind, (W_x, W_h, bias)
    return kind, tuple(_reordered(array, KERAS_GRU_ORDER) for array in (W_x, W_h, *bias))


# --- JAX ---------------------------------------------------------------------------------------


def to_jax(network: Network):
    """A `jax_models.Recurrent` of Equinox cells with these weights: called with `(T, N, D)`, it returns all states and the last ones.

    An Equinox GRU has one bias for r and z, where ours are only ever added, and two for n. float64 weights need
    `jax.config.update("jax_enable_x64", True)` beforehand; CannotConvert without it.
    """
    jax = _import("jax", "to_jax")
    _import("equinox", "to_jax")
    from . import jax_models

    if network.dtype == np.float64 and not jax.config.jax_enable_x64:
        raise CannotConvert(
            "The weights are float64, and JAX would round them to float32: call jax.config.update('jax_enable_x64', True) first, or convert float32 weights."
        )
    return jax_models.Recurrent(tuple(tuple(_cell_to_jax(network.kind, weights) for weights in layer) for layer in network.layers))


def _jax_cells() -> dict[str, type]:
    import equinox

    from . import jax_models

    return {"rnn": jax_models.RNNCell, "lstm": equinox.nn.LSTMCell, "gru": equinox.nn.GRUCell}


def _cell_to_jax(kind: str, weights: Weights):
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    W_x, W_h, *biases = weights
    D, H = len(W_x), len(W_h)
    if kind == "gru":
        b_x, b_h = biases
        values = {"bias": np.concatenate([b_x[: 2 * H] + b_h[: 2 * H], b_x[2 * H :]]), "bias_n": b_h[2 * H :]}
    else:
        values = {"bias": biases[0]}
    values = {"weight_ih": W_x.T, "weight_hh": W_h.T, **values}
    cell = eqx.filter_eval_shape(_jax_cells()[kind], D, H, dtype=W_x.dtype, key=jax.random.key(0))  # shapes alone: no weights are drawn
    return eqx.tree_at(lambda c: [getattr(c, name) for name in values], cell, [jnp.array(value) for value in values.values()])


def from_jax(model) -> Network:
    """The weights of a `jax_models.Recurrent`, of one cell (`eqx.nn.LSTMCell`, `eqx.nn.GRUCell`, `jax_models.RNNCell`), or of a list of layers.

    A layer in the list is a cell, or a pair of cells for two directions. CannotConvert for anything else.
    """
    _import("jax", "from_jax")
    _import("equinox", "from_jax")
    from . import jax_models

    layers = model.layers if isinstance(model, jax_models.Recurrent) else model if isinstance(model, Sequence) else [model]
    directions = [layer if isinstance(layer, Sequence) else (layer,) for layer in layers]
    kinds = {_kind_in_jax(cell) for layer in directions for cell in layer}
    if len(kinds) > 1:
        raise CannotConvert(f"A Network has one kind of cell in all layers; these cells are {' and '.join(sorted(kinds))}. Convert each layer on its own.")
    kind = kinds.pop() if kinds else "rnn"
    return Network(kind, tuple(tuple(_cell_from_jax(kind, cell) for cell in layer) for layer in directions))


def _kind_in_jax(cell) -> str:
    for kind, cls in _jax_cells().items():
        if isinstance(cell, cls):
            return kind
    raise CannotConvert(f"from_jax converts eqx.nn.LSTMCell, eqx.nn.GRUCell and jax_models.RNNCell; received {type(cell).__name__}.")


def _cell_from_jax(kind: str, cell) -> Weights:
    W_x, W_h = np.array(cell.weight_ih).T, np.array(cell.weight_hh).T
    bias = np.zeros(W_x.shape[1], W_x.dtype) if cell.bias is None else np.array(cell.bias)
    if kind != "gru":
        return W_x, W_h, bias
    b_h = np.zeros_like(bias)
    if cell.bias_n is not None:
        b_h[2 * len(W_h) :] = np.array(cell.bias_n)
    return W_x, W_h, bias, b_h


# --- On disk -----------------------------------------------------------------------------------


def save(network: Network, path: str | os.PathLike) -> None:
    """Write the weights as a safetensors file: arrays with names, and no code that a reader would run. An older file is replaced whole."""
    numpy_format = _import("safetensors.numpy", "save")
    path = Path(path)
    data = numpy_format.save({name: np.ascontiguousarray(array) for name, array in network.named()}, metadata={"unrolled": network.kind})
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def load(path: str | os.PathLike) -> Network:
    """The network that `save` wrote. CannotConvert for a file that is none."""
    safetensors = _import("safetensors", "load")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            kind = (file.metadata() or {}).get("unrolled")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no dictionary)
    except safetensors.SafetensorError as error:
        raise CannotConvert(f"{path} is not a whole safetensors file ({error}).") from error
    if kind not in NAMES:
        raise CannotConvert(f"{path} holds weights, but not a network that convert.save wrote: its metadata don't name a cell.")
    layers, known = _assembled(kind, arrays)
    if not layers or known != arrays.keys():
        odd = ", ".join(sorted(arrays.keys() - known)) or "none at all"
        raise CannotConvert(f"The arrays in {path} don't make up {_an(kind)} from the first layer on; without a place: {odd}.")
    return Network(kind, layers)


def _assembled(kind: str, arrays: dict[str, np.ndarray]) -> tuple[tuple[tuple[Weights, ...], ...], set[str]]:
    """The layers that are complete, counted from the first, and the names of their arrays."""
    layers, known = [], set()
    for number in itertools.count():
        names = [[f"layers.{number}.{direction}.{name}" for name in NAMES[kind]] for direction in DIRECTIONS]
        names = list(itertools.takewhile(lambda own: arrays.keys() >= set(own), names))
        if not names:
            return tuple(layers), known
        known.update(*names)
        layers.append(tuple(tuple(arrays[name] for name in own) for own in names))


# --- ONNX --------------------------------------------------------------------------------------

# In ONNX gates lie in the rows, an LSTM's in the order i, o, f, c and a GRU's z, r, h: where each of its blocks stands in ours.
ONNX_ORDER = {"rnn": (0,), "lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}
ONNX_OPSET, ONNX_IR = 17, 9  # old enough for every runtime of the last years
ONNX_ACTIVATIONS = {"rnn": ["Tanh"], "lstm": ["Sigmoid", "Tanh", "Tanh"], "gru": ["Sigmoid", "Tanh"]}


def to_onnx(network: Network):
    """An `onnx.ModelProto` in float32: inputs `X (T, N, D)` and `lengths (N,)` int32, output `H (T, N, directions H)`, zero behind the lengths.

    float32 because onnxruntime's LSTM and GRU know no float64.
    """
    onnx = _import("onnx", "to_onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    nodes, constants = [], [numpy_helper.from_array(np.array([0, 0, -1]), "flat")]
    below = "X"
    for number, layer in enumerate(network.layers):
        parts = [np.stack(part) for part in zip(*(_direction_to_onnx(network.kind, weights) for weights in layer), strict=True)]
        names = [f"{name}{number}" for name in "WRB"]
        constants += [numpy_helper.from_array(part.astype(np.float32), name) for part, name in zip(parts, names, strict=True)]
        attributes = {"hidden_size": network.sizes[number], "direction": "bidirectional" if len(layer) == 2 else "forward"}
        if network.kind == "gru":
            attributes["linear_before_reset"] = 1  # the reset gate acts after the product, as ours
        above = "H" if number == len(network.layers) - 1 else f"H{number}"
        nodes += [
            helper.make_node(network.kind.upper(), [below, *names, "lengths"], [f"Y{number}"], **attributes),  # (T, directions, N, H)
            helper.make_node("Transpose", [f"Y{number}"], [f"side{number}"], perm=[0, 2, 1, 3]),               # (T, N, directions, H)
            helper.make_node("Reshape", [f"side{number}", "flat"], [above]),                                   # (T, N, directions H)
        ]
        below = above
    inputs = [
        helper.make_tensor_value_info("X", onnx.TensorProto.FLOAT, ["T", "N", network.D]),
        helper.make_tensor_value_info("lengths", onnx.TensorProto.INT32, ["N"]),
    ]
    outputs = [helper.make_tensor_value_info("H", onnx.TensorProto.FLOAT, ["T", "N", network.sizes[-1] * network.directions[-1]])]
    graph = helper.make_graph(nodes, "unrolled", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", ONNX_OPSET)], ir_version=ONNX_IR)
    onnx.checker.check_model(model)
    return model


def _direction_to_onnx(kind: str, weights: Weights) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """W `(gates H, D)`, R `(gates H, H)` and both biases, `(2 gates H,)`."""
    W_x, W_h, b_x, *b_h = (_reordered(array, ONNX_ORDER[kind]) for array in weights)
    return W_x.T, W_h.T, np.concatenate([b_x, b_h[0] if b_h else np.zeros_like(b_x)])


def from_onnx(model) -> Network:
    """The weights of all RNN, LSTM or GRU nodes of a model, in their order; what lies between them is not looked at.

    CannotConvert for peepholes, clipped or other activations, `linear_before_reset=0`, a coupled forget gate, and weights that are computed.
    """
    onnx = _import("onnx", "from_onnx")
    nodes = [node for node in model.graph.node if node.op_type.lower() in NAMES]
    kinds = sorted({node.op_type.lower() for node in nodes})
    if len(kinds) != 1:
        raise CannotConvert(f"from_onnx converts a model with nodes RNN, LSTM or GRU, all of one kind; this one has {' and '.join(kinds) or 'none'}.")
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    return Network(kinds[0], tuple(_layer_from_onnx(onnx, kinds[0], node, constants) for node in nodes))


def _layer_from_onnx(onnx: ModuleType, kind: str, node, constants: dict[str, np.ndarray]) -> tuple[Weights, ...]:
    options = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    direction = options.get("direction", b"forward").decode()
    where = f"The node {node.name or node.op_type}"
    if len(node.input) > 7 and node.input[7]:
        raise CannotConvert(f"{where} has peepholes (its input P): gates that read the cell state. Our LSTM has none, and no weights make up for it.")
    if direction == "reverse":
        raise CannotConvert(f"{where} reads backwards only; a Network does so only in the second of two directions.")
    if kind == "gru" and not options.get("linear_before_reset"):
        raise CannotConvert(f"{where} has linear_before_reset=0: its reset gate acts before the product with R, ours on the product. No weights make them equal.")
    activations = [one.decode() for one in options.get("activations", [])]
    if activations not in ([], ONNX_ACTIVATIONS[kind], ONNX_ACTIVATIONS[kind] * 2) or "clip" in options or options.get("input_forget"):
        raise CannotConvert(f"{where} has activations, a clip or input_forget other than our {kind.upper()}: {options}.")
    missing = [name for name in node.input[1:4] if name and name not in constants]
    if missing or len(node.input) < 3:
        raise CannotConvert(f"{where} takes weights that are computed, not stored: {', '.join(missing)}.")
    W, R = (constants[name] for name in node.input[1:3])
    B = constants[node.input[3]] if len(node.input) > 3 and node.input[3] else np.zeros((len(W), 2 * W.shape[1]), W.dtype)
    order = np.argsort(ONNX_ORDER[kind])
    layer = []
    for w, r, b in zip(W, R, B, strict=True):
        W_x, W_h, b_x, b_h = (_reordered(array, order) for array in (w.T, r.T, *np.split(b, 2)))
        layer.append((W_x, W_h, b_x, b_h) if kind == "gru" else (W_x, W_h, b_x + b_h))
    return tuple(layer)
