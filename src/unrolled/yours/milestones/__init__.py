"""Pieces of history, run on a learner's own functions: each in at most two minutes on two cores, each with one picture."""

from __future__ import annotations

from .base import Milestone, MilestoneError, Run, run
from .bahdanau import ALIGNMENT
from .bengio import A_BIT_KEPT
from .elman import WORD_BOUNDARIES
from .feng import SCAN
from .hochreiter import ADDING
from .karpathy import A_UNIT

MILESTONES: dict[str, Milestone] = {one.name: one for one in (WORD_BOUNDARIES, A_BIT_KEPT, ADDING, ALIGNMENT, A_UNIT, SCAN)}

__all__ = ["MILESTONES", "Milestone", "MilestoneError", "Run", "run"]
