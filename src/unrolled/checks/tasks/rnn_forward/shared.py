"""What the tasks of assignment 02-rnn-forward share."""

from __future__ import annotations

from ...task import Section

ASSIGNMENT = "02-rnn-forward"
STEP = Section("recurrence/rnn", "rnn-two-equations", "Two equations")
STATE = Section("recurrence/rnn", "rnn-hidden-state", "A hidden state is not a hidden layer")
LOSS = Section("recurrence/rnn-scratch", "scratch-loss", "The loss")
