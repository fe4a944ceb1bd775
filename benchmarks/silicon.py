"""Same maths, different silicon: how far apart are the states of one network, computed in several ways?

An RNN and an LSTM as they start training, and an RNN whose recurrent weights are 4 times as large, so that small differences grow
from step to step; the same weights and inputs in NumPy and torch, in float64, float32 and TF32: on a GPU where there is one, and
imitated by rounding the factors of every product as TF32 does, to 10 bits. Every result is compared with torch in float64 on the CPU: the
norm of the difference over the norm, at the last of T steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from common import write

from unrolled import cells

N, D, H = 16, 32, 128
STEPS = (1, 10, 100, 1000)
NETWORKS = {"RNN": 1.0, "LSTM": 1.0, "RNN, W_hh x 4": 4.0}  # the factor of the recurrent weights


def arguments(kind: str, T: int) -> list[np.ndarray]:
    """Inputs, start states and weights in float64, at the scale at which training starts."""
    rng = np.random.default_rng(T)
    gates, states = (4, 2) if kind == "LSTM" else (1, 1)

    def uniform(*shape: int) -> np.ndarray:
        return rng.uniform(-1, 1, size=shape) / math.sqrt(H)

    return [rng.normal(size=(T, N, D)), *(np.zeros((N, H)) for _ in range(states)), uniform(D, gates * H),
            NETWORKS[kind] * uniform(H, gates * H), uniform(gates * H)]  # fmt: skip


def in_numpy(kind: str, given: list[np.ndarray], dtype: type) -> np.ndarray:
    given = [array.astype(dtype) for array in given]
    return cells.lstm_forward(*given)[0][-1] if kind == "LSTM" else cells.rnn_forward(*given)[-1]


def in_torch(kind: str, given: list[np.ndarray], dtype: torch.dtype, device: str, tf32: bool = False) -> np.ndarray:
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    X, *states, W_x, W_h, b = [torch.tensor(array, dtype=dtype, device=device) for array in given]
    network = (torch.nn.LSTM if kind == "LSTM" else torch.nn.RNN)(D, H, dtype=dtype, device=device)
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), (W_x.T, W_h.T, b, torch.zeros_like(b)), strict=True):
            parameter.copy_(value)
        start = tuple(state[None] for state in states) if kind == "LSTM" else states[0][None]
        return network(X, start)[0][-1].double().cpu().numpy()


def as_tf32(array: np.ndarray) -> np.ndarray:
    """float32 rounded to 10 bits of mantissa, ties to even."""
    bits = array.astype(np.float32).view(np.uint32)
    return ((bits + 0xFFF + ((bits >> 13) & 1)) & np.uint32(0xFFFFE000)).view(np.float32)


def in_imitated_tf32(kind: str, given: list[np.ndarray]) -> np.ndarray:
    """Products of rounded factors, added up in float32; the cell state and the bias are in no product."""
    X, *states, W_x, W_h, b = given
    X, W_x, W_h, b = as_tf32(X), as_tf32(W_x), as_tf32(W_h), b.astype(np.float32)
    states = [state.astype(np.float32) for state in states]
    for X_t in X:
        if kind == "LSTM":
            states = cells.lstm_step(X_t, as_tf32(states[0]), states[1], W_x, W_h, b)
        else:
            states = [cells.rnn_step(X_t, as_tf32(states[0]), W_x, W_h, b)]
    return states[0]


def ways() -> Iterator[tuple[str, Callable[[str, list[np.ndarray]], np.ndarray]]]:
    """Every way to compute that this machine has."""
    yield "NumPy, float64", lambda kind, given: in_numpy(kind, given, np.float64)
    yield "NumPy, float32", lambda kind, given: in_numpy(kind, given, np.float32)
    yield "torch, float32, CPU", lambda kind, given: in_torch(kind, given, torch.float32, "cpu")
    yield "NumPy, TF32 imitated", in_imitated_tf32
    if torch.cuda.is_available():
        yield "torch, float64, GPU", lambda kind, given: in_torch(kind, given, torch.float64, "cuda")
        yield "torch, float32, GPU", lambda kind, given: in_torch(kind, given, torch.float32, "cuda")
        yield "torch, TF32, GPU", lambda kind, given: in_torch(kind, given, torch.float32, "cuda", tf32=True)


def main() -> None:
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    print(f"relative difference from torch, float64, CPU, after T steps; H = {H}; GPU: {device}")
    result: dict[str, object] = {"gpu": device}
    for kind in NETWORKS:
        print(f"{kind:<22}" + "".join(f"{f'T = {T}':>10}" for T in STEPS))
        for name, way in ways():
            row = []
            for T in STEPS:
                given = arguments(kind, T)
                truth = in_torch(kind, given, torch.float64, "cpu")
                row.append(float(np.linalg.norm(way(kind, given) - truth) / np.linalg.norm(truth)))
            print(f"{name:<22}" + "".join(f"{error:>10.1e}" for error in row))
            result[f"{kind}, {name}"] = dict(zip(map(str, STEPS), row, strict=True))
    write("silicon", result)


if __name__ == "__main__":
    main()
