"""The three tasks of assignment 08-your-data: a split that tears no group apart, two baselines, and a score in which every class counts alike."""

from . import macro_f1, majority_and_bag_baselines, split_by_group

TASKS = (split_by_group.TASK, majority_and_bag_baselines.TASK, macro_f1.TASK)
