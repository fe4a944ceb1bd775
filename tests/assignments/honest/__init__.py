"""Right solutions in other styles, by the task's name: each must get full marks."""

from . import bptt, gru_and_depth, language_models, lstm, rnn_forward, seq2seq, training, your_data

MODULES = (language_models, rnn_forward, bptt, training, lstm, gru_and_depth, seq2seq, your_data)
HONEST = {name: functions for module in MODULES for name, functions in module.HONEST.items()}
