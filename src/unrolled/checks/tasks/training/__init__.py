"""The four tasks of assignment 04-training: one update, many updates, the perplexity of a text, and drawing from the model."""

from . import evaluate, sample, train, train_step

TASKS = (train_step.TASK, train.TASK, evaluate.TASK, sample.TASK)
