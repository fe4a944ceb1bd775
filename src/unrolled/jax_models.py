"""Recurrent networks in JAX: Equinox's cells, run over time by `jax.lax.scan`.

Equinox has a cell for the LSTM and one for the GRU, each for one step of one sequence; it has no plain RNN cell and no layer that runs over time.
Both are here. As everywhere in the course, time is the first axis: inputs `(T, N, D)`.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp

Cell = eqx.Module


class RNNCell(eqx.Module):
    """One step of an Elman network for one sequence: h' = tanh(W_ih x + W_hh h + b), in the layout of Equinox's other cells."""

    weight_ih: jax.Array  # (H, D)
    weight_hh: jax.Array  # (H, H)
    bias: jax.Array | None  # (H,)
    input_size: int = eqx.field(static=True)
    hidden_size: int = eqx.field(static=True)
    use_bias: bool = eqx.field(static=True)

    def __init__(self, input_size: int, hidden_size: int, use_bias: bool = True, dtype=None, *, key):
        """Weights uniform in ±1/√H, as Equinox's cells start; arguments as theirs."""
        bound = hidden_size**-0.5
        keys = jax.random.split(key, 3)
        shapes = [(hidden_size, input_size), (hidden_size, hidden_size), (hidden_size,)]
        draws = [jax.random.uniform(k, shape, dtype or float, -bound, bound) for k, shape in zip(keys, shapes, strict=True)]
        self.weight_ih, self.weight_hh, self.bias = draws[0], draws[1], draws[2] if use_bias else None
        self.input_size, self.hidden_size, self.use_bias = input_size, hidden_size, use_bias

    def __call__(self, input, hidden):
        """The next state `(H,)`, from an input `(D,)` and a state `(H,)`."""
        bias = 0 if self.bias is None else self.bias
        return jnp.tanh(self.weight_ih @ input + self.weight_hh @ hidden + bias)


def zero_state(cell: Cell, N: int):
    """The state before the first step of N sequences: `(N, H)`, or a pair of them for an LSTM."""
    zeros = jnp.zeros((N, cell.hidden_size), cell.weight_hh.dtype)
    return (zeros, zeros) if isinstance(cell, eqx.nn.LSTMCell) else zeros


@eqx.filter_jit  # else JAX compiles the loop anew at each call
def run(cell: Cell, X, state, real, reverse: bool = False):
    """One direction of one layer over time: all states `(T, N, H)`, and the last one.

    X: `(T, N, D)`; real: `(T, N)` booleans, False where a step is padding: there the state stands still and the output is zero.
    reverse: from the last step to the first; the outputs keep their places.
    """

    def step(state, inputs):
        x, is_real = inputs
        new = jax.vmap(cell)(x, state)
        state = jax.tree.map(lambda n, old: jnp.where(is_real[:, None], n, old), new, state)
        h = state[0] if isinstance(state, tuple) else state
        return state, jnp.where(is_real[:, None], h, 0)

    state, H = jax.lax.scan(step, state, (X, real), reverse=reverse)
    return H, state


class Recurrent(eqx.Module):
    """Layers of cells, each with one direction or two. A call runs them over time.

    layers: for each layer its directions, `(forward,)` or `(forward, backward)`, each a cell.
    """

    layers: tuple[tuple[Cell, ...], ...]

    def zero_state(self, N: int) -> tuple:
        """Zeros for N sequences, one state for each direction of each layer."""
        return tuple(tuple(zero_state(cell, N) for cell in layer) for layer in self.layers)

    def __call__(self, X, state=None, lengths=None):
        """States of the top layer `(T, N, directions H)`, and the last state of every layer and direction.

        X: `(T, N, D)`. state: what an earlier call returned, zeros without it. lengths: `(N,)` real steps of each sequence, all of them
        without it; outputs from there on are zero.
        """
        T, N, _ = X.shape
        state = self.zero_state(N) if state is None else state
        real = jnp.ones((T, N), bool) if lengths is None else jnp.arange(T)[:, None] < jnp.asarray(lengths)[None]
        last = []
        for cells, starts in zip(self.layers, state, strict=True):
            results = [run(cell, X, start, real, reverse=k == 1) for k, (cell, start) in enumerate(zip(cells, starts, strict=True))]
            X = jnp.concatenate([H for H, _ in results], axis=-1)
            last.append(tuple(end for _, end in results))
        return X, tuple(last)
