"""What a process does that judges for another one. It needs no gradebook and none of nbgrader, and imports neither."""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
import os
from dataclasses import asdict
from typing import Any

from ..language import SOURCE, using
from . import referee, sandbox


class Unfit(RuntimeError):
    """The course here is not the one of the class; the message says what differs."""


def judge(
    notebooks: list[tuple[list[referee.Cell], str | None, str]], seed: int, truths: bytes, limits: referee.Limits, unsafe: bool,
    versions: dict[str, str],
) -> list[dict[str, Any]]:  # fmt: skip
    """Judge notebooks, given by cells, problem and the language in which their authors are spoken to. Raises Unfit when the code here is not the class's.

    truths: what `ClassFolder.prepare` gave for the seed; without it the references are asked here.
    """
    if (mine := referee.versions()) != versions:
        raise Unfit(other_versions(mine, versions))
    if truths:
        referee.recall(seed, truths)
    found = []
    for cells, problem, spoken in notebooks:
        with using(spoken or SOURCE):
            found.append(asdict(referee.judge(cells, seed, problem=problem, limits=limits, unsafe=unsafe)))
    return found


def other_versions(mine: dict[str, str], wanted: dict[str, str]) -> str:
    """What differs between two results of `referee.versions`, in a sentence."""
    name = next(name for name in wanted if mine.get(name) != wanted[name])
    if name == "course":
        return "a worker has another state of the course's code: install the same checkout there."
    return f"a worker has {name} {mine.get(name)}, and here it is {wanted[name]}: install the same there (constraints.txt)."


def fitness(unsafe: bool) -> tuple[dict[str, str], str]:
    """The versions here, and why learners' code can't be run, or nothing."""
    try:
        sandbox.require(unsafe)
    except sandbox.SandboxError as error:
        return referee.versions(), str(error)
    return referee.versions(), ""


def prepare_processes() -> None:
    """Start the process that this machine's workers are forked from: it loads for all of them what they need, while we read our settings."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # each worker has a core; NumPy and torch read this when they are loaded
    multiprocessing.get_context("forkserver").set_forkserver_preload(["distributed", __name__])
    multiprocessing.forkserver.ensure_running()
