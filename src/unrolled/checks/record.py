"""The result of a check as plain data; text, HTML and grades are made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass
class Step:
    """One step of a check. kind "form" earns nothing; kind "value" carries a share of the points."""

    name: str
    kind: Literal["form", "value"]
    status: Literal["passed", "failed", "not reached"] = "not reached"


@dataclass
class Record:
    """The result of a check: plain data, from which text, HTML and grades are made."""

    task: str
    signature: str
    assignment: str
    points: float
    max_points: float
    passed: bool
    steps: list[Step]
    message: str = ""                                     # what the first failed step says
    mistakes: list[str] = field(default_factory=list)     # names of the known mistakes that agree on every case
    diagnosis: list[str] = field(default_factory=list)    # their sentences
    explained: str = ""                                   # how: shape, unread, known, edit, relation, location, none
    explanation: str = ""                                 # what the function did, in whole sentences
    advice: str = ""                                      # what to do about it, told when asked for
    line: dict[str, Any] | None = None                    # number and text of the line of the learner's code that it is about
    signs: list[str] = field(default_factory=list)        # what else the code shows: possible reasons, no verdicts
    reread: list[dict[str, str]] = field(default_factory=list)  # sections: page, label, title
    printed: str = ""
    warned: list[str] = field(default_factory=list)       # what NumPy and Python warned of
    judge: str = ""
    seed: int | None = None
    when_graded: str = ""                                 # at home: what would be otherwise when it is graded
    unwritten: str = ""                                   # the function that is still the empty one that was handed out
    given: list[str] = field(default_factory=list)        # earlier tasks of which it was given right versions, to be judged on its own

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "steps": [dict(vars(step)) for step in self.steps]}
