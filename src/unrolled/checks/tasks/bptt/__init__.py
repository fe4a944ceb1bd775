"""The six tasks of assignment 03-bptt: the loss's gradient, backpropagation through time, truncation, clipping, gradient by lag."""

from . import clip_by_norm, cross_entropy_backward, gradient_norm_by_lag, rnn_backward, rnn_step_backward, truncated_rnn_backward

TASKS = (
    cross_entropy_backward.TASK,
    rnn_step_backward.TASK,
    rnn_backward.TASK,
    truncated_rnn_backward.TASK,
    clip_by_norm.TASK,
    gradient_norm_by_lag.TASK,
)
