"""The six tasks of assignment 02-rnn-forward: a recurrent network's forward pass, loss and size."""

from . import cross_entropy, num_parameters, one_hot, output_logits, rnn_forward, rnn_step

TASKS = (one_hot.TASK, rnn_step.TASK, rnn_forward.TASK, output_logits.TASK, cross_entropy.TASK, num_parameters.TASK)
