"""The truth that learners' functions are compared with: torch in float64, on a GPU when there is one.

Every function takes and returns NumPy arrays, in the course's layout. torch is imported at the first call, so that
importing this module is cheap.
"""

from __future__ import annotations

import functools
import os
from typing import Any

import numpy as np


@functools.cache
def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise ImportError(
            "The reference models need torch, which is not installed here: run `pip install torch`, or `make setup`."
        ) from None
    # TF32 keeps 10 bits of the mantissa in matrix products on a GPU: no reference for float64 work.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    return torch


@functools.cache
def device() -> Any:
    """The torch device that judges: `$UNROLLED_DEVICE` if set, else `cuda` when available, else `cpu`."""
    torch = _torch()
    wanted = os.environ.get("UNROLLED_DEVICE")
    if wanted:
        try:
            torch.zeros(1, dtype=torch.float64, device=wanted).item()  # some devices have no float64, or no values
        except Exception as error:
            raise RuntimeError(
                f"UNROLLED_DEVICE={wanted!r} can't be used here ({str(error).splitlines()[0]}): set it to cpu, or unset it."
            ) from None
        return torch.device(wanted)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def describe() -> str:
    """The reference that judges, for reports: library, version, number type, device."""
    torch = _torch()
    kind = device().type
    name = f" ({torch.cuda.get_device_name(device())})" if kind == "cuda" else ""
    return f"torch {torch.__version__.split('+')[0]}, float64, on {kind}{name}"


def _tensor(array: np.ndarray) -> Any:
    torch = _torch()
    array = np.asarray(array)
    dtype = torch.int64 if array.dtype.kind in "iu" else torch.float64
    return torch.tensor(array, dtype=dtype, device=device())


def _numpy(tensor: Any) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def torch_rnn(W_xh: np.ndarray, W_hh: np.ndarray, b_h: np.ndarray) -> Any:
    """`torch.nn.RNN` with the course's weights: torch keeps each matrix transposed, and two biases, one of them zero here."""
    torch = _torch()
    # Made without values: drawing them would change torch's global random state in the notebook that checks.
    rnn = torch.nn.RNN(*W_xh.shape, dtype=torch.float64, device="meta").to_empty(device=device())
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(_tensor(W_xh.T))
        rnn.weight_hh_l0.copy_(_tensor(W_hh.T))
        rnn.bias_ih_l0.copy_(_tensor(b_h))
        rnn.bias_hh_l0.zero_()
    return rnn


def one_hot(ids: np.ndarray, V: int) -> np.ndarray:
    """ids `(T, N)` to `(T, N, V)`, by `torch.nn.functional.one_hot`."""
    return _numpy(_torch().nn.functional.one_hot(_tensor(ids), V).double())


def rnn_forward(X, H_0, W_xh, W_hh, b_h) -> np.ndarray:
    """All states `(T, N, H)`, by `torch.nn.RNN`."""
    rnn = torch_rnn(W_xh, W_hh, b_h)
    with _torch().no_grad():
        H, _ = rnn(_tensor(X), _tensor(H_0)[None])
    return _numpy(H)


def rnn_step(X_t, H_prev, W_xh, W_hh, b_h) -> np.ndarray:
    """One step `(N, H)`, by `torch.nn.RNN` on a sequence of one."""
    return rnn_forward(X_t[None], H_prev, W_xh, W_hh, b_h)[0]


def output_logits(H, W_hq, b_q) -> np.ndarray:
    """`(T, N, V)`, by `torch.nn.functional.linear`."""
    return _numpy(_torch().nn.functional.linear(_tensor(H), _tensor(W_hq.T), _tensor(b_q)))


def cross_entropy(logits, Y) -> float:
    """Mean nats a token, by `torch.nn.functional.cross_entropy`."""
    logits = _tensor(logits)
    return _torch().nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), _tensor(Y).reshape(-1)).item()


def num_parameters(D: int, H: int, V: int) -> int:
    """Parameters of `torch.nn.RNN` and `torch.nn.Linear` together, less the second bias that torch's RNN has."""
    nn = _torch().nn
    rnn, output = nn.RNN(D, H, device="meta"), nn.Linear(H, V, device="meta")
    return sum(p.numel() for p in [*rnn.parameters(), *output.parameters()]) - rnn.bias_hh_l0.numel()
