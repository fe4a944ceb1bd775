"""The truth that learners' functions are compared with: torch in float64, on a GPU when there is one.

One module an assignment, one function a task, under the task's name. Every function takes and returns NumPy arrays, in the
course's layout. torch is imported at the first call, so that importing this package is cheap.
"""

from .rnn_forward import cross_entropy, num_parameters, one_hot, output_logits, rnn_forward, rnn_step, torch_rnn
from .torch_arrays import describe, device

__all__ = [
    "cross_entropy", "describe", "device", "num_parameters", "one_hot", "output_logits", "rnn_forward", "rnn_step", "torch_rnn",
]  # fmt: skip
