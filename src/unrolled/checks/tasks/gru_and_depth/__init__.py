"""The five tasks of assignment 06-gru-and-depth: a GRU's step and states, stacked layers, two directions, and a loss under padding."""

from . import bidirectional_forward, gru_forward, gru_step, masked_cross_entropy, stacked_forward

TASKS = (gru_step.TASK, gru_forward.TASK, stacked_forward.TASK, bidirectional_forward.TASK, masked_cross_entropy.TASK)
