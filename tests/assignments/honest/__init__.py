"""Right solutions in other styles, by the task's name: each must get full marks."""

from . import rnn_forward

HONEST = {**rnn_forward.HONEST}
