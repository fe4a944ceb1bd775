"""The device that judges, and the way of arrays to it and back. torch is imported at the first call."""

from __future__ import annotations

import datetime
import functools
import gc
import os
import platform
import sys
from typing import Any

import numpy as np


@functools.cache
def torch_module() -> Any:
    """torch, with the settings of a reference: no TF32."""
    collects = gc.isenabled()
    gc.disable()  # looking for garbage among what is only being made takes a tenth of the import
    try:
        import torch
    except ImportError:
        if sys.platform == "emscripten":
            raise ImportError("The reference models need torch, which this page does not have: run this cell with Python on your machine.") from None
        raise ImportError(
            "The reference models need torch, which is not installed here: run `pip install torch`, or `make setup`."
        ) from None
    finally:
        if collects:
            gc.enable()
    # TF32 keeps 10 bits of the mantissa in matrix products on a GPU: no reference for float64 work.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    return torch


@functools.cache
def device() -> Any:
    """The torch device that judges: `$UNROLLED_DEVICE` if set, else `cuda` when available, else `cpu`."""
    torch = torch_module()
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
    torch = torch_module()
    kind = device().type
    name = f" ({torch.cuda.get_device_name(device())})" if kind == "cuda" else ""
    return f"torch {torch.__version__.split('+')[0]}, float64, on {kind}{name}"


def provenance() -> dict[str, str]:
    """Where results are computed: device, versions, date."""
    torch = torch_module()
    found = {
        "judge": describe(), "date": datetime.date.today().isoformat(), "torch": torch.__version__, "numpy": np.__version__,
        "python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}",
    }  # fmt: skip
    if device().type == "cuda":
        found |= {
            "device": torch.cuda.get_device_name(device()), "cuda": str(torch.version.cuda),
            "cudnn": str(torch.backends.cudnn.version()),
        }  # fmt: skip
    return found


def tensor(array: np.ndarray) -> Any:
    """On the device that judges: integers as int64, all else as float64."""
    torch = torch_module()
    array = np.asarray(array)
    dtype = torch.int64 if array.dtype.kind in "iu" else torch.float64
    return torch.tensor(array, dtype=dtype, device=device())


def numpy_array(tensor: Any) -> np.ndarray:
    """Back on the CPU, without its graph."""
    return tensor.detach().cpu().numpy()


def with_weights(kind: type, *sizes: int, weights: dict[str, np.ndarray], **options: Any) -> Any:
    """A recurrent module of `torch.nn`, float64, on the device that judges, with these weights by torch's names for them.

    It is made without values, because drawing them would change torch's global random state in the notebook that checks.
    Its own `to_empty` would do, too, but imports sympy for it: half a second more before the first check.
    """
    module = kind(*sizes, dtype=torch_module().float64, device="meta", **options)
    module.load_state_dict({name: tensor(value) for name, value in weights.items()}, assign=True)
    module.flatten_parameters()
    return module
