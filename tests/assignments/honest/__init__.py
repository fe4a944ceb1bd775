"""Right solutions in other styles, by the task's name: each must get full marks."""

from . import bptt, gru_and_depth, language_models, lstm, rnn_forward, training

HONEST = {**language_models.HONEST, **rnn_forward.HONEST, **bptt.HONEST, **training.HONEST, **lstm.HONEST, **gru_and_depth.HONEST}
