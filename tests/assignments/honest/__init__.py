"""Right solutions in other styles, by the task's name: each must get full marks."""

from . import bptt, gru_and_depth, language_models, lstm, rnn_forward, seq2seq, training

MODULES = (language_models, rnn_forward, bptt, training, lstm, gru_and_depth, seq2seq)
HONEST = {name: functions for module in MODULES for name, functions in module.HONEST.items()}
