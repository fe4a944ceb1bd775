"""Right versions of earlier tasks, with which a task that failed is judged on its own: they answer from a sandbox of their own."""

from __future__ import annotations

import atexit
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..checks import TASKS, find
from . import sandbox

if TYPE_CHECKING:
    from .referee import Limits

_answerers: dict[bool, sandbox.Player] = {}  # by `unsafe`: players that hold the course's own functions, kept for the next question


def _answerer(limits: Limits, unsafe: bool) -> sandbox.Player:
    """The player that computes right results. It is sandboxed, too: the arguments are a learner's, and may be made to cost much."""
    if unsafe not in _answerers:
        resources = {name: amount for name, amount in limits.for_player().items() if name != "RLIMIT_CPU"}  # it is kept
        names = sorted({name for task in TASKS.values() for name in task.uses})
        _answerers[unsafe] = sandbox.Player(resources, unsafe, right=names)
    return _answerers[unsafe]


@atexit.register
def _close_answerers() -> None:
    while _answerers:
        _answerers.popitem()[1].close()


class RightVersions:
    """Answers a player's questions for results of earlier tasks, within limits. `called`: the tasks that were asked for."""

    def __init__(self, names: Iterable[str], limits: Limits, unsafe: bool) -> None:
        self.known = {name: list(find(name).arguments) for name in names}
        self.called: set[str] = set()
        self.limits, self.unsafe = limits, unsafe
        self.left, self.asked = limits.right, 0

    def __call__(self, question: dict) -> dict:
        """The answer: a value, or an error in words that show nothing of the right version. Raises Lost for a question too many."""
        name, values = question["ask"], question.get("arguments")
        if not isinstance(name, str) or name not in self.known or not isinstance(values, list) or len(values) != len(self.known[name]):
            raise sandbox.Lost("it asked for what it is not given")
        self.asked += 1
        if self.asked > self.limits.asks or self.left <= 0:
            raise sandbox.Lost(f"it asked for more results of a right {name} than it is given")
        self.called.add(name)
        seconds, began = min(self.limits.call, self.left), time.monotonic()
        message = {"do": "call", "name": name, "arguments": dict(zip(self.known[name], values)), "seconds": seconds}
        try:
            answer = _answerer(self.limits, self.unsafe).ask(message, seconds + self.limits.grace)
        except sandbox.Lost:
            _close_answerers()  # the next question starts a fresh one
            answer = {"error_type": "Lost"}
        self.left -= time.monotonic() - began
        problem = answer.get("error_type")
        return {"value": answer.get("value"), "error": problem and f"a right {name} can't work with these arguments ({problem})"}
